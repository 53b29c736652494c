"""What was agreed with one customer is nobody else's business: no page and no operation names it to those of another."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from allswell.calendars.rules import Day
from allswell.desk import agreements, calendars, what_if
from allswell.sla import queries
from allswell.sla.rules.terms import Audience
from tests.support.program import Program
from tests.support.promises import promise, target
from tests.support.world import World
from tests.web.test_who_may import Stage

PAGES = ("/setup/agreements", "/reports", "/reports/attainment", "/desk/calendars", "/tickets/{number}", "/tickets/{number}/why")
CALLS = ("/agreements", "/agreements/{slug}", "/agreements/{slug}/versions", "/tickets/{number}/clocks", "/reports/attainment")


def kestrel(stage: Stage) -> dict[str, object]:
    """An agreement with the bank, another between its teams, and a ticket of the bank that they hold for."""
    world = stage.world
    row = promise(world, target("resolution", 60), name="Kestrel", organization=world.bank)
    internal = target("team_time", 60)
    promise(world, internal, name="Kestrel within", audience=Audience.INTERNAL, team=world.desk_team)
    return {"number": world.report().pk, "slug": row.slug}


@pytest.mark.parametrize("role", ["requester", "colleague", "outsider", "outside_agent"])
def test_no_page_names_what_was_agreed_with_others(stage: Stage, role: str) -> None:
    names = kestrel(stage)
    assert "Kestrel within" in [clock.agreement.name for clock in queries.shown(int(str(names["number"])))]
    client = stage.client(role)
    told = {path: client.get(path.format(**names)) for path in (*PAGES, f"/setup/agreements/{names['slug']}")}
    assert [path for path, answer in told.items() if b"Kestrel" in answer.content] == []
    assert [path for path, answer in told.items() if answer.status_code >= 500] == []


@pytest.mark.parametrize("role", ["requester", "outsider", "outside_agent"])
def test_no_operation_names_what_was_agreed_with_others(stage: Stage, role: str) -> None:
    names = kestrel(stage)
    person = stage.cast[role]
    assert person is not None
    program = Program(stage.world, person)
    told = {path: program.get(path.format(**names)) for path in CALLS}
    assert [path for path, answer in told.items() if b"Kestrel" in answer.content] == []
    assert [path for path, answer in told.items() if answer.status_code >= 500] == []


MARKUP = "<img src=x onerror=alert(1)>\"'&amp;"
SHOWN = (
    *(
        "/setup/agreements",
        "/setup/agreements/new",
        "/setup/agreements/{slug}",
        "/setup/agreements/{slug}/edit",
        "/setup/calendars",
    ),
    *(
        "/setup/agreements/{slug}/what-if",
        "/setup/what-ifs/{job}",
        "/setup/calendars/{calendar}",
        "/calendars/",
        "/calendars/{calendar}",
    ),
    *(
        "/calendars/{calendar}?start=2026-11-23T09:00&amount=8",
        "/reports",
        "/tickets/{number}",
        "/tickets/{number}/why",
        "/desk/all",
    ),
    *(f"/reports/attainment?by={cut}" for cut in ("agreement", "service", "team", "organization")),
    *(f"/reports/attainment/{part}" for part in ("rows?part=open", "csv", "csv?part=open")),
    "/reports/teams?by=team",
)


def test_A1_A2_markup_in_names_of_what_is_promised_is_shown_and_never_run(world: World, browser: Any) -> None:
    for row in (world.bank, world.branch, world.desk_team, world.lookup):
        row.name = MARKUP
        row.save()
    by = world.by(world.ada)
    week = calendars.Hours([((0, 1440),)] * 7, days={"12-25": Day(MARKUP)})
    calendar = calendars.create_calendar(name=MARKUP, zone="UTC", hours=week, note=MARKUP, **by).slug
    within = {"counting": "working", "amount": 60, "calendar": calendar}
    definition = {"zone": "UTC", "targets": [{"metric": "resolution", "within": within}], "services": [world.lookup.pk]}
    row = agreements.create(name=MARKUP, organization=world.bank.pk, definition=definition, note=MARKUP, **by)
    number = world.report(service=world.lookup.slug).pk
    world.forward(hours=5)
    asked = what_if.Question(definition, world.now - timedelta(days=1), world.now, name=MARKUP)
    job = what_if.ask(asked, **world.by(world.ada)).pk
    for role in ("agent", "lead"):
        world._grant(world.ada, role)
    ada = browser(world.ada)
    said = 0
    for path in SHOWN:
        answer = ada.get(path.format(slug=row.slug, calendar=calendar, number=number, job=job))
        words = (b"".join(answer.streaming_content) if answer.streaming else answer.content).decode()
        assert answer.status_code == 200, path
        if "csv" not in path:
            assert "<img src=x" not in words, path
            said += "&lt;img src=x" in words
        else:
            assert answer.headers["Content-Disposition"].startswith("attachment")
    assert said > len(SHOWN) / 2
