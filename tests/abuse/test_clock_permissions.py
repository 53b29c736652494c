"""Agreements, calendars, clocks and reports by whom they are not for: another part's administrator, narrow tokens, hidden tickets."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from allswell.desk import agreements, calendars, report_mails, reports, tickets, what_if
from allswell.engine.clocks import Clocks
from allswell.jobs.models import Job
from allswell.journal.models import Entry
from allswell.kernel.actor import engine
from allswell.kernel.errors import Invalid, NotAllowed, NotFound
from allswell.notifications.models import Delivery
from allswell.people.models import Membership, RoleGrant
from allswell.reporting import telling
from allswell.sla.models import Agreement, AgreementVersion, Clock, Revision
from allswell.sla.rules.terms import Audience
from allswell.tickets.models import Ticket
from allswell.tickets.rules import WaitingOn
from tests.abuse.test_reading import seen
from tests.support.program import Program
from tests.support.promises import promise, target
from tests.support.world import World
from tests.web.test_who_may import Stage, taken_back

TERMS: dict[str, Any] = {"zone": "UTC", "targets": [target("resolution", 60)]}
TEAM_TERMS: dict[str, Any] = {"zone": "UTC", "targets": [target("team_time", 60)]}


def written() -> tuple[Any, ...]:
    """All that agreements and calendars are made of."""
    return (
        list(Agreement.objects.order_by("pk").values()),
        list(AgreementVersion.objects.order_by("pk").values()),
        Job.objects.count(),
        Entry.objects.count(),
        list(Revision.objects.values()),
    )


ATTEMPTS: dict[str, Callable[[World, dict[str, str], dict[str, Any]], Any]] = {
    "for everyone": lambda world, slugs, by: agreements.create(name="Mine", definition=TERMS, **by),
    "for the one above": lambda world, slugs, by: agreements.create(name="Mine", organization=world.bank.pk, **by),
    "for another": lambda world, slugs, by: agreements.create(name="Mine", organization=world.other.slug, **by),
    "for a team of all": lambda world, slugs, by: agreements.create(
        name="Mine", audience=Audience.INTERNAL, team=world.dba_team.pk, definition=TEAM_TERMS, **by
    ),
    "for a team outside": lambda world, slugs, by: agreements.create(
        name="Mine", audience=Audience.INTERNAL, organization=world.branch.pk, team=world.other_team.pk, **by
    ),
    "with a service outside": lambda world, slugs, by: agreements.create(
        name="Mine", organization=world.branch.pk, definition={**TERMS, "services": [world.printing.pk]}, **by
    ),
    "one's own for everyone": lambda world, slugs, by: agreements.change(slugs["own"], organization=None, **by),
    "one's own for another": lambda world, slugs, by: agreements.change(slugs["own"], organization=world.other.pk, **by),
    "one's own for the one above": lambda world, slugs, by: agreements.change(slugs["own"], organization="northbank", **by),
    **{
        f"{what} of {whose}": lambda world, slugs, by, whose=whose, do=do: do(slugs[whose], by)
        for whose in ("all", "above", "other", "team")
        for what, do in {
            "the name": lambda slug, by: agreements.change(slug, name="Mine", **by),
            "the reach": lambda slug, by: agreements.change(slug, team=None, organization=None, **by),
            "the words": lambda slug, by: agreements.agree(slug, definition=TERMS, **by),
            "the use": lambda slug, by: agreements.set_active(slug, is_active=False, **by),
            "the place": lambda slug, by: agreements.move(slug, by=-1, **by),
        }.items()
    },
    "the place of one's own": lambda world, slugs, by: agreements.move(slugs["own"], by=-5, **by),
    "the order": lambda world, slugs, by: agreements.reorder(list(slugs.values()), **by),
    "a calendar": lambda world, slugs, by: calendars.create_calendar(
        name="Mine", zone="UTC", hours=calendars.Hours([((0, 60),)] * 7), **by
    ),
    "the hours of all": lambda world, slugs, by: calendars.change_calendar(
        "hours", hours=calendars.Hours([((0, 60),)] * 7), **by
    ),
    "the name of a calendar": lambda world, slugs, by: calendars.rename_calendar("hours", name="Mine", **by),
    "a calendar out of use": lambda world, slugs, by: calendars.deactivate_calendar("hours", **by),
    **{
        f"what if, {whom}": lambda world, slugs, by, whom=whom: what_if.ask(
            what_if.Question(TERMS, world.now - timedelta(days=1), world.now, organization=whom), **by
        )
        for whom in (None, "northbank", "othertown")
    },
}


@pytest.mark.parametrize("attempt", ATTEMPTS)
def test_A16_an_administrator_of_a_part_changes_what_is_promised_there_alone(world: World, attempt: str) -> None:
    bruno = world._person("Bruno Branch", world.branch)
    world._grant(bruno, "administrator", organization=world.branch)
    world.printing.organization = world.other
    world.printing.save()
    slugs = {
        "own": promise(world, name="Own", organization=world.branch).slug,
        "all": promise(world, name="All").slug,
        "above": promise(world, name="Above", organization=world.bank).slug,
        "other": promise(world, name="Other", organization=world.other).slug,
        "team": promise(world, target("team_time", 60), name="Team", audience=Audience.INTERNAL, team=world.dba_team).slug,
    }
    calendars.create_calendar(name="Hours", zone="UTC", hours=calendars.Hours([((540, 1020),)] * 7), **world.by(world.ada))
    world.report()
    before = written()
    with taken_back(), pytest.raises((NotAllowed, NotFound, Invalid)):
        ATTEMPTS[attempt](world, slugs, world.by(bruno))
    assert written() == before


SCOPES: dict[str, tuple[str, ...]] = {
    "tickets:read": ("clocks", "reports", "rows"),
    "tickets:write": ("clocks", "reports", "rows"),
    "people:write": (),
    "services:read": ("agreements", "agreement", "calendars", "calendar", "due", "what-if"),
    "webhooks:write": (),
}
WRITES: tuple[tuple[str, str, dict[str, Any]], ...] = (
    ("POST", "/agreements", {"name": "Mine"}),
    ("PATCH", "/agreements/{slug}", {"name": "Mine"}),
    ("POST", "/agreements/{slug}/versions", {"definition": TERMS}),
    ("POST", "/agreements/{slug}/deactivate", {}),
    ("POST", "/agreements/order", {"order": []}),
    ("POST", "/calendars", {"name": "Mine", "zone": "UTC", "week": [["00:00-24:00"]] * 7}),
    ("POST", "/calendars/hours/deactivate", {}),
)


@pytest.mark.parametrize("scope", SCOPES)
def test_A20_a_narrow_token_reads_its_part_and_agrees_on_nothing(world: World, scope: str) -> None:
    row = promise(world)
    calendars.create_calendar(name="Hours", zone="UTC", hours=calendars.Hours([((540, 1020),)] * 7), **world.by(world.ada))
    ticket = world.report()
    job = what_if.ask(what_if.Question(TERMS, world.now - timedelta(days=1), world.now), **world.by(world.ada))
    world._grant(world.ada, "agent")
    program = Program(world, world.ada, scope)
    paths = {
        "clocks": f"/tickets/{ticket.pk}/clocks",
        "reports": "/reports",
        "rows": "/reports/attainment/rows",
        "agreements": "/agreements",
        "agreement": f"/agreements/{row.slug}",
        "calendars": "/calendars",
        "calendar": "/calendars/hours",
        "due": "/calendars/hours/due?start=2026-11-23T09:00:00Z&minutes=60",
        "what-if": f"/what-ifs/{job.pk}",
    }
    assert {name for name, path in paths.items() if program.get(path).status_code == 200} == set(SCOPES[scope])
    before = written()
    answers = [program.call(method, path.format(slug=row.slug), content) for method, path, content in WRITES]
    assert {answer.status_code for answer in answers} == {403}
    assert written() == before


def late_and_hidden(world: World) -> Ticket:
    """A restricted ticket with everything a report counts: late clocks, hops, waiting, times."""
    ticket = world.report(title="Kestrel", service=world.printing.slug, impact=1, urgency=1)
    desk = {"number": ticket.pk}
    tickets.take(**desk, **world.by(world.jonas))
    tickets.restrict(**desk, **world.by(world.jonas))
    world.forward(minutes=90)
    tickets.reply(**desk, body="Kestrel", **world.by(world.jonas))
    tickets.wait(**desk, on=WaitingOn.SUPPLIER, **world.by(world.jonas))
    world.forward(hours=10)
    tickets.resume(**desk, **world.by(world.jonas))
    tickets.resolve(**desk, **world.by(world.jonas))
    return ticket


REPORTS = tuple(telling.KINDS)
PARTS = {name: [kind.columns[0].key, kind.columns[-1].key] for name, kind in telling.KINDS.items()}


@pytest.mark.parametrize("role", ["lead", "outside_agent"])
def test_A25_a_hidden_ticket_changes_no_number_of_any_report(stage: Stage, role: str) -> None:
    """Pages, rows, CSV, the API and what is mailed are the same with and without it."""
    world, person = stage.world, stage.cast[role]
    assert person is not None
    promise(world, target("first_response", 60), target("resolution", 120), name="Northbank", organization=world.bank)
    promise(world, target("team_time", 30), name="Hops", audience=Audience.INTERNAL)

    def told() -> dict[str, Any]:
        reports.count_stretches(limit=1000, actor=engine(), now=world.now)
        client, program = stage.client(role), Program(world, person)
        paths = ["/reports", *(f"/reports/{name}/card" for name in REPORTS), "/setup/agreements", "/calendars/"]
        calls = []
        for name in REPORTS:
            paths += [f"/reports/{name}?by={cut}" for cut in telling.KINDS[name].cuts if cut in ("month", "team", "organization")]
            paths += [f"/reports/{name}/csv", *(f"/reports/{name}/rows?part={part}" for part in PARTS[name])]
            calls += [f"/reports/{name}", *(f"/reports/{name}/rows?part={part}" for part in PARTS[name])]
        found = {path: seen(client.get(path)) for path in paths} | {path: seen(program.get(path)) for path in calls}
        actor = world.actor(person)
        for name in REPORTS:
            content = {"report": name, "asked": {}, "from": "2026-11-01", "to": "2026-11-30"}
            found[f"mail {name}"] = (200, str(report_mails.written(content, actor=actor, now=world.now)))
        return found

    start = world.now
    world.now = start + timedelta(hours=12)
    before = told()
    world.now = start
    late_and_hidden(world)
    world.now = start + timedelta(hours=12)
    after = told()
    assert Clock.objects.filter(breached_at__isnull=False).exists()
    assert [path for path in before if before[path] != after[path]] == []


@pytest.mark.parametrize("is_late", [False, True])
def test_A25_who_may_not_see_a_ticket_does_not_hear_that_it_is_late(world: World, is_late: bool) -> None:
    """Neither the notice of a breach nor the one about what passed goes to a lead of another team, or to who left."""
    promise(world, target("resolution", 60, warn={"share": 0.5}))
    ticket = world.report(title="Kestrel")
    by = world.by(world.jonas)
    tickets.restrict(ticket.pk, **by)
    Membership.objects.filter(person=world.julia).delete()
    RoleGrant.objects.filter(person=world.lena, team=world.desk_team).delete()
    Delivery.objects.all().delete()
    world.forward(hours=5 if is_late else 1, microseconds=1)
    Clocks(now=lambda: world.now).tick(world.now)
    assert set(Delivery.objects.values_list("person__name", flat=True)) == {"Jonas Berg"}


@pytest.mark.parametrize("role", ["administrator", "branch_administrator"])
def test_A25_agreeing_names_no_ticket_one_may_not_see(stage: Stage, role: str) -> None:
    world, person = stage.world, stage.cast[role]
    assert person is not None
    slug = stage.values["by_place"]["agreements"]["slug"]
    hidden = world.report(title="Kestrel", service=world.printing.slug)
    tickets.take(hidden.pk, **world.by(world.jonas))
    tickets.restrict(hidden.pk, **world.by(world.jonas))
    answer = Program(world, person).post(
        f"/agreements/{slug}/versions", definition=TERMS, in_force_from=(world.now - timedelta(days=1)).isoformat()
    )
    assert answer.status_code == 201
    assert answer.json()["touched"] > 0
    assert hidden.pk not in answer.json()["numbers"]
