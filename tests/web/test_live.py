"""Live screens are told of what the viewer may see, at that moment, and of nothing else (A18, A21)."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.test import Client

from allswell.desk import paging
from allswell.desk import people as people_desk
from allswell.desk import tickets as desk
from allswell.kernel import actor as actors
from allswell.kernel.sealed import row_of
from allswell.oncall.models import Page
from allswell.people.models import Person
from allswell.web import live
from tests.desk.test_paging import dba_policy, down, watch
from tests.support.world import World


class Room:
    """A hub on the world's clock and the pages that are open."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.seconds = 0.0
        self.hub = live.Hub(now=lambda: world.now, monotonic=lambda: self.seconds)
        self.streams: list[live.Stream] = []

    def open(self, person: Person, *, since: datetime | None = None) -> live.Stream:
        client = Client()
        client.force_login(person)
        key = client.session.session_key
        assert key is not None
        assert live.signed_in(key) == person.pk
        stream = live.Stream(key, person.pk, self.seconds, since=since, unread=0)
        self.streams.append(stream)
        return stream

    def wait(self, seconds: float) -> live.Look:
        """Time passes and the journal is looked at once."""
        self.seconds += seconds
        self.world.forward(seconds=seconds)
        return self.hub.look(self.streams)


@pytest.fixture
def room(world: World) -> Room:
    return Room(world)


def test_everybody_hears_of_their_own_tickets_only(world: World, room: Room) -> None:
    for person in (world.maria, world.rolf, world.jonas, world.oskar, world.audrey):
        room.open(person)
    ticket = world.report(world.maria, service=world.lookup.pk)
    told = room.wait(0.5).numbers
    assert {person for person, numbers in told.items() if ticket.pk in numbers} == {
        world.maria.pk,
        world.jonas.pk,
        world.audrey.pk,
    }
    assert not told.get(world.oskar.pk)
    assert not room.wait(0.5).numbers, "told once"


def test_of_the_desks_own_work_a_requester_hears_nothing(world: World, room: Room) -> None:
    ticket = world.report(world.maria, service=world.lookup.pk)
    desk.add_participant(ticket.pk, person=world.rolf.pk, **world.by(world.jonas))
    for person in (world.maria, world.rolf, world.jonas):
        room.open(person)
    room.wait(0.5)

    def heard(act: Callable[..., Any], **what: Any) -> set[int]:
        act(ticket.pk, **what, **world.by(world.jonas))
        return {person for person, numbers in room.wait(0.5).numbers.items() if ticket.pk in numbers}

    desk_only, everybody = {world.jonas.pk}, {world.maria.pk, world.rolf.pk, world.jonas.pk}
    assert heard(desk.note, body="Suspicious") == desk_only
    assert heard(desk.tag, name="fraud") == desk_only
    assert heard(desk.watch) == desk_only
    assert heard(desk.edit, changes={"impact": 1, "urgency": 1}) == desk_only
    assert heard(desk.escalate, reason="Who decides?") == desk_only
    assert heard(desk.edit, changes={"title": "Look-up is slow"}) == everybody
    assert heard(desk.take) == everybody
    assert heard(desk.reply, body="Looking at it") == everybody
    assert heard(desk.add_participant, person=world.priya.pk) == everybody
    assert heard(desk.resolve) == everybody


def test_a_note_and_a_reply_at_once_are_heard(world: World, room: Room) -> None:
    ticket = world.report(world.maria)
    room.open(world.maria)
    room.wait(0.5)
    desk.reply(ticket.pk, body="Looking at it", **world.by(world.jonas))
    desk.note(ticket.pk, body="Suspicious", **world.by(world.jonas))
    assert room.wait(0.5).numbers == {world.maria.pk: [ticket.pk]}
    desk.note(ticket.pk, body="Very", **world.by(world.jonas))
    undone = world.by(world.jonas)
    desk.note(ticket.pk, body="Mistaken", **undone)
    desk.undo(ticket.pk, action=undone["actor"].action, **world.by(world.jonas))
    assert not room.wait(0.5).numbers.get(world.maria.pk)


def test_a_restricted_ticket_is_not_even_a_number(world: World, room: Room) -> None:
    ticket = world.report(world.maria, service=world.ledger.pk)
    room.open(world.julia)
    room.open(world.amir)
    room.wait(0.5)
    desk.restrict(ticket.pk, **world.by(world.olga))
    told = room.wait(0.5).numbers
    assert ticket.pk not in told.get(world.julia.pk, [])
    assert told[world.amir.pk] == [ticket.pk]


def test_rights_taken_away_count_within_seconds(world: World, room: Room) -> None:
    room.open(world.oskar)
    ticket = world.report(world.otto)
    assert room.wait(0.5).numbers == {world.oskar.pk: [ticket.pk]}
    for grant in world.oskar.grants.all():
        people_desk.revoke_role(grant.pk, actor=actors.setup(), now=world.now)
    world.report(world.otto, title="Another one")
    assert not room.wait(live.CHECK_RIGHTS + 1).numbers.get(world.oskar.pk)


def test_a_slow_commit_is_noticed_and_a_page_that_was_away_catches_up(world: World, room: Room) -> None:
    first = room.open(world.jonas)
    before = world.now
    room.wait(5)
    late, world.now = world.now, before + timedelta(seconds=1)
    slow = world.report(world.maria)  # began before the last look, is seen only now
    world.now = late
    assert room.wait(0.5).numbers[world.jonas.pk] == [slow.pk]
    room.wait(120)
    assert first.since is None
    room.open(world.julia, since=before)
    assert room.wait(0.5).numbers[world.julia.pk] == [slow.pk]


def test_a_mark_too_old_or_forged_is_no_mark(world: World) -> None:
    mark = int(world.now.timestamp() * 1_000_000)
    assert live.mark_of(str(mark), world.now) == world.now
    for wrong in ("", "x", "-1", str(mark + 10_000_000), str(mark - 3_600_000_000), "9" * 40):
        assert live.mark_of(wrong, world.now) is None


@pytest.mark.parametrize("how", ["signs out", "is deactivated", "changes the password"])
def test_a_stream_ends_within_a_minute_of_the_session(world: World, room: Room, how: str) -> None:
    stream = room.open(world.jonas)
    assert not room.wait(live.CHECK_SIGN_IN).signed_out
    by = {"actor": actors.setup(), "now": world.now}
    if how == "signs out":
        from django.contrib.sessions.models import Session

        Session.objects.filter(pk=row_of(stream.session_key)).delete()
    elif how == "is deactivated":
        people_desk.deactivate_person(world.jonas.pk, **by)
    else:
        hashed = people_desk.hash_of("another night watch")
        people_desk.set_password(world.jonas.pk, password_hash=hashed, **by)
    assert live.CHECK_SIGN_IN + live.EVERY < 60
    assert room.wait(live.CHECK_SIGN_IN).signed_out == {stream.session_key}


def test_the_page_gets_numbers_once_and_a_good_bye(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live, "_unread_safely", lambda ids: {})
    monkeypatch.setattr(live, "_alarms_safely", lambda ids: {})
    monkeypatch.setattr(live, "BEAT", 0.01)

    async def page() -> list[tuple[str, Any]]:
        hub = live.Hub(now=lambda: world.now)
        stream = live.Stream("key", 1, 0.0)
        heard = []
        async for piece in hub.messages(stream):
            fields = dict(line.split(": ", 1) for line in piece.decode().strip().splitlines())
            heard.append((fields["event"], json.loads(fields["data"])))
            if fields["event"] == "hello":
                stream.tell([7], 2, is_partial=False, mark=world.now)
                stream.tell([9, 7], 2, is_partial=False, mark=world.now)
            if fields["event"] == "beat":
                stream.end()
        return heard

    heard = asyncio.run(page())
    assert heard == [
        ("hello", {"unread": 0, "pages": []}),
        ("changed", {"tickets": [7, 9], "unread": 2, "pages": [], "is_partial": False}),
        ("beat", {}),
        ("bye", {}),
    ]


def test_that_a_page_was_looked_at_is_heard_beside_its_ticket(world: World, room: Room) -> None:
    dba_policy(world)
    ticket = down(world)
    watch(world)
    for person in (world.lena, world.maria):
        room.open(person)
    room.wait(0.5)
    room.wait(0.5)
    assert not room.wait(0.5).numbers
    paging.open_page(Page.objects.get(person=world.amir).pk, **world.by(world.amir))
    told = room.wait(0.5).numbers
    assert told[world.lena.pk] == [ticket.pk]
    assert not told.get(world.maria.pk)
    assert not room.wait(0.5).numbers, "told once"
