"""The address in a mail that ends mails of its kind, or a report that comes regularly, without signing in (RFC 8058).

It holds for ever and opens nothing else.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from django.conf import settings

from allswell.desk import report_mails
from allswell.desk.preferences import prefer
from allswell.kernel.actor import Actor, Channel
from allswell.kernel.errors import NotFound
from allswell.notifications.rules import ONE_CLICK, Topic
from allswell.people import queries as people

_PERSON, _TOPICS, _REPORT, _MARK = 5, 2, 6, 12


@dataclass(frozen=True, slots=True)
class Ends:
    """What an address ends: mails of these topics to a person, or the report that they asked for under this number."""

    actor: Actor
    topics: tuple[Topic, ...] = ()
    report: int | None = None


def link(person: int, topics: Collection[Topic]) -> str:
    """The address that ends mails of these topics to a person; "" unless each of them may be ended by one click."""
    if not topics or not set(ONE_CLICK).issuperset(topics):
        return ""
    which = sum(1 << place for place, topic in enumerate(ONE_CLICK) if topic in topics)
    return _address(person, which.to_bytes(_TOPICS, "big"))


def report_link(person: int, subscription: int) -> str:
    """The address that ends a report which a person gets regularly."""
    return _address(person, subscription.to_bytes(_REPORT, "big"))


def read(token: str) -> Ends:
    """What this address ends. Raises NotFound for one we did not make, or of somebody who is gone."""
    try:
        whole = base64.b64decode(token.encode("ascii") + b"=" * (-len(token) % 4), altchars=b"-_", validate=True)
    except (UnicodeEncodeError, binascii.Error, ValueError):
        whole = b""
    told, mark = whole[:-_MARK], whole[-_MARK:]
    keys = (settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS)
    is_ours = len(told) in (_PERSON + _TOPICS, _PERSON + _REPORT) and any(
        hmac.compare_digest(mark, _mark(key, told)) for key in keys
    )
    person = people.person(int.from_bytes(told[:_PERSON], "big")) if is_ours else None
    if person is None:
        raise NotFound("There is nothing at this address.")
    actor, which = people.actor_for(person, channel=Channel.EMAIL), int.from_bytes(told[_PERSON:], "big")
    if len(told) == _PERSON + _REPORT:
        return Ends(actor, report=which)
    return Ends(actor, tuple(topic for place, topic in enumerate(ONE_CLICK) if which >> place & 1))


def end(token: str, *, is_wanted: bool = False, now: datetime) -> None:
    """No more mails of these topics, or (`is_wanted`) as before. What is told in the app stays. Raises NotFound.

    A report ends once; who wants it again asks for it where it was.
    """
    ends = read(token)
    if ends.report is None:
        prefer({(topic.value, "email"): is_wanted for topic in ends.topics}, actor=ends.actor, now=now)
    elif not is_wanted:
        try:
            report_mails.unsubscribe(ends.report, actor=ends.actor, now=now)
        except NotFound:
            return  # it has ended before


def _address(person: int, which: bytes) -> str:
    told = person.to_bytes(_PERSON, "big") + which
    token = base64.urlsafe_b64encode(told + _mark(settings.SECRET_KEY, told)).decode().rstrip("=")
    return f"{settings.PUBLIC_URL}/unsubscribe/{token}"


def _mark(key: str, told: bytes) -> bytes:
    derived = hashlib.blake2b(key.encode(), digest_size=32, person=b"allswell.notices").digest()
    return hmac.new(derived, told, hashlib.sha256).digest()[:_MARK]
