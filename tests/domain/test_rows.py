"""Statements composed once say the same as those Django composes each time."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest
from django.db import DatabaseError, IntegrityError, connection, transaction
from django.db.transaction import TransactionManagementError
from django.test.utils import CaptureQueriesContext

from allswell.database.rows import Prepared, PreparedModel, insert, insert_all, insert_columns
from allswell.database.statements import ask, run
from allswell.people.models import EmailAddress, Person, Team
from allswell.services.models import ConfigurationItem
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


def test_a_number_of_a_small_column_finds_its_rows(world: World) -> None:
    ranked = Prepared(lambda level: ConfigurationItem.objects.filter(criticality=level).order_by("pk").values_list("name"))
    assert ranked.rows(1) == [("Ledger database",), ("Account look-up",)]
    assert ranked.rows(70_000) == []


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


def test_words_that_are_always_the_same_are_part_of_the_statement(world: World) -> None:
    proven = Prepared(
        lambda address: (
            EmailAddress.objects.filter(address=address)
            .exclude(proof="claimed")
            .exclude(person__name="it's 100 % 'sure'")
            .values_list("pk")
        )
    )
    assert len(proven.rows("maria@example.org")) == 1
    assert proven.rows("claimed") == []
    ((sql, template, _),) = proven._composed.values()
    assert "'claimed'" in sql
    assert len(template) == sql.count("%s") == 2


def test_rows_of_columns_have_the_defaults_of_what_they_leave_out(world: World) -> None:
    ticket = world.report()
    insert_columns(Watcher, [{"ticket_id": ticket.pk, "person_id": world.jonas.pk, "kind": "x", "since": world.now}])
    assert Watcher.objects.get(ticket=ticket, kind="x").since == world.now
    insert_columns(EmailAddress, [{"person_id": world.maria.pk, "address": "d@example.net", "added_at": world.now}])
    with pytest.raises(TypeError):
        insert_columns(EmailAddress, [{"person_id": world.maria.pk, "adress": "d@example.net", "added_at": world.now}])
    plain = EmailAddress(person=world.maria, address="e@example.net", added_at=world.now)
    insert(plain)
    one, other = (EmailAddress.objects.get(address=address) for address in ("d@example.net", "e@example.net"))
    for field in EmailAddress._meta.concrete_fields:
        if field.attname not in ("id", "address"):
            assert getattr(one, field.attname) == getattr(other, field.attname)


@pytest.mark.parametrize("zone", [UTC, timezone(timedelta(hours=5, minutes=30))])
def test_an_instant_is_the_same_in_whichever_zone_it_was_given(world: World, zone: timezone) -> None:
    at = datetime(2026, 3, 29, 1, 30, 0, 123456, tzinfo=UTC)
    insert(EmailAddress(person=world.maria, address="z@example.net", proof="claimed", added_at=at.astimezone(zone)))
    assert EmailAddress.objects.get(address="z@example.net").added_at == at


def test_a_statement_answers_alike_whether_it_is_watched_or_not(world: World) -> None:
    sql, values = "SELECT name, '%%s' FROM people_person WHERE name LIKE %s AND id = %s", ["Maria%", world.maria.pk]
    found = ask(sql, values)
    assert found == [("Maria Keller", "%s")]
    with CaptureQueriesContext(connection) as caught:
        assert ask(sql, values) == found
        run("UPDATE people_person SET name = name WHERE id = %s", [world.maria.pk])
    assert len(caught) == 2


def test_a_statement_fails_as_any_other(world: World) -> None:
    with pytest.raises(DatabaseError), transaction.atomic():
        ask("SELECT nothing FROM nowhere")
    ticket = world.report()
    with pytest.raises(IntegrityError), transaction.atomic():
        insert(Watcher(ticket=ticket, person_id=world.jonas.pk, since=world.now, kind=None))
    with transaction.atomic():
        transaction.set_rollback(True)
        with pytest.raises(TransactionManagementError):
            ask("SELECT 1")
