"""What the caller is told in the app, that they read it, and what they want to be told by which channel."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from msgspec import Struct

from allswell.api.contract import Body, Call, Id, Page, Paged, operation
from allswell.api.paging import last_seen, page_of_read
from allswell.desk import notices as desk
from allswell.desk import preferences
from allswell.notifications import queries
from allswell.notifications.rules import Topic

TAG = "Me"


class About(Struct):
    """The ticket a notice is about."""

    number: int
    reference: str
    title: str


class Notice(Struct):
    """Something the caller was told: why (`topic`), what happened (`verb` of the journal), who did it, what they wrote."""

    id: int
    topic: Topic
    verb: str
    who: str
    body: str
    ticket: About | None
    at: datetime
    read_at: datetime | None


def _notice(row: Any, matter: Any, said: Any) -> Notice:
    about = About(matter.number, matter.reference, matter.title) if matter else None
    return Notice(row.pk, said.topic, said.verb, said.who, said.body, about, said.at, row.read_at)


@operation(
    "GET",
    "/notices",
    id="listNotices",
    summary="What the caller was told in the app, newest first",
    tag=TAG,
    scope="tickets:read",
    details="What they may no longer see is left out, so that a page may hold fewer than asked for.",
    query=Paged,
    answer=Page[Notice],
)
def list_notices(call: Call) -> Page[Notice]:
    found, last = desk.inbox(call.actor, before=last_seen(call), limit=call.query.limit, now=call.now)
    return page_of_read(call, [_notice(*one) for one in found], last)


class Reading(Body):
    """Up to which notice the caller has read."""

    up_to: Id


class Read(Struct):
    """How many of them were new."""

    count: int


@operation(
    "POST",
    "/notices/read",
    id="readNotices",
    summary="The caller has read their notices up to this one",
    tag=TAG,
    scope="tickets:write",
    body=Reading,
    answer=Read,
    present=lambda call, count: Read(count),
)
def read(call: Call) -> Any:
    return desk.read(call.body.up_to, actor=call.actor, now=call.now)


class Channels(Struct):
    """Whether the caller is told of a topic in the app, and by mail."""

    app: bool
    email: bool


class Preferences(Struct):
    """What the caller is told of, by which channel."""

    topics: dict[str, Channels]


def _preferences(call: Call, result: Any = None) -> Preferences:
    wanted = queries.wanted(call.actor.person or 0, is_agent=call.actor.is_agent)
    return Preferences({topic.value: Channels("app" in ways, "email" in ways) for topic, ways in wanted.items()})


@operation(
    "GET", "/me/preferences", id="getPreferences", summary="What the caller is told of, and how", tag=TAG, answer=Preferences
)
def show(call: Call) -> Preferences:
    return _preferences(call)


class PreferencesChange(Body):
    """Topics as `getPreferences` answers them; those left out stay."""

    topics: dict[str, Channels]


@operation(
    "PATCH",
    "/me/preferences",
    id="updatePreferences",
    summary="Choose what one is told of, and how",
    tag=TAG,
    scope="people:write",
    body=PreferencesChange,
    answer=Preferences,
    present=_preferences,
    current=_preferences,
)
def change(call: Call) -> Any:
    topics: dict[str, Channels] = call.body.topics
    wanted = {(topic, way): getattr(said, way) for topic, said in topics.items() for way in ("app", "email")}
    return preferences.prefer(wanted, actor=call.actor, now=call.now)
