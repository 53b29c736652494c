"""Statements composed once say the same as those Django composes each time."""

from __future__ import annotations

import pytest

from allswell.database.rows import Prepared, PreparedModel, insert, insert_all
from allswell.people.models import EmailAddress, Person, Team
from allswell.tickets.models import Ticket, Watcher
from tests.support.world import World


def test_a_prepared_query_reads_what_the_query_reads(world: World) -> None:
    ticket = world.report(title="50 % of logins fail")
    columns = ("pk", "title", "opened_at", "is_major", "custom", "requester__name", "closed_at")
    by_number = Prepared(lambda number: Ticket.objects.filter(pk=number).values_list(*columns))
    for number in (ticket.pk, 0):
        assert by_number.rows(number) == list(Ticket.objects.filter(pk=number).values_list(*columns))


def test_any_number_of_parameters_and_kinds(world: World) -> None:
    named = Prepared(lambda name, *ids: Person.objects.filter(name=name, pk__in=ids).order_by("pk").values_list("pk"))
    ids = [world.maria.pk, world.rolf.pk, world.jonas.pk]
    assert named.rows("Rolf Meier", *ids) == [(world.rolf.pk,)]
    assert named.rows("Rolf Meier", world.maria.pk) == []


def test_a_prepared_record_is_a_record(world: World) -> None:
    by_name = PreparedModel(Person, lambda name: Person.objects.filter(name=name))
    person = by_name.record("Maria Keller")
    assert person == world.maria
    assert person.created_at == world.maria.created_at
    assert by_name.record("Nobody") is None


def test_a_parameter_that_gets_lost_is_found_out(world: World) -> None:
    lost = Prepared(lambda number: Team.objects.filter(pk=1).values_list("pk"))
    with pytest.raises(TypeError):
        lost.rows(5)


def test_an_inserted_row_is_what_was_given(world: World) -> None:
    address = EmailAddress(person=world.maria, address="m@example.net", proof="claimed", added_at=world.now)
    insert(address)
    again = EmailAddress.objects.get(pk=address.pk)
    assert (again.address, again.added_at, again.confirmed_at) == ("m@example.net", world.now, None)
    address.address = "n@example.net"
    address.save()
    assert EmailAddress.objects.get(pk=address.pk).address == "n@example.net"


def test_many_rows_at_once(world: World) -> None:
    ticket = world.report()
    insert_all(Watcher(ticket=ticket, person_id=world.jonas.pk, kind=f"kind{n}", since=world.now) for n in range(300))
    insert_all([])
    assert Watcher.objects.filter(ticket=ticket).count() == 300
