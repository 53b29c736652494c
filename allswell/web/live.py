"""Live screens: one long answer per open page, telling it which tickets changed, so that it asks for them anew.

A message holds ticket numbers and the viewer's count of unread notices, never a text, and only numbers the viewer may see at
that moment; a requester's page hears of what changed for the requester, not of notes and the desk's own work. Nothing that must
not be missed hangs on it: the reader of the journal looks at an overlapping window, and a page that was away says what it saw
last (Last-Event-ID).

    event: hello      data: {"unread": 3, "pages": [[7, true]]}             once, at the beginning
    event: changed    data: {"tickets": [1042], "unread": 3, "pages": [], "is_partial": false}

`is_partial`: too many, look at everything. `pages` are those that call the viewer, each with whether it rings.

    event: beat       data: {}                                              every 20 s
    event: bye        data: {}                                              signed out, deactivated, or the server ends
"""

from __future__ import annotations

import asyncio
import json
import logging
from collections import defaultdict
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.cookies import CookieError, SimpleCookie
from importlib import import_module
from types import SimpleNamespace
from typing import Any, cast

from django.conf import settings
from django.contrib.auth import get_user
from django.db import DatabaseError, connections

from allswell.journal import queries as journal
from allswell.kernel import clock
from allswell.kernel.actor import Actor, Channel
from allswell.kernel.text import whole
from allswell.notifications import queries as notifications
from allswell.oncall.queries import beside, escalations
from allswell.people import queries as people
from allswell.tickets import queries as tickets

log = logging.getLogger(__name__)

#: pages that call somebody, each with whether it rings
Alarms = tuple[tuple[int, bool], ...]

EVERY = 0.5  # seconds between two looks at the journal
OVERLAP = timedelta(seconds=20)  # how late a transaction may commit and still be noticed
MEMORY = timedelta(minutes=5)  # how long a page may be away and still catch up
MOST = 1000  # entries looked at in one batch
LATE_EVENTS = 100  # lines of the ledger that may be written before another and be seen after it
BEAT = 20.0
CHECK_SIGN_IN = 25.0
CHECK_RIGHTS = 10.0
STREAMS_PER_PERSON = 30

_HEADERS = [
    ("content-type", "text/event-stream; charset=utf-8"),
    ("cache-control", "no-store"),
    ("x-accel-buffering", "no"),
    ("x-content-type-options", "nosniff"),
    ("server", "Allswell"),
]


def message(name: str, content: dict[str, Any], *, mark: datetime | None = None) -> bytes:
    """One message of the stream; `mark` is what the page gives back as Last-Event-ID."""
    head = f"id: {int(mark.timestamp() * 1_000_000)}\n" if mark else ""
    return f"{head}event: {name}\ndata: {json.dumps(content)}\n\n".encode()


def mark_of(last_event_id: str | None, now: datetime) -> datetime | None:
    """The instant a returning page saw last; None when it is none, too old or not yet."""
    stamp = whole(last_event_id or "", digits=16)  # more would be no year a datetime knows
    if stamp is None:
        return None
    seen = datetime.fromtimestamp(stamp / 1_000_000, UTC)
    return seen if now - MEMORY <= seen <= now else None


@dataclass
class Rights:
    """A viewer with their rights, read again when they are older than CHECK_RIGHTS."""

    actor: Actor
    read_at: float


@dataclass(eq=False)
class Stream:
    """One open page."""

    session_key: str
    person: int
    checked_at: float
    since: datetime | None = None
    unread: int = -1
    pages: Alarms = ()
    waiting: set[int] = field(default_factory=set)
    is_partial: bool = False
    mark: datetime | None = None
    is_ended: bool = False
    bell: asyncio.Event = field(default_factory=asyncio.Event)

    def tell(self, numbers: list[int], unread: int, *, is_partial: bool, mark: datetime, pages: Alarms = ()) -> None:
        """Keep for the page what it must be told; a slow page gets it in one message."""
        if not numbers and unread == self.unread and pages == self.pages and not is_partial:
            return
        self.pages = pages
        self.waiting.update(numbers)
        self.is_partial |= is_partial
        self.unread = unread
        self.mark = mark
        self.bell.set()

    def end(self) -> None:
        """The page is told good-bye."""
        self.is_ended = True
        self.bell.set()


@dataclass(frozen=True)
class Look:
    """What one look at the database found, per person."""

    at: datetime
    numbers: dict[int, list[int]]
    unread: dict[int, int]
    pages: dict[int, Alarms]
    is_partial: bool
    signed_out: frozenset[str]


def signed_in(session_key: str) -> int | None:
    """The person a session belongs to, if it still counts; the same checks as on every page."""
    store = import_module(settings.SESSION_ENGINE).SessionStore(session_key)
    person = get_user(cast(Any, SimpleNamespace(session=store)))
    return person.pk if person.is_authenticated and person.is_active else None


class Hub:
    """All streams of one web process, fed by one reader of the journal. Everything but `look` runs on the loop's thread."""

    def __init__(self, *, now: Callable[[], datetime] = clock.now, monotonic: Callable[[], float] = clock.monotonic) -> None:
        self._now = now
        self._monotonic = monotonic
        self._streams: set[Stream] = set()
        self._rights: dict[int, Rights] = {}
        self._seen: dict[int, datetime] = {}
        self._events: set[int] = set()  # lines of the ledger that were told, or were there before
        self._last_event = -1
        self._reader: asyncio.Task[None] | None = None
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="live")
        self._is_closed = False

    async def answer(self, scope: Any, proto: Any) -> None:
        """The address /live, as the web server asks it."""
        if scope.method != "GET":
            proto.response_str(405, [("allow", "GET"), ("content-type", "text/plain")], "Use GET.\n")
            return
        stream = await self.open(scope.headers.get("cookie") or "", scope.headers.get("last-event-id"))
        if stream is None:
            proto.response_str(401, [("content-type", "text/plain"), ("cache-control", "no-store")], "Sign in first.\n")
            return
        gone = asyncio.ensure_future(_until_gone(proto, stream))
        try:
            transport = proto.response_stream(200, _HEADERS)
            async for piece in self.messages(stream):
                await transport.send_bytes(piece)
        except Exception as error:  # noqa: BLE001 - the server's own error classes: the page went away
            log.debug("A live stream ended: %r", error)
        finally:
            gone.cancel()
            self._streams.discard(stream)

    async def open(self, cookies: str, last_event_id: str | None) -> Stream | None:
        """A stream for the person this session belongs to; None when there is none, or they have too many open."""
        key = _session_key(cookies)
        if not key or self._is_closed:
            return None
        person = await self._in_thread(_signed_in_safely, key)
        if person is None or sum(stream.person == person for stream in self._streams) >= STREAMS_PER_PERSON:
            return None
        stream = Stream(key, person, self._monotonic(), since=mark_of(last_event_id, self._now()))
        self._streams.add(stream)
        if self._reader is None or self._reader.done():
            self._reader = asyncio.ensure_future(self._read_on())
        return stream

    async def messages(self, stream: Stream) -> AsyncIterator[bytes]:
        """What the page is told, until it is told good-bye."""
        counts = await self._in_thread(_unread_safely, [stream.person])
        stream.unread = counts.get(stream.person, 0)
        stream.pages = (await self._in_thread(_alarms_safely, [stream.person])).get(stream.person, ())
        yield message("hello", {"unread": stream.unread, "pages": stream.pages}, mark=stream.since or self._now())
        while not stream.is_ended:
            try:
                await asyncio.wait_for(stream.bell.wait(), BEAT)
            except TimeoutError:
                yield message("beat", {})
                continue
            stream.bell.clear()
            if stream.waiting or stream.mark:
                numbers, is_partial, stream.waiting, stream.is_partial = sorted(stream.waiting), stream.is_partial, set(), False
                content = {"tickets": numbers, "unread": stream.unread, "pages": stream.pages, "is_partial": is_partial}
                yield message("changed", content, mark=stream.mark)
                stream.mark = None
        yield message("bye", {})

    def close(self) -> None:
        """The server ends: good-bye to everybody."""
        self._is_closed = True
        for stream in self._streams:
            stream.end()

    async def _in_thread(self, function: Callable[..., Any], *arguments: Any) -> Any:
        return await asyncio.get_running_loop().run_in_executor(self._thread, function, *arguments)

    async def _read_on(self) -> None:
        while self._streams and not self._is_closed:
            await asyncio.sleep(EVERY)
            await self.look_once()
        self._seen.clear()
        self._events.clear()
        self._last_event = -1
        self._rights.clear()
        self._reader = None  # before anything is awaited: a page that opens from here on starts a reader of its own
        await self._in_thread(connections.close_all)

    async def look_once(self) -> None:
        """Look at the journal once and tell the pages what concerns them."""
        streams = list(self._streams)
        try:
            look: Look = await self._in_thread(self.look, streams)
        except DatabaseError:
            log.warning("Live screens wait: the database does not answer.", exc_info=True)
            await self._in_thread(connections.close_all)
            await asyncio.sleep(2)
            return
        for stream in streams:
            if stream.session_key in look.signed_out:
                stream.end()
            else:
                numbers = look.numbers.get(stream.person, [])
                unread, pages = look.unread.get(stream.person, 0), look.pages.get(stream.person, ())
                stream.tell(numbers, unread, is_partial=look.is_partial, mark=look.at, pages=pages)

    def look(self, streams: list[Stream]) -> Look:
        """Ask the database what is new for these pages; in a thread of its own."""
        now, ticking = self._now(), self._monotonic()
        fresh, is_partial = self._fresh(streams, now)
        for number in self._paged_for():
            fresh.setdefault(number, False)
        persons = {stream.person for stream in streams}
        numbers = {}
        for person in persons if fresh else ():
            actor = self._actor(person, ticking)
            if actor is not None:
                numbers[person] = _concerning(actor, fresh)
        unread, pages = notifications.unread_counts(persons), escalations.alarms(persons)
        return Look(now, numbers, unread, pages, is_partial, self._signed_out(streams, ticking))

    def _fresh(self, streams: list[Stream], now: datetime) -> tuple[dict[int, bool], bool]:
        """Tickets with entries not yet told, each with whether its requester's side sees any of it; and whether there were too
        many to look at them all.

        A page that comes back makes the window as long as it was away; the others are then told some things twice.
        """
        returning = [stream.since for stream in streams if stream.since]
        for stream in streams:
            stream.since = None
        since = min([now - OVERLAP, *returning])
        rows = journal.lately_on_tickets(since, limit=MOST)
        if returning:
            self._seen = {entry: at for entry, at in self._seen.items() if at < min(returning)}
        fresh: dict[int, bool] = {}
        for row in rows:
            if row.entry not in self._seen:
                fresh[row.ticket] = fresh.get(row.ticket, False) or row.is_shown
        self._seen = {entry: at for entry, at in self._seen.items() if at >= now - 2 * OVERLAP}
        self._seen.update((row.entry, row.recorded_at) for row in rows)
        return fresh, len(rows) == MOST and bool(fresh)

    def _paged_for(self) -> set[int]:
        """Tickets whose pages were sent or looked at since the last look; a line may become visible after one with a greater id."""
        if self._last_event < 0:
            self._last_event = beside.newest_event()
            self._events = {pk for pk, _ in beside.tickets_of_events(after=self._last_event - LATE_EVENTS, limit=MOST)}
            return set()
        rows = beside.tickets_of_events(after=self._last_event - LATE_EVENTS, limit=MOST)
        found = {ticket for pk, ticket in rows if pk not in self._events}
        self._last_event = max([self._last_event, *(pk for pk, _ in rows)])
        self._events = {pk for pk, _ in rows}
        return found

    def _actor(self, person: int, ticking: float) -> Actor | None:
        known = self._rights.get(person)
        if known is None or ticking - known.read_at > CHECK_RIGHTS:
            row = people.person(person)
            if row is None:
                self._rights.pop(person, None)
                return None
            known = self._rights[person] = Rights(people.actor_for(row, channel=Channel.DESK), ticking)
        return known.actor

    def _signed_out(self, streams: list[Stream], ticking: float) -> frozenset[str]:
        """The sessions that no longer count; each is looked at every CHECK_SIGN_IN seconds."""
        due: dict[str, list[Stream]] = defaultdict(list)
        for stream in streams:
            if ticking - stream.checked_at >= CHECK_SIGN_IN:
                due[stream.session_key].append(stream)
        ended = set()
        for key, of_session in due.items():
            if signed_in(key) != of_session[0].person:
                ended.add(key)
            for stream in of_session:
                stream.checked_at = ticking
        return frozenset(ended)


def _concerning(actor: Actor, fresh: dict[int, bool]) -> list[int]:
    """Which of these tickets the actor's pages are told of: the requester's side hears of what it sees, not of notes."""
    inside = set(tickets.at_the_desk(actor).filter(pk__in=fresh).values_list("pk", flat=True))
    shown = [number for number, is_shown in fresh.items() if is_shown and number not in inside]
    if shown:
        inside |= set(tickets.own(actor).filter(pk__in=shown).values_list("pk", flat=True))
    return sorted(inside)


def _signed_in_safely(session_key: str) -> int | None:
    try:
        return signed_in(session_key)
    except DatabaseError:
        connections.close_all()
        return None


def _unread_safely(people_ids: list[int]) -> dict[int, int]:
    try:
        return notifications.unread_counts(people_ids)
    except DatabaseError:
        connections.close_all()
        return {}


def _alarms_safely(people_ids: list[int]) -> dict[int, Alarms]:
    try:
        return escalations.alarms(people_ids)
    except DatabaseError:
        connections.close_all()
        return {}


def _session_key(cookies: str) -> str:
    with suppress(CookieError):
        found = SimpleCookie(cookies).get(settings.SESSION_COOKIE_NAME)
        return found.value if found else ""
    return ""


async def _until_gone(proto: Any, stream: Stream) -> None:
    await proto.client_disconnect()
    stream.end()
