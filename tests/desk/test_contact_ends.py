"""A receiver that wants nothing any more is left alone, the next way begins, and the journal says so."""

from __future__ import annotations

import pytest

from allswell.desk import contact_ends
from allswell.journal.models import Entry
from allswell.kernel.actor import engine
from allswell.notifications import queries
from allswell.notifications.rules import Answer, ContactKind, Outcome
from tests.desk.test_page_sending import answer, phone, send
from tests.desk.test_paging import dba_policy, down, watch
from tests.support.world import World

pytestmark = pytest.mark.django_db


def test_a_number_that_asked_for_silence_is_paged_no_more(world: World) -> None:
    dba_policy(world)
    number = phone(world, world.amir)
    down(world)
    watch(world)
    send(world)
    world.forward(seconds=60)
    assert len(send(world, answer(world, Outcome.FAILED, is_gone=True))) == 1
    number.refresh_from_db()
    assert (number.verified_at, number.failing_since) == (None, world.now)
    assert ContactKind.SMS not in queries.reachable([world.amir.pk])[world.amir.pk].kinds
    (entry,) = Entry.objects.filter(about_kind="contact_method", about_id=number.pk)
    assert entry.data == {"is_verified": False, "reason": "gone"}
    assert number.address not in str(entry.data)


def test_what_merely_failed_stays_a_way(world: World) -> None:
    number = phone(world, world.amir)
    failed = Answer(Outcome.FAILED, world.now, world.now)
    assert not contact_ends.switch_off(number.pk, failed, actor=engine(), now=world.now)
    gone = Answer(Outcome.FAILED, world.now, world.now, is_gone=True)
    assert not contact_ends.switch_off(None, gone, actor=engine(), now=world.now)
    number.refresh_from_db()
    assert number.verified_at == world.now
