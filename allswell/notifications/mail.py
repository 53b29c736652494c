"""A letter as a mail: plain text and HTML, threaded by ticket, marked as written by a program (RFC 3834)."""

from __future__ import annotations

import html
from datetime import datetime
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import EmailPolicy
from email.utils import format_datetime, parseaddr
from typing import Any
from urllib.parse import urlsplit

import nh3
from django.utils import translation
from django.utils.translation import gettext as _
from markdown_it import MarkdownIt

from . import templated, wording
from .letters import Letter, Matter, OwnWords, Said, Thread
from .rules import OWN_TEXTS, SHIFT_TOPICS, Topic
from .rules.templates import subject_of

#: characters of one text that are sent by mail; the rest is read in the ticket
BODY_LIMIT = 20_000
_TAGS = {"p", "br", "strong", "em", "del", "code", "pre", "blockquote", "ul", "ol", "li", "a", "h1", "h2", "h3", "h4", "hr"} | {
    "table",
    "thead",
    "tbody",
    "tr",
    "th",
    "td",
}
_markdown = MarkdownIt("commonmark", {"html": False, "breaks": True}).enable(["table", "strikethrough"]).disable("image")


class _Policy(EmailPolicy):
    """The library's, but each id stands whole on a line: broken or in encoded words, mail programs do not know it again."""

    def fold(self, name: str, value: Any) -> str:
        if name.lower() not in _IDS:
            return str(super().fold(name, value))
        between = "\r\n " if name.lower() == "references" else " "
        return f"{name}: {between.join(str(value).split())}\r\n"

    def fold_binary(self, name: str, value: Any) -> bytes:
        return self.fold(name, value).encode("ascii") if name.lower() in _IDS else super().fold_binary(name, value)


_IDS = frozenset({"message-id", "in-reply-to", "references", "list-id", "list-unsubscribe"})
_POLICY = _Policy(linesep="\r\n")


def harmless_html(markdown: str) -> str:
    """Markdown written by anybody, as HTML without scripts, styles, images or remote content."""
    return nh3.clean(
        _markdown.render(markdown),
        tags=_TAGS,
        attributes={"a": {"href"}},
        url_schemes={"http", "https", "mailto", "tel"},
        link_rel="nofollow noopener noreferrer",
    )


def message(letter: Letter, *, sender: str, public_url: str, now: datetime) -> EmailMessage:
    """The mail of a letter. `sender` is ALLSWELL_MAIL_FROM; its address also takes the answers unless the letter says otherwise."""
    with translation.override(letter.locale):
        to = (letter.to_name, letter.to_address)
        mail = bare(sender=sender, to=to, subject=_subject(letter), key=letter.key, public_url=public_url, now=now)
        host = _host(public_url)
        if letter.message_id:
            mail.replace_header("Message-ID", f"<{letter.message_id}>")
        matter = letter.parts[0][0]
        if len(letter.parts) == 1 and matter is not None:
            thread(mail, matter.number, public_url, letter.thread)
        _from_where(mail, letter)
        if letter.answers:
            mail["In-Reply-To"] = mail["References"] = f"<{letter.answers}>"
        mail["Auto-Submitted"] = "auto-replied" if letter.answers else "auto-generated"
        mail["X-Auto-Response-Suppress"] = "All"
        mail["List-Id"] = f"Allswell <notices.{host}>"
        if letter.unsubscribe:
            mail["List-Unsubscribe"] = f"<{letter.unsubscribe}>"
            mail["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
        mail.set_content(_plain(letter, public_url), cte="quoted-printable")
        mail.add_alternative(_page(letter, public_url), subtype="html", cte="quoted-printable")
        mail["Content-Language"] = letter.locale
        return mail


def _subject(letter: Letter) -> str:
    """The same for every mail about a ticket but for the "Re:", or mail programs take it for another conversation."""
    written = _line_of(letter)
    return f"Re: {written}" if letter.thread is not None and letter.thread.is_answer else written


def _line_of(letter: Letter) -> str:
    own = letter.own_words
    return subject_of(own.template, own.values) if own is not None else wording.subject(letter)


def _values(own: OwnWords, letter: Letter, public_url: str) -> dict[str, str]:
    """What fills the words of an organization, with where the ticket is and all that was said."""
    matter, notices = letter.parts[0]
    reply = "\n\n".join(_body(said) for said in notices if said.body)
    resolution = _shortened(own.values.get("resolution", ""))
    return {**own.values, "link": _link(notices[-1], matter, public_url), "reply": reply, "resolution": resolution}


def _from_where(mail: EmailMessage, letter: Letter) -> None:
    if letter.from_address:
        mail.replace_header("From", _mailbox(letter.from_name, letter.from_address))
    if letter.reply_to:
        mail.replace_header("Reply-To", _mailbox(letter.from_name, letter.reply_to))


def _one_line(text: str) -> str:
    return " ".join(text.split())[:250]


def _mailbox(name: str, address: str) -> Address:
    local, _at, domain = address.rpartition("@")
    return Address(display_name=_one_line(name), username=local, domain=domain)


def bare(*, sender: str, to: tuple[str, str], subject: str, key: str, public_url: str, now: datetime) -> EmailMessage:
    """A mail without a text yet: from `sender` to (name, address). The key becomes its Message-ID."""
    mail = EmailMessage(policy=_POLICY)
    name, address = parseaddr(sender)
    mail["From"] = _mailbox(name, address)
    mail["To"] = _mailbox(*to)
    mail["Reply-To"] = _mailbox(name, address)
    mail["Subject"] = _one_line(subject)
    mail["Date"] = format_datetime(now)
    mail["Message-ID"] = f"<{key}@{_host(public_url)}>"
    return mail


def _host(public_url: str) -> str:
    return (urlsplit(public_url).hostname or "localhost").encode("idna").decode("ascii")


def thread(mail: EmailMessage, number: int, public_url: str, said: Thread | None = None) -> None:
    """Mails about one ticket belong together, whoever gets them; behind the root stand those the recipient knows."""
    root = f"ticket.{number}@{_host(public_url)}"
    before = tuple(one for one in (said.before if said else ()) if one != root)
    mail["In-Reply-To"] = f"<{(root, *before)[-1]}>"
    mail["References"] = " ".join(f"<{one}>" for one in (root, *before))
    if said is not None:
        mail.replace_header("Message-ID", f"<{said.message_id}>")


def _link(said: Said, matter: Matter | None, public_url: str) -> str:
    if said.topic is Topic.ACCOUNT:
        return str(said.facts.get("link", ""))
    if said.topic is Topic.REPORT:
        return public_url + str(said.facts.get("path", "/reports"))
    if said.topic in SHIFT_TOPICS or said.topic is Topic.BLIND:
        return public_url + str(said.facts.get("path", "/"))
    if said.topic is Topic.ANNOUNCED or matter is None:
        return f"{public_url}/"
    return f"{public_url}/{matter.reference}"


def _body(said: Said) -> str:
    return _shortened(said.body)


def _shortened(text: str) -> str:
    return text if len(text) <= BODY_LIMIT else text[:BODY_LIMIT] + "\n\n" + _("The rest is in the ticket.")


def _time(said: Said, letter: Letter) -> str:
    due = wording.due(said, locale=letter.locale, zone=letter.time_zone)
    return due or wording.when(said.at, locale=letter.locale, zone=letter.time_zone)


def _ending(public_url: str, letter: Letter) -> list[str]:
    """Why this came and where to change it."""
    if letter.parts[0][1][0].topic is Topic.ACCOUNT:
        return []
    if letter.parts[0][1][0].topic is Topic.REPORT:
        lines = [_("Your reports by mail: %(link)s") % {"link": f"{public_url}/reports"}]
        return [*lines, _("No longer this report: %(link)s") % {"link": letter.unsubscribe}] if letter.unsubscribe else lines
    lines = [_("Choose what you are told about: %(link)s") % {"link": f"{public_url}/profile"}]
    if letter.unsubscribe:
        lines.append(_("No more mails of this kind: %(link)s") % {"link": letter.unsubscribe})
    return lines


def _plain(letter: Letter, public_url: str) -> str:
    lines = _told_plainly(letter, public_url)
    if ending := _ending(public_url, letter):
        lines += ["-- ", *ending]
    return "\n".join(lines).rstrip() + "\n"


def _told_plainly(letter: Letter, public_url: str) -> list[str]:
    lines: list[str] = []
    own = letter.own_words
    if own is not None:
        lines += [*templated.plain(own.template, _values(own, letter, public_url)), ""]
        for said in _unsaid(own, letter):
            lines += [wording.sentence(said, letter.parts[0][0]), "", *_quoted(said), ""]
        return lines
    for matter, notices in letter.parts:
        if len(letter.parts) > 1 and matter is not None:
            lines += [f"[{matter.reference}] {matter.title}", ""]
        for said in notices:
            lines += [wording.sentence(said, matter)]
            if said.topic is Topic.ANNOUNCED and said.facts.get("title"):
                lines += [str(said.facts["title"])]
            if said.body:
                lines += ["", *_quoted(said)]
            if said.topic is not Topic.ACCOUNT:
                lines += ["", _time(said, letter)]
            lines += [""]
        if link := _link(notices[-1], matter, public_url):
            lines += [link, ""]
        lines += [text for said in notices if (text := wording.after(said))]
    return lines


def _quoted(said: Said) -> list[str]:
    mark = "" if said.topic in OWN_TEXTS else "> "
    return [f"{mark}{line}".rstrip() for line in _body(said).splitlines()]


def _unsaid(own: OwnWords, letter: Letter) -> list[Said]:
    """What somebody wrote that the words of the organization have no place for; it is never lost."""
    return [] if own.template.takes_reply else [said for said in letter.parts[0][1] if said.body]


def _page(letter: Letter, public_url: str) -> str:
    parts = _told_in_html(letter, public_url)
    parts += [f"<hr><p><small>{html.escape(line)}</small></p>" for line in _ending(public_url, letter)]
    subject = html.escape(_line_of(letter))
    return (
        f'<!doctype html><html lang="{html.escape(letter.locale)}"><head><meta charset="utf-8"><title>{subject}</title></head>'
        f"<body>{''.join(parts)}</body></html>\n"
    )


def _told_in_html(letter: Letter, public_url: str) -> list[str]:
    parts: list[str] = []
    own = letter.own_words
    if own is not None:
        parts += templated.page(own.template, _values(own, letter, public_url), rich=harmless_html)
        for said in _unsaid(own, letter):
            parts.append(f"<p>{html.escape(wording.sentence(said, letter.parts[0][0]))}</p>")
            parts.append(f"<blockquote>{harmless_html(_body(said))}</blockquote>")
        return parts
    for matter, notices in letter.parts:
        if matter is not None:
            heading = f"{matter.reference} · {matter.title}"
            link = html.escape(_link(notices[-1], matter, public_url))
            parts.append(f'<h2><a href="{link}">{html.escape(heading)}</a></h2>')
        for said in notices:
            parts.append(f"<p>{html.escape(wording.sentence(said, matter))}</p>")
            if said.topic is Topic.ANNOUNCED and said.facts.get("title"):
                parts.append(f"<p><strong>{html.escape(str(said.facts['title']))}</strong></p>")
            if said.body:
                body = harmless_html(_body(said))
                parts.append(body if said.topic in OWN_TEXTS else f"<blockquote>{body}</blockquote>")
            if said.topic is not Topic.ACCOUNT:
                parts.append(f"<p><small>{html.escape(_time(said, letter))}</small></p>")
        if link := html.escape(_link(notices[-1], matter, public_url)):
            words = link if notices[-1].topic is Topic.ACCOUNT else html.escape(_("Open it"))
            parts.append(f'<p><a href="{link}">{words}</a></p>')
        parts += [f"<p>{html.escape(text)}</p>" for said in notices if (text := wording.after(said))]
    return parts
