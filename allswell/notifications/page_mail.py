"""A page as a mail of its own: it stands out, opens the page, and says that only the button there acknowledges. Pure."""

from __future__ import annotations

import html
from datetime import datetime
from email.message import EmailMessage

from django.utils import translation
from django.utils.translation import gettext as _

from . import mail, page_wording
from .letters import PageMessage


def write(page: PageMessage, *, sender: str, to: str, public_url: str, now: datetime) -> EmailMessage:
    """The mail of a page to one address. Its Message-ID comes from the key, so that a mail sent twice is shown once."""
    with translation.override(page.locale):
        made = mail.bare(sender=sender, to=("", to), subject=_subject(page), key=page.key, public_url=public_url, now=now)
        if page.number:
            mail.thread(made, page.number, public_url)
        if page.message_id:
            made.replace_header("Message-ID", f"<{page.message_id}>")
        if page.answers_to:
            made.replace_header("Reply-To", page.answers_to)
        made["Auto-Submitted"] = "auto-generated"
        made["X-Auto-Response-Suppress"] = "All"
        if page.urgency == "urgent":
            made["Importance"] = "high"
            made["Priority"] = "urgent"
            made["X-Priority"] = "1"
        made["X-Allswell-Page"] = page.urgency
        made.set_content(_plain(page), cte="quoted-printable")
        made.add_alternative(_page(page), subtype="html", cte="quoted-printable")
        made["Content-Language"] = page.locale
        return made


def _subject(page: PageMessage) -> str:
    return f"[{page.reference}] {page.headline}" if page.reference else page.headline


def _hint(page: PageMessage) -> str:
    """What acknowledges: neither this mail nor its link, only the button behind it. Nothing where there is nothing to acknowledge."""
    if not page.link or not (page.number or page.takes_answer):
        return ""
    said = _("Opening this mail or the link acknowledges nothing; the button on the page does.")
    if not page.takes_ack:
        return said
    return said + " " + _("An answer to this mail that begins with #ack on a line of its own acknowledges it as well.")


def _plain(page: PageMessage) -> str:
    parts = (page.headline, page.text, page.link, _hint(page))
    return "\n\n".join(part for part in parts if part) + "\n"


def _page(page: PageMessage) -> str:
    parts = [f"<h1>{html.escape(page.headline)}</h1>"]
    parts += [f"<p>{html.escape(line)}</p>" for line in page.text.splitlines() if line]
    if page.link:
        words = html.escape(page_wording.buttons(page.locale).open)
        parts.append(f'<p><a href="{html.escape(page.link)}"><strong>{words}</strong></a></p>')
        parts.append(f"<p><small>{html.escape(_hint(page))}</small></p>")
    return (
        f'<!doctype html><html lang="{html.escape(page.locale)}"><head><meta charset="utf-8">'
        f"<title>{html.escape(_subject(page))}</title></head><body>{''.join(parts)}</body></html>\n"
    )
