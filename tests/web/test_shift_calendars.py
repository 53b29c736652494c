"""Calendar programs read shifts at a secret address, until it is ended."""

from __future__ import annotations

import logging
from datetime import date
from typing import Any

import icalendar
import pytest
from django.test import Client

from allswell.desk import rotas, shift_calendars, shifts
from allswell.desk.rates import Rate
from allswell.kernel import clock
from allswell.oncall import queries
from allswell.oncall.models import CalendarLink, Rota
from allswell.oncall.rules import Definition, Layer
from allswell.people.models import RoleGrant
from allswell.web import shift_calendars as page
from tests.support.world import World


@pytest.fixture
def rota(world: World, monkeypatch: pytest.MonkeyPatch) -> Rota:
    monkeypatch.setattr(clock, "now", lambda: world.now)
    monkeypatch.setattr(page, "readings", Rate())
    layer = Layer(key=1, name="First", people=(world.amir.pk, world.priya.pk), first_on=date(2026, 11, 23))
    definition = Definition("Europe/Zurich", (layer,))
    return rotas.create_rota(name="Databases, all; of them", team="databases", definition=definition, **world.by(world.lena))


def read(secret: str) -> Any:
    return Client().get(f"/shifts/{secret}.ics")


def events(answer: Any) -> list[Any]:
    assert answer.status_code == 200
    assert answer.headers["Content-Type"] == "text/calendar; charset=utf-8"
    assert all(len(line) <= 75 for line in answer.content.split(b"\r\n"))
    return list(icalendar.Calendar.from_ical(answer.content).walk("VEVENT"))


def test_amir_reads_his_shifts(world: World, rota: Rota) -> None:
    link, secret = shifts.make_calendar_link(**world.by(world.amir))
    found = events(read(secret))
    assert len(found) == 7
    # Mondays at 09:00 in Zurich: in winter 08:00 in UTC; the first runs since he was put on call
    assert [event["DTSTART"].dt for event in found] == [
        shift.starts_at for shift in queries.shifts_of(world.amir.pk, since=world.now, until=rota.planned_until)
    ]
    assert str(found[1]["SUMMARY"]) == "On call: Databases, all; of them, level 1"
    again = events(read(secret))
    assert [str(event["UID"]) for event in again] == [str(event["UID"]) for event in found]
    assert len({str(event["UID"]) for event in found}) == len(found)
    link.refresh_from_db()
    assert link.last_read_at == world.now
    assert secret not in CalendarLink.objects.values_list("digest", flat=True)


def test_a_rota_names_who_is_on_call(world: World, rota: Rota) -> None:
    _, secret = shifts.make_calendar_link(rota=rota.pk, **world.by(world.jonas))
    found = events(read(secret))
    assert str(found[0]["SUMMARY"]) == "Amir Haddad: Databases, all; of them, level 1"
    assert len(found) == 13
    RoleGrant.objects.filter(person=world.jonas).delete()
    assert read(secret).status_code == 404  # he may not know it any more


def test_an_ended_address_leads_nowhere(world: World, rota: Rota) -> None:
    link, secret = shifts.make_calendar_link(**world.by(world.amir))
    shifts.revoke_calendar_link(link.pk, **world.by(world.amir))
    wrong = read("x" * 43)
    assert (read(secret).status_code, read(secret).content) == (404, wrong.content)
    assert read("é" * 43).status_code == read("x" * 200).status_code == 404
    assert Client().post(f"/shifts/{secret}.ics").status_code == 405


def test_it_is_not_read_without_end(world: World, rota: Rota, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clock, "monotonic", lambda: 0.0)
    _, secret = shifts.make_calendar_link(**world.by(world.amir))
    assert {read(secret).status_code for _ in range(page.PER_MINUTE)} == {200}
    late = read(secret)
    assert (late.status_code, late.headers["Retry-After"]) == (429, "3")


def test_no_log_holds_the_secret(
    world: World, rota: Rota, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    link, secret = shifts.make_calendar_link(**world.by(world.amir))

    def broken(*args: Any, **more: Any) -> str:
        raise RuntimeError(secret)

    with monkeypatch.context() as patched:
        patched.setattr(shift_calendars, "document", broken)
        assert read(secret).status_code == 500
    shifts.revoke_calendar_link(link.pk, **world.by(world.amir))
    assert read(secret).status_code == 404
    assert secret not in caplog.text
    assert "RuntimeError" in caplog.text
