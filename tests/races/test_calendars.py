"""Two administrators change one calendar at the same moment."""

from __future__ import annotations

from datetime import date

import pytest
from django.db import connection

from allswell.calendars import queries
from allswell.calendars.models import Calendar, CalendarVersion
from allswell.desk import calendars as desk
from allswell.kernel.errors import Stale
from tests.races.test_two_at_once import together
from tests.support.world import World

pytestmark = [
    pytest.mark.postgres,
    pytest.mark.skipif(connection.vendor != "postgresql", reason="the tests' SQLite database is one connection's memory"),
    pytest.mark.django_db(transaction=True),
]


@pytest.fixture
def world(transactional_db: None) -> World:
    return World()


def test_of_two_changes_at_once_each_is_a_version_or_is_told(world: World) -> None:
    hours = desk.Hours([((540, 1020),)] * 7)
    row = desk.create_calendar(name="Office hours", zone="UTC", hours=hours, effective_on=date(2026, 1, 1), **world.by(world.ada))
    by = world.by(world.ada)

    def change(opens: int) -> str:
        try:
            desk.change_calendar(row.pk, hours=desk.Hours([((opens, 1020),)] * 7), **by)
        except Stale:
            return "stale"
        return "done"

    answers = together(*(lambda opens=opens: change(opens) for opens in (480, 490, 500, 510)))  # type: ignore[misc]
    numbers = sorted(CalendarVersion.objects.values_list("number", flat=True))
    assert numbers == list(range(1, 2 + answers.count("done")))
    assert Calendar.objects.get().number == numbers[-1]
    known = queries.by_slug("office-hours")
    assert known is not None
    assert known.number == numbers[-1]
