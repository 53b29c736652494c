"""What a mail says, before it has words: plain facts the renderer turns into a message in the recipient's language."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

from .rules import Topic
from .rules.templates import Template


@dataclass(frozen=True, slots=True)
class Matter:
    """The ticket a notice is about."""

    number: int
    reference: str
    title: str


@dataclass(frozen=True, slots=True)
class Said:
    """One notice: why the person is told, what happened, who did it ("" for the program) and what they wrote (Markdown)."""

    topic: Topic
    verb: str
    who: str
    at: datetime
    body: str = ""
    facts: dict[str, Any] = field(default_factory=dict)  # the entry's data and the notice's content


@dataclass(frozen=True, slots=True)
class Thread:
    """Where a mail stands in the conversation of its recipient; ids without brackets, `before` oldest first.

    `is_answer`: the recipient wrote by mail before, so the subject says "Re:".
    """

    message_id: str
    before: tuple[str, ...] = ()
    is_answer: bool = False


@dataclass(frozen=True, slots=True)
class OwnWords:
    """The words an organization chose for a mail about one ticket, and what fills them but for `link` and `reply`."""

    template: Template
    values: dict[str, str]


@dataclass(frozen=True, slots=True)
class Letter:
    """A mail to one person: one or more notices, by ticket. `key` stays the same over retries.

    The Message-ID is that of the `thread`, else `message_id`, else made of the key. ALLSWELL_MAIL_FROM writes it unless `from_name`
    and `from_address` say otherwise, and `reply_to` takes the answers if it is not "". `unsubscribe` is the address that ends such mails.
    `answers` is the id of the mail that it answers by itself, if it does.
    Without `own_words` it has the built-in ones.
    """

    key: str
    to_name: str
    to_address: str
    locale: str
    time_zone: str
    parts: tuple[tuple[Matter | None, tuple[Said, ...]], ...]
    thread: Thread | None = None
    message_id: str = ""
    from_name: str = ""
    from_address: str = ""
    reply_to: str = ""
    unsubscribe: str = ""
    answers: str = ""
    own_words: OwnWords | None = None


@dataclass(frozen=True, slots=True)
class Call:
    """A call of a webhook: `key` is its webhook-id; every secret in force signs it."""

    key: str
    url: str
    body: bytes
    secrets: tuple[str, ...] = field(repr=False)


@dataclass(frozen=True, slots=True)
class PageMessage:
    """One page in the recipient's words, as every channel takes it; `page_wording` writes them.

    `key` stays the same over retries. `short` fits into one SMS, `spoken` is for a voice. `link` opens the page, and only a POST to it
    acknowledges. `code` is what a reply names ("ack 1042"). `callback` is where a carrier reports to: "/status" and "/digits" are put
    behind it; "" when there is no such place. As a mail it has the `message_id` and takes its answers at `answers_to` if they are not "",
    and an answer `#ack` acknowledges when `takes_ack`. A page of a storm is about many tickets: its `number` is 0 and its `reference` "".
    """

    key: str
    reference: str
    number: int
    headline: str
    text: str
    short: str
    spoken: str
    link: str
    urgency: str  # "urgent", "normal"
    locale: str
    is_drill: bool = False
    code: str = ""
    callback: str = ""
    message_id: str = ""
    answers_to: str = ""
    takes_ack: bool = False

    @property
    def takes_answer(self) -> bool:
        """Whether a POST to the link, or a key pressed, acknowledges this very page: not many at once, nor what a whole room reads."""
        return (bool(self.number) or self.is_drill) and urlsplit(self.link).path.startswith("/p/")


@dataclass(frozen=True, slots=True)
class Way:
    """Where a page goes: the kind of channel and the opened address; `docs/extend/channels.md` says how each is written.

    `flavor` says which chat it is. `secret` is the private key that web push is signed with.
    """

    kind: str
    address: str = field(repr=False)
    flavor: str = ""
    secret: str = field(default="", repr=False)
