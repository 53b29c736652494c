"""What a call says and asks, in the markup carriers of calls understand. Pure."""

from __future__ import annotations

from xml.sax.saxutils import escape, quoteattr

from . import page_wording
from .letters import PageMessage

#: the key a called person presses to acknowledge
ACKNOWLEDGE = "4"
#: bytes of a page a voice reads out; carriers take 4000 characters of markup
_SPOKEN_LIMIT = 600
_VOICES = {"en": "en-US", "de": "de-DE"}


def call(message: PageMessage) -> str:
    """What is said, twice; where keys can be reported to, one key is waited for."""
    text = page_wording.cut(message.spoken, _SPOKEN_LIMIT)
    takes_keys = bool(message.callback and message.takes_answer)
    if takes_keys:
        text = f"{text} {page_wording.pressing(message.locale)}"
    say = _say(text, message.locale)
    said = f'{say}<Pause length="1"/>{say}'
    if takes_keys:
        action = quoteattr(f"{message.callback}/digits")
        said = f'<Gather input="dtmf" numDigits="1" timeout="10" method="POST" action={action}>{said}</Gather>'
    return _response(said)


def after_key(locale: str, *, has_worked: bool) -> str:
    """What is said when a key was pressed: it acknowledged the page, or it did not."""
    return _response(_say(page_wording.pressed(locale, has_worked=has_worked), locale))


def reply(text: str) -> str:
    """The answer to a text message."""
    clean = "".join(mark for mark in text if mark.isprintable() or mark.isspace())
    return _response(f"<Message>{escape(clean)}</Message>")


def nothing() -> str:
    """The answer to a report of which nobody waits for one."""
    return _response("")


def _say(text: str, locale: str) -> str:
    clean = "".join(mark for mark in text if mark.isprintable() or mark.isspace())
    return f"<Say language={quoteattr(_VOICES.get(locale.partition('-')[0], 'en-US'))}>{escape(clean)}</Say>"


def _response(said: str) -> str:
    return f'<?xml version="1.0" encoding="UTF-8"?><Response>{said}</Response>'
