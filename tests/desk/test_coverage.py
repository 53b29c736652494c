"""What an edit would leave without cover is said before it is made; the proof follows what then is."""

from __future__ import annotations

from datetime import timedelta

from allswell.desk import coverage, people, rotas, shifts
from allswell.oncall.queries import escalations
from allswell.oncall.rules import Definition
from allswell.oncall.rules.covering import Lack
from allswell.oncall.rules.policies import Policy, Step, Target, TargetKind
from allswell.people.models import Person
from tests.desk.test_paging import dba_policy, steps_of
from tests.desk.test_rotas import DAY, week
from tests.support.world import START, World
from tests.web.test_proof_pages import reach_by_push


def of_ledger(world: World, **more: int) -> coverage.Covered:
    (found,) = coverage.coverage(actor=world.actor(world.lena), now=world.now, service=world.ledger.pk, **more).services
    return found


def lacks(found: coverage.Covered) -> list[tuple[int, Lack | None]]:
    """(days from now, what is lacking from then on)."""
    return [((gap.starts_at - START) // DAY, gap.verdict.lack) for gap in found.gaps]


def test_who_goes_on_leave_opens_what_only_they_covered(world: World) -> None:
    dba_policy(world, steps=steps_of({"kind": "person", "person": world.amir.pk}))
    reach_by_push(world, world.amir)
    assert lacks(of_ledger(world)) == []
    leave = {world.amir.pk: [(world.now + 3 * DAY, world.now + 5 * DAY)]}
    (opened,) = coverage.what_opens(coverage.Edit(leave=leave), **world.by(world.lena))
    ends_at = world.now + 5 * DAY - timedelta(minutes=5)  # an incident then meets him in its second round
    assert (opened.service, opened.spans) == (world.ledger, ((world.now + 3 * DAY, ends_at),))
    shifts.add_leave(person=world.amir.pk, starts_at=START + 3 * DAY, ends_at=START + 5 * DAY, **world.by(world.amir))
    assert lacks(of_ledger(world)) == [(3, Lack.NOBODY)]
    assert coverage.what_opens(coverage.Edit(leave=leave), **world.by(world.lena)) == ()


def test_a_rota_says_what_its_edit_would_open(world: World) -> None:
    row = dba_policy(world)
    reach_by_push(world, world.amir, world.priya)
    assert lacks(of_ledger(world)) == []
    rota = escalations.policy_definition(row).steps[0].targets[0].id
    asked = Definition("UTC", (week(world.jonas), week(world.julia, level=2)))
    seen = rotas.what_moves(rota, asked, effective_at=START + 7 * DAY, **world.by(world.lena))
    ((opened, spans),) = [(one.service, one.spans) for one in seen.opens]
    assert (opened, spans[0][0]) == (world.ledger, START + 7 * DAY)
    same = Definition("UTC", (week(world.priya), week(world.amir, level=2)))
    assert rotas.what_moves(rota, same, **world.by(world.lena)).opens == ()


def test_a_policy_says_what_its_edit_would_open(world: World) -> None:
    row = dba_policy(world)
    reach_by_push(world, world.amir, world.priya)
    only_lead = Policy((Step((Target(TargetKind.LEAD, world.dba_team.pk),), 300),))
    (opened,) = coverage.what_opens(coverage.Edit(policies={row.pk: only_lead}), **world.by(world.lena))
    assert opened.service == world.ledger
    assert coverage.what_opens(coverage.Edit(), **world.by(world.lena)) == ()


def test_who_is_out_of_use_reaches_nobody(world: World) -> None:
    dba_policy(world, steps=steps_of({"kind": "team", "team": world.dba_team.pk}))
    reach_by_push(world, world.amir)
    assert lacks(of_ledger(world)) == []
    people.deactivate_person(world.amir.pk, **world.by(world.ada))
    assert lacks(of_ledger(world)) == [(0, Lack.ONE_WAY)]
    assert Person.objects.get(pk=world.priya.pk).is_active
