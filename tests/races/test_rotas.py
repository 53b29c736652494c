"""Several at once at one rota: each edit counts, or is told; two engines write no shift twice."""

from __future__ import annotations

from datetime import timedelta
from itertools import pairwise

import pytest
from django.db import connection

from allswell.desk import covering, rotas, shifts, watch
from allswell.kernel.actor import engine
from allswell.kernel.errors import Stale
from allswell.notifications.models import Delivery
from allswell.oncall.models import Override, Rota, RotaVersion, Shift
from allswell.oncall.rules import Definition
from tests.desk.test_rotas import DAY, dbas, week
from tests.races.test_two_at_once import together
from tests.support.world import START, World

pytestmark = [
    pytest.mark.postgres,
    pytest.mark.skipif(connection.vendor != "postgresql", reason="the tests' SQLite database is one connection's memory"),
    pytest.mark.django_db(transaction=True),
]


@pytest.fixture
def world(transactional_db: None) -> World:
    return World()


def whole() -> None:
    """The shifts are those of the rota as it is now, and leave no hole."""
    row = Rota.objects.get()
    found = list(Shift.objects.filter(rota=row).order_by("starts_at"))
    assert all(one.ends_at == other.starts_at for one, other in pairwise(found))
    assert found[-1].ends_at == row.planned_until


def test_of_two_edits_at_once_one_counts_and_the_other_is_told(world: World) -> None:
    row = dbas(world)
    by = world.by(world.lena)

    def change(*people: object) -> str:
        try:
            rotas.change_rota(row.pk, definition=Definition("UTC", (week(*people),)), seen=1, **by)  # type: ignore[arg-type]
        except Stale:
            return "stale"
        return "done"

    answers = together(lambda: change(world.priya), lambda: change(world.lena), lambda: change(world.priya, world.amir))
    assert sorted(answers) == ["done", "stale", "stale"]
    newest = RotaVersion.objects.get(number=2)
    whole()
    people = set(Shift.objects.filter(starts_at__gte=START + DAY).values_list("person", flat=True))
    assert people == set(newest.definition["layers"][0]["people"])


def test_overrides_leave_and_an_edit_at_once_all_count(world: World) -> None:
    row = dbas(world, week(world.amir, world.priya, world.lena))
    lena, priya = world.by(world.lena), world.by(world.priya)
    span = {"level": 1, "starts_at": START + DAY, "ends_at": START + 2 * DAY}

    def edit() -> str:
        rotas.change_rota(row.pk, definition=Definition("UTC", (week(world.priya, world.amir, world.lena),)), **lena)
        return "done"

    def override() -> str:
        shifts.add_override(row.pk, **span, person=world.lena.pk, **lena)
        return "done"

    def leave() -> str:
        shifts.add_leave(person=world.priya.pk, starts_at=START + 3 * DAY, ends_at=START + 5 * DAY, **priya)
        return "done"

    assert together(edit, override, leave) == ["done"] * 3
    whole()
    assert Shift.objects.get(starts_at=START + DAY).person == world.lena
    assert not Shift.objects.filter(person=world.priya, starts_at__lt=START + 5 * DAY, ends_at__gt=START + 3 * DAY).exists()


def test_of_two_who_accept_one_is_on_call(world: World) -> None:
    row = dbas(world, week(world.amir, world.priya, world.lena))
    asked = covering.ask_cover(row.pk, level=1, starts_at=START + DAY, ends_at=START + 2 * DAY, **world.by(world.amir))
    lena, priya = world.by(world.lena), world.by(world.priya)

    def accept(by: dict[str, object]) -> str:
        try:
            covering.accept_request(asked.pk, **by)  # type: ignore[arg-type]
        except Exception as error:
            return type(error).__name__
        return "done"

    answers = together(lambda: accept(lena), lambda: accept(priya))
    assert answers.count("done") == 1
    assert Override.objects.count() == 1
    whole()


def test_two_engines_write_ahead_and_tell_each_once(world: World) -> None:
    dbas(world)
    Delivery.objects.all().delete()
    now = world.forward(days=6, hours=23, minutes=30)

    def tick() -> str:
        watch.extend(actor=engine(), now=now)
        watch.tell_starts(limit=50, actor=engine(), now=now)
        return "done"

    assert together(tick, tick, tick) == ["done"] * 3
    whole()
    assert Rota.objects.get().planned_until >= now + timedelta(weeks=13) - DAY
    assert Delivery.objects.filter(topic="shift_starts", channel="app").count() == 1
