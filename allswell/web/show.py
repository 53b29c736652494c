"""How things are shown: instants in the viewer's zone, durations, references, initials, Markdown."""

from __future__ import annotations

import functools
import re
import zlib
from collections.abc import Mapping
from contextvars import ContextVar
from datetime import UTC, date, datetime, timedelta

import nh3
from django.utils import dateformat, timezone, translation
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from markdown_it import MarkdownIt
from markdown_it.rules_core import StateCore
from markdown_it.token import Token
from markupsafe import Markup, escape

from allswell.kernel import clock
from allswell.kernel.instants import clock_at
from allswell.tickets import rules

#: the instant of the request, so that one page speaks of one "now"
_now: ContextVar[datetime | None] = ContextVar("now", default=None)

HUES = 6


def set_now(now: datetime | None) -> None:
    """Fix what "now" is for the pages rendered in this context."""
    _now.set(now)


def now() -> datetime:
    """The instant of the request."""
    return _now.get() or clock.now()


def clock_text(at: datetime) -> str:
    """An instant in the viewer's zone, as short as can be: 09:34, yesterday 09:34, Mon 09:34, 3 Nov 09:34, 3 Nov 2025.

    A bare weekday is one that was; what comes has its date too, since "Mon" six days ahead is read as the one after tomorrow.
    """
    local, today = timezone.localtime(at), timezone.localtime(now())
    days = (today.date() - local.date()).days
    hour = clock_at(local)
    if days == 0:
        return hour
    if days == 1:
        return _("yesterday %(time)s") % {"time": hour}
    if days == -1:
        return _("tomorrow %(time)s") % {"time": hour}
    if 0 < days < 7:
        return f"{dateformat.format(local, 'D')} {hour}"
    if -7 < days < 0:
        return f"{dateformat.format(local, 'D j M')} {hour}"
    if local.year == today.year:
        return f"{dateformat.format(local, 'j M')} {hour}"
    return dateformat.format(local, "j M Y")


def full_text(at: datetime) -> str:
    """An instant with everything: Mon 23 November 2026, 09:34 CET."""
    return dateformat.format(timezone.localtime(at), "D j F Y, H:i T")


def fill(template: str, **values: object) -> Markup:
    """A translated sentence with `%(name)s` places filled by escaped or safe values."""
    return Markup(str(escape(template))) % {name: escape(value) for name, value in values.items()}  # noqa: S704


def when(at: datetime | None) -> Markup:
    """A `<time>` element; its title says date and zone in full. Nothing for None."""
    if at is None:
        return Markup("")
    zone = timezone.get_current_timezone_name()
    return _element(at, timezone.localtime(now()).date(), zone, translation.get_language() or "")


@functools.lru_cache(maxsize=8192)
def _element(at: datetime, today: date, zone: str, language: str) -> Markup:
    """The element, made once for each day, zone and language it is shown on."""
    stamp = at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    return Markup('<time datetime="{}" title="{}">{}</time>').format(stamp, full_text(at), clock_text(at))


def day(at: datetime | None) -> str:
    """The date alone: 23 November 2026."""
    return dateformat.format(timezone.localtime(at), "j F Y") if at else ""


def for_input(at: datetime | None) -> str:
    """An instant as an `<input type=datetime-local>` takes it, in the viewer's zone."""
    return f"{timezone.localtime(at):%Y-%m-%dT%H:%M}" if at else ""


def duration(length: timedelta | float) -> str:
    """A duration in two units at most: 40 s, 12 min, 1 h 52 min, 3 d 4 h."""
    seconds = int(length.total_seconds() if isinstance(length, timedelta) else length)
    if seconds < 0:
        return "−" + duration(-seconds)
    if seconds < 60:
        return _("%(n)s s") % {"n": seconds}
    minutes = seconds // 60
    if minutes < 60:
        return _("%(n)s min") % {"n": minutes}
    hours, minutes = divmod(minutes, 60)
    if hours < 24:
        return _("%(h)s h %(m)s min") % {"h": hours, "m": minutes} if minutes else _("%(h)s h") % {"h": hours}
    days, hours = divmod(hours, 24)
    if days < 10 and hours:
        return _("%(d)s d %(h)s h") % {"d": days, "h": hours}
    return _("%(d)s d") % {"d": days}


def since(at: datetime | None) -> str:
    """How long ago it is, in two units at most."""
    return duration(now() - at) if at else ""


def initials(name: str) -> str:
    """Two letters of a name: Jonas Berg -> JB."""
    words = [word for word in re.split(r"[\s\-]+", name) if word and word[0].isalnum()]
    if not words:
        return "?"
    return (words[0][0] + (words[-1][0] if len(words) > 1 else "")).upper()


def hue(key: object) -> int:
    """The color of a person, 1 to 6: cool hues only, the same everywhere."""
    return zlib.crc32(str(key).encode()) % HUES + 1


def size(count: int) -> str:
    """Bytes for people: 84 kB, 1.2 MB."""
    if count < 1000:
        return ngettext("%(n)s byte", "%(n)s bytes", count) % {"n": count}
    if count < 1_000_000:
        return f"{round(count / 1000)} kB"
    return f"{count / 1_000_000:.1f} MB"


def capped(count: int, cap: int = 1000) -> str:
    """A counter that stops counting: 999, 1000+."""
    return f"{cap}+" if count >= cap else str(count)


reference = rules.reference

# Markdown

_SPOT = re.compile(r"https?://[^\s<>\"']*[^\s<>\"'.,;:!?)\]}]|\b(?:INC|REQ)-\d{1,12}\b")
_NAMED = re.compile(r"\[([^\[\]\n]{1,200})\]")
_TAGS = {
    *("p", "br", "hr", "h1", "h2", "h3", "h4", "h5", "h6", "ul", "ol", "li", "blockquote", "pre", "code", "em", "strong", "s"),
    *("a", "table", "thead", "tbody", "tr", "th", "td"),
}


def _link_words(state: StateCore) -> None:
    """Make bare addresses and ticket references links."""
    for block in state.tokens:
        if block.type != "inline" or not block.children:
            continue
        children: list[Token] = []
        depth = 0
        for token in block.children:
            depth += token.nesting if token.type in ("link_open", "link_close") else 0
            plain = token.type == "text" and depth == 0
            pieces = _with_pictures(token, state.env.get("pictures", {})) if plain else [token]
            children += [part for piece in pieces for part in (_split(piece) if plain and piece.type == "text" else [piece])]
        block.children = children


def _with_pictures(token: Token, pictures: Mapping[str, str]) -> list[Token]:
    """A text in which the `[name]` of a picture is the picture."""
    parts: list[Token] = []
    at = 0
    for found in _NAMED.finditer(token.content) if pictures else ():
        if (address := pictures.get(found[1])) is None:
            continue
        parts.append(Token("text", "", 0, content=token.content[at : found.start()]))
        name = Token("text", "", 0, content=found[1])
        parts.append(Token("image", "img", 0, attrs={"src": address, "alt": ""}, content=found[1], children=[name]))
        at = found.end()
    return [*parts, Token("text", "", 0, content=token.content[at:])] if parts else [token]


def _split(token: Token) -> list[Token]:
    parts: list[Token] = []
    at = 0
    for found in _SPOT.finditer(token.content):
        word = found[0]
        parts.append(Token("text", "", 0, content=token.content[at : found.start()]))
        href = word if "://" in word else f"/{word}"
        parts.append(Token("link_open", "a", 1, attrs={"href": href}))
        parts.append(Token("text", "", 0, content=word))
        parts.append(Token("link_close", "a", -1))
        at = found.end()
    if not parts:
        return [token]
    parts.append(Token("text", "", 0, content=token.content[at:]))
    return parts


_markdown = MarkdownIt("commonmark", {"html": False, "breaks": True}).enable(["table", "strikethrough"]).disable("image")
_markdown.core.ruler.push("words", _link_words)


#: what costs time to render; a text with more of it than people write is shown as it was typed, or its page would take seconds
_MARKS = "[*_~|`\n"
_MOST_MARKS = 5000


@functools.lru_cache(maxsize=2048)
def _short_markdown(text: str) -> Markup:
    return _long_markdown(text)


def _long_markdown(text: str, pictures: Mapping[str, str] | None = None) -> Markup:
    if sum(text.count(mark) for mark in _MARKS) > _MOST_MARKS:
        return Markup("<pre><code>{}</code></pre>").format(text)
    html = nh3.clean(
        _markdown.render(text, {"pictures": pictures or {}}),
        tags={*_TAGS, "img"} if pictures else _TAGS,
        attributes={"a": {"href"}, "img": {"src", "alt"}},
        url_schemes={"http", "https", "mailto", "tel"},
        link_rel="nofollow noopener noreferrer",
    )
    return Markup(html)  # noqa: S704 - sanitized in the line above


def markdown(text: str, pictures: Mapping[str, str] | None = None) -> Markup:
    """Markdown written by anybody, as harmless HTML: no raw HTML, no scripts, and of images only `pictures` where `[name]` stands.

    `pictures`: what came with the text, name -> address here; an address somebody wrote is never one of an image.
    """
    if pictures:
        return _long_markdown(text, pictures)
    return _short_markdown(text) if len(text) <= 4000 else _long_markdown(text)
