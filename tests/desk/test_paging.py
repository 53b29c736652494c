"""An incident pages: who is called when, what an answer promises, and when it is over."""

from __future__ import annotations

import uuid
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from allswell.desk import calling, paging, policies
from allswell.desk import people as desk_people
from allswell.desk import tickets as desk
from allswell.journal.models import Entry
from allswell.journal.rules import Verb
from allswell.kernel.actor import engine
from allswell.kernel.errors import Conflict, Invalid, NotAllowed, NotFound
from allswell.oncall.models import Escalation, EscalationPolicy, Page, PageDelivery, PageEvent
from allswell.oncall.queries import escalations
from allswell.oncall.rules.policies import Policy
from allswell.tickets.models import Ticket
from tests.desk.test_rotas import dbas, week
from tests.support.world import World

MINUTES = timedelta(minutes=1)


def steps_of(*targets: dict[str, Any], wait: int = 300) -> list[dict[str, Any]]:
    return [{"targets": [target], "wait": wait} for target in targets]


def dba_policy(world: World, **more: Any) -> EscalationPolicy:
    """Who is on call for the databases, then the second level, then the lead; what the team's tickets follow."""
    rota = dbas(world, week(world.amir), week(world.priya, level=2))
    definition = {
        "steps": steps_of(
            {"kind": "rota", "rota": rota.pk, "level": 1},
            {"kind": "rota", "rota": rota.pk, "level": 2},
            {"kind": "lead", "team": world.dba_team.pk},
        ),
        "repeat": 1,
        "promise": 1800,
        **more,
    }
    row = policies.create_policy(name="Databases", team="databases", definition=definition, **world.by(world.lena))
    policies.use_for_team("databases", policy=row.pk, **world.by(world.lena))
    return row


def watch(world: World) -> list[str]:
    """Let the engine look; who was called since the last look, by name."""
    last = Page.objects.order_by("-pk").values_list("pk", flat=True).first() or 0
    calling.take_steps(limit=50, actor=engine(), now=world.now)
    return list(Page.objects.filter(pk__gt=last).order_by("pk").values_list("person__name", flat=True))


def down(world: World, **more: Any) -> Ticket:
    """The databases are down for everybody, and their team has it."""
    values = {"team": world.dba_team.pk, "impact": 1, "urgency": 1, **more}
    return world.report(world.jonas, title="Databases are down", **values)


def run(ticket: Ticket) -> Escalation:
    row = escalations.runs_of(ticket.pk).first()
    assert row is not None
    return row


def verbs(ticket: Ticket) -> list[str]:
    return [entry.verb for entry in Entry.objects.filter(ticket=ticket.pk).order_by("pk") if entry.verb.startswith("paging.")]


def test_the_first_does_not_answer_the_second_does(world: World) -> None:
    dba_policy(world)
    ticket = down(world)
    assert watch(world) == ["Amir Haddad"]
    world.forward(minutes=4)
    assert watch(world) == []
    world.forward(minutes=1)
    assert watch(world) == ["Priya Nair"]
    page = Page.objects.get(person=world.priya)
    world.forward(minutes=1)
    paging.answer_page(page.pk, by="link", **world.by(world.priya))
    row = run(ticket)
    assert (row.state, row.acknowledged_by, row.next_step_at) == ("acknowledged", world.priya, world.now + 30 * MINUTES)
    ticket.refresh_from_db()
    assert (ticket.assignee, ticket.state) == (world.priya, "in_progress")
    assert ticket.acknowledged_at == world.now
    assert not PageDelivery.objects.filter(settled_at=None).exists()
    world.forward(minutes=20)
    assert watch(world) == []
    assert verbs(ticket) == ["paging.started", "paging.paged", "paging.paged", "paging.acknowledged"]


def test_nobody_answers_and_the_lead_hears_of_it(world: World) -> None:
    dba_policy(world)
    ticket = down(world)
    called = []
    for _ in range(60):
        called += watch(world)
        world.forward(minutes=1)
    assert called == ["Amir Haddad", "Priya Nair", "Lena Frei"] * 2
    assert (run(ticket).state, run(ticket).next_step_at) == ("exhausted", None)
    assert verbs(ticket)[-1] == "paging.exhausted"


def test_a_promise_without_a_word_calls_again_at_the_same_step(world: World) -> None:
    dba_policy(world)
    ticket = down(world)
    watch(world)
    paging.acknowledge(ticket.pk, minutes=20, **world.by(world.amir))
    world.forward(minutes=19)
    desk.note(ticket.pk, body="Restoring the standby.", **world.by(world.amir))
    world.forward(minutes=29)
    assert watch(world) == []  # the word renewed it
    world.forward(minutes=2)
    assert watch(world) == ["Amir Haddad"]
    assert "paging.promise_broken" in verbs(ticket)
    world.forward(minutes=5)
    assert watch(world) == ["Priya Nair"]


def test_it_ends_when_the_service_works_again(world: World) -> None:
    dba_policy(world)
    ticket = down(world)
    watch(world)
    desk.restore(ticket.pk, **world.by(world.jonas))
    assert (run(ticket).state, run(ticket).end_reason) == ("ended", "restored")
    assert set(PageDelivery.objects.exclude(channel="desk").values_list("outcome", flat=True)) <= {"moot"}
    world.forward(minutes=60)
    assert watch(world) == []


def test_handing_over_to_the_databases_calls_them(world: World) -> None:
    dba_policy(world)
    ticket = world.report(world.jonas, impact=1, urgency=1)
    assert watch(world) == []
    desk.hand_over(ticket.pk, team=world.dba_team.pk, reason="The database refuses connections.", **world.by(world.jonas))
    assert watch(world) == ["Amir Haddad"]
    desk.hand_over(ticket.pk, team=world.desk_team.pk, reason="It was the network.", **world.by(world.lena))
    assert (run(ticket).state, run(ticket).end_reason) == ("ended", "handed_over")


def test_what_is_not_urgent_enough_calls_nobody_until_somebody_asks(world: World) -> None:
    dba_policy(world)
    ticket = down(world, impact=3, urgency=3)
    assert watch(world) == []
    paging.page(ticket.pk, team=world.dba_team.pk, reason="The report is due at noon.", **world.by(world.lena))
    assert watch(world) == ["Amir Haddad"]
    with pytest.raises(Conflict):
        paging.page(ticket.pk, team=world.dba_team.pk, **world.by(world.lena))
    with pytest.raises(Invalid):
        paging.page(ticket.pk, **world.by(world.lena))
    with pytest.raises((NotFound, NotAllowed)):
        paging.page(ticket.pk, person=world.amir.pk, **world.by(world.maria))


def test_who_takes_the_ticket_answers(world: World) -> None:
    dba_policy(world)
    ticket = down(world)
    watch(world)
    desk.take(ticket.pk, **world.by(world.priya))
    assert (run(ticket).state, run(ticket).acknowledged_by) == ("acknowledged", world.priya)


def test_an_empty_step_does_not_wait(world: World) -> None:
    dba_policy(world)
    until = world.now + timedelta(days=3)
    desk_people.set_away(world.amir.pk, away_from=world.now, away_until=until, stands_in=None, **world.by(world.amir))
    ticket = down(world)
    assert watch(world) == ["Priya Nair"]
    empty, called = Entry.objects.filter(ticket=ticket.pk, verb=Verb.PAGED).order_by("pk")
    assert (empty.data["empty"], called.data["persons"]) == ("nobody", [world.priya.pk])


def test_a_step_that_fails_is_passed_over(
    world: World, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    dba_policy(world)
    ticket = down(world)

    def fails(*_: Any, **__: Any) -> Any:
        raise RuntimeError("the disk is full")

    with monkeypatch.context() as full:
        full.setattr(calling.writing, "write_pages", fails)
        assert watch(world) == []
    assert "could not be taken" in caplog.text
    assert watch(world) == ["Priya Nair"]
    assert "paging.failed" in verbs(ticket)


def test_many_runs_at_once_take_no_more_statements_than_a_few(world: World) -> None:
    dba_policy(world)
    counts = []
    for many in (3, 12):
        tickets = [down(world) for _ in range(many)]
        with CaptureQueriesContext(connection) as statements:
            assert watch(world) == ["Amir Haddad"] * many
        counts.append(len(statements))
        assert {run(ticket).turn for ticket in tickets} == {1}
    assert counts[0] == counts[1]


def test_the_engine_was_away_for_an_hour(world: World) -> None:
    dba_policy(world)
    down(world)
    watch(world)
    world.forward(hours=1)
    assert watch(world) == ["Priya Nair"]  # one step, not all that would have been
    assert Page.objects.latest("pk").late_by == 55 * 60
    world.forward(minutes=4)
    assert watch(world) == []
    world.forward(minutes=1)
    assert watch(world) == ["Lena Frei"]


def test_somebody_elses_page_is_not_answered(world: World) -> None:
    dba_policy(world)
    ticket = down(world)
    watch(world)
    page = Page.objects.get(person=world.amir)
    for other in (world.priya, world.maria, world.ada):
        with pytest.raises(NotFound):
            paging.answer_page(page.pk, by="link", **world.by(other))
    desk.resolve(ticket.pk, code="fixed", resolution="Restarted.", **world.by(world.amir))
    assert paging.own_page(page.pk, actor=world.actor(world.amir)) == page
    with pytest.raises(Conflict):
        paging.answer_page(page.pk, by="link", **world.by(world.amir))


def test_a_policy_names_only_what_its_maker_knows(world: World) -> None:
    def of(*steps: dict[str, Any], **more: Any) -> dict[str, Any]:
        return {"steps": list(steps), **more}

    nobody = {"targets": [{"kind": "person", "person": 10**9}], "wait": 300}
    good = {"targets": [{"kind": "lead", "team": world.dba_team.pk}], "wait": 300}
    wrong: list[tuple[Any, str]] = [
        (of(), "steps"),
        ([], "steps"),
        (of(nobody), "steps.0.targets.0"),
        (of({**good, "wait": 1}), "steps.0.wait"),
        (of({**good, "wait": True}), "steps.0.wait"),
        (of({**good, "priorities": [7]}), "steps.0.priorities"),
        (of({**good, "hours": {"calendar": 10**9}}), "steps.0.hours.calendar"),
        (of({**good, "targets": good["targets"] * 2}), "steps.0.targets"),
        (of({**good, "targets": [{"kind": "moon"}]}), "steps.0.targets.0.kind"),
        (of(good, repeat=10**6), "repeat"),
        (of(good, promise=1), "promise"),
        (of(*[good] * 21), "steps"),
    ]
    for definition, field in wrong:
        with pytest.raises(Invalid) as refused:
            policies.create_policy(name="P", team="databases", definition=definition, **world.by(world.lena))
        assert refused.value.field == field
    with pytest.raises(NotAllowed):
        policies.create_policy(name="P", team="databases", definition=of(good), **world.by(world.amir))
    row = policies.create_policy(name="P", team="databases", definition=of(good), **world.by(world.lena))
    assert Policy.parse(escalations.policy_definition(row).as_json()) == escalations.policy_definition(row)


def test_the_ledger_says_what_was_planned(world: World) -> None:
    dba_policy(world)
    down(world)
    watch(world)
    page = Page.objects.get(person=world.amir)
    assert [event.kind for event in PageEvent.objects.filter(page=page)] == ["planned"] * page.deliveries.count()
    paging.open_page(page.pk, **world.by(world.amir))
    paging.open_page(page.pk, **world.by(world.amir))
    paging.answer_page(page.pk, by="link", **world.by(world.amir))
    paging.answer_page(page.pk, by="link", **world.by(world.amir))
    assert [event.kind for event in escalations.ledger([page.pk])].count("acknowledged") == 1
    assert [event.kind for event in escalations.ledger([page.pk])].count("opened") == 1


def test_what_is_taken_back_is_paged_for_again(world: World) -> None:
    dba_policy(world)
    ticket = down(world)
    assert watch(world) == ["Amir Haddad"]
    taking = world.by(world.priya)
    desk.take(ticket.pk, **taking)
    world.forward(seconds=10)
    desk.undo(ticket.pk, action=taking["actor"].action, **world.by(world.priya))
    assert watch(world) == ["Amir Haddad"]
    restoring = world.by(world.jonas)
    desk.restore(ticket.pk, **restoring)
    assert run(ticket).state == "ended"
    world.forward(seconds=10)
    desk.undo(ticket.pk, action=restoring["actor"].action, **world.by(world.jonas))
    assert watch(world) == ["Amir Haddad"]
    assert (run(ticket).state, run(ticket).cause) == ("running", "reopened")


def handed_over(world: World, ticket: Ticket, team: int) -> uuid.UUID:
    """The databases hand it on; the action it was."""
    by = world.by(world.priya)
    desk.hand_over(ticket.pk, team=team, reason="Not the databases.", **by)
    return by["actor"].action


def test_a_team_without_a_policy_pages_nobody_and_the_journal_says_so(world: World) -> None:
    dba_policy(world)
    ticket = down(world)
    watch(world)
    with pytest.raises(Conflict, match="Nobody of Service desk is paged"):
        desk.hand_over(ticket.pk, team=world.desk_team.pk, reason="Theirs.", must_page=True, **world.by(world.priya))
    handed_over(world, ticket, world.desk_team.pk)
    entry = Entry.objects.filter(ticket=ticket.pk, verb="paging.ended").latest("pk")
    assert (entry.data["reason"], entry.data["nobody"]) == ("handed_over", "no_policy")


def test_a_hand_over_is_taken_back_after_a_page_went_out_and_who_was_called_is_called_again(world: World) -> None:
    dba_policy(world)
    desks = policies.create_policy(
        name="Desk",
        team=world.desk_team.slug,
        definition={"steps": steps_of({"kind": "person", "person": world.jonas.pk})},
        **world.by(world.lena),
    )
    policies.use_for_team(world.desk_team.slug, policy=desks.pk, **world.by(world.lena))
    ticket = down(world)
    assert watch(world) == ["Amir Haddad"]
    first = run(ticket)
    action = handed_over(world, ticket, world.desk_team.pk)
    assert watch(world) == ["Jonas Berg"]
    world.forward(seconds=20)
    desk.undo(ticket.pk, action=action, **world.by(world.priya))
    ticket.refresh_from_db()
    assert ticket.team == world.dba_team
    first.refresh_from_db()
    assert (first.state, first.end_reason) == ("running", "")
    other = Escalation.objects.exclude(pk=first.pk).get(ticket=ticket.pk)
    assert (other.state, other.end_reason) == ("ended", "undone")
    assert not Page.objects.filter(escalation=other, closed_at=None).exists()
    assert watch(world) == ["Amir Haddad"]  # his page had been called back
    world.forward(minutes=5)
    assert watch(world) == ["Priya Nair"]


def test_what_had_been_answered_before_it_was_handed_over_rests_again(world: World) -> None:
    dba_policy(world)
    ticket = down(world)
    watch(world)
    paging.acknowledge(ticket.pk, **world.by(world.amir))
    promised = run(ticket).next_step_at
    action = handed_over(world, ticket, world.desk_team.pk)
    assert run(ticket).state == "ended"
    world.forward(seconds=20)
    desk.undo(ticket.pk, action=action, **world.by(world.priya))
    assert (run(ticket).state, run(ticket).next_step_at, run(ticket).acknowledged_by) == ("acknowledged", promised, world.amir)


def test_a_hand_over_somebody_answered_a_page_for_stays(world: World) -> None:
    dba_policy(world)
    ticket = world.report(world.jonas, impact=1, urgency=1, team=world.desk_team.pk)
    by = world.by(world.jonas)
    desk.hand_over(ticket.pk, team=world.dba_team.pk, reason="The database.", **by)
    assert watch(world) == ["Amir Haddad"]
    paging.answer_page(Page.objects.get(person=world.amir).pk, by="link", **world.by(world.amir))
    with pytest.raises(Conflict, match="Somebody has answered the page"):
        desk.undo(ticket.pk, action=by["actor"].action, **world.by(world.jonas))
