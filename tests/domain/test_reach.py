"""How people are reached, as the database keeps it."""

from __future__ import annotations

from django.db import connection
from django.test.utils import CaptureQueriesContext

from allswell.notifications import operations, queries, rules
from allswell.notifications.rules import ContactKind, Urgency
from tests.support.world import World


def _add(world: World, person: int, kind: ContactKind, address: str, *, is_verified: bool = True) -> int:
    row = operations.create_contact(
        person=person, team=None, kind=kind, address=address, shown="…", label="", flavor="", now=world.now
    )
    if is_verified:
        operations.note_contact_verified(row.pk, now=world.now)
    return row.pk


def test_everybody_is_asked_about_in_four_statements(world: World) -> None:
    cast = [person.pk for person in (world.jonas, world.julia, world.amir, world.priya, world.lena, world.olga, world.ada)]
    for person in cast:
        sms = _add(world, person, ContactKind.SMS, "+4915112345678")
        operations.write_rules(person, Urgency.URGENT, [(None, 0), (sms, 60)])
    with CaptureQueriesContext(
        connection,
    ) as asked:
        found = queries.reachable([*cast, 10**9])
    assert len(asked) <= 4
    assert set(found) == set(cast)
    assert all(reach.kinds == {ContactKind.EMAIL, ContactKind.SMS} for reach in found.values())


def test_rules_quiet_hours_and_zone_come_along(world: World) -> None:
    world.jonas.time_zone = "Europe/Zurich"
    world.jonas.save()
    sms = _add(world, world.jonas.pk, ContactKind.SMS, "+4915112345678")
    call = _add(world, world.jonas.pk, ContactKind.VOICE, "+4915112345678", is_verified=False)
    operations.write_rules(world.jonas.pk, Urgency.URGENT, [(sms, 0), (None, 30), (call, 60)])
    operations.write_quiet_hours(world.jonas.pk, rules.Quiet(1320, 420))
    reach = queries.reachable([world.jonas.pk])[world.jonas.pk]
    assert (reach.zone, reach.quiet) == ("Europe/Zurich", rules.Quiet(1320, 420))
    assert [(row.channel, row.contact) for row in reach.plan(Urgency.URGENT, world.now)] == [
        ("desk", None), ("sms", sms), ("email", None),
    ]  # fmt: skip


def test_what_is_removed_is_gone_with_its_rules_and_its_address(world: World) -> None:
    sms = _add(world, world.jonas.pk, ContactKind.SMS, "+4915112345678")
    assert queries.ways([sms]) == {sms: ("sms", "+4915112345678", "")}
    waiting = _add(world, world.julia.pk, ContactKind.SMS, "+4915112345678", is_verified=False)
    assert queries.ways([waiting]) == {}
    assert queries.contacts_by_number("+4915112345678") == [(sms, world.jonas.pk)]
    operations.write_rules(world.jonas.pk, Urgency.URGENT, [(sms, 0)])
    assert operations.remove_contact(sms, now=world.now)
    assert not operations.remove_contact(sms, now=world.now)
    assert queries.ways([sms]) == {}
    assert queries.contacts_by_number("+4915112345678") == []
    reach = queries.reachable([world.jonas.pk])[world.jonas.pk]
    assert reach.rules == ()
    assert reach.kinds == {ContactKind.EMAIL}
