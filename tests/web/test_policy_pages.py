"""The pages of escalation policies: whom they call now, writing and changing them, who follows them, what became of their runs."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from allswell.desk import calendars, paging, policies
from allswell.desk import people as desk_people
from allswell.desk import tickets as desk
from allswell.oncall.models import EscalationPolicy, PolicyUse
from allswell.oncall.queries import escalations
from allswell.oncall.rules.policies import Policy
from tests.desk.test_paging import dba_policy, down, watch
from tests.support.world import World
from tests.web.test_oncall_pages import read

Browser = Callable[..., Client]
HOME = "/oncall/policies"
THERE = f"{HOME}/databases/"
EDIT = f"{THERE}edit"


def step(number: int, *targets: str, wait: str = "5", unit: str = "minute", **more: Any) -> dict[str, Any]:
    fields = {"target": list(targets), "wait": wait, "unit": unit, **more}
    return {f"s{number}_{name}": value for name, value in fields.items()}


def form(*steps: dict[str, Any], **more: Any) -> dict[str, Any]:
    """A whole form as a browser sends it."""
    values: dict[str, Any] = {"name": "Databases", "team": "databases", "rows": len(steps), "do": "save"}
    values |= {"repeat": "1", "promise": "30", "promise_unit": "minute", "starts": ["1", "2"], "urgent": ["1"]}
    for one in steps:
        values |= one
    return values | more


def said(row: EscalationPolicy) -> Policy:
    row.refresh_from_db()
    return escalations.policy_definition(row)


def words(html: str) -> str:
    """What a reader reads."""
    return " ".join(re.sub(r"<[^>]+>", " ", html).split())


def test_without_a_policy_there_is_one_next_step(world: World, browser: Browser) -> None:
    told = "There is no escalation policy yet, so nothing pages anybody by itself."
    assert "Write the first one" in read(browser(world.lena), HOME)
    html = read(browser(world.jonas), HOME)
    assert told in html
    assert "Write the first one" not in html
    assert browser(world.maria).get(HOME).status_code == 302, "a requester is shown the portal"


def test_the_list_says_who_would_be_called_now(world: World, browser: Browser) -> None:
    dba_policy(world)
    text = words(read(browser(world.jonas), HOME))
    assert "Databases starts at P1, P2 at once Amir Haddad after 5 min Priya Nair after 10 min Lena Frei" in text
    assert "Team: Databases" in text
    until = world.now + timedelta(days=3)
    desk_people.set_away(world.amir.pk, away_from=world.now, away_until=until, stands_in=None, **world.by(world.amir))
    assert "at once nobody after 5 min Priya Nair" in words(read(browser(world.jonas), HOME))


def test_a_policy_is_a_ladder_with_times(world: World, browser: Browser) -> None:
    dba_policy(world)
    text = words(read(browser(world.jonas), THERE))
    assert "at once On call in Databases (called first) Amir Haddad now" in text
    assert "after 10 min The lead of Databases Lena Frei now" in text
    assert "Then all of it again, once" in text
    assert "after 30 min Nobody answered: the lead" in text
    assert "An answer holds for 30 min." in text
    assert "It did not start once." in text
    assert "Change it" not in text, "Jonas does not lead"
    assert "Change it" in read(browser(world.lena), THERE)


def test_what_became_of_its_runs(world: World, browser: Browser) -> None:
    row = dba_policy(world)
    first, second = down(world), down(world)
    watch(world)
    world.forward(minutes=6)
    watch(world)
    world.forward(minutes=1)
    paging.acknowledge(first.pk, **world.by(world.priya))
    desk.restore(first.pk, **world.by(world.priya))
    for _ in range(30):
        world.forward(minutes=2)
        watch(world)
    text = words(read(browser(world.jonas), THERE))
    assert "It started 2 times: 1 answered, 1 unanswered. Half of the answers came within 7 min." in text
    assert "Priya Nair answered at step 2 after 7 min" in text
    assert "nobody answered" in text
    assert [row.ticket_id for row in escalations.runs_of_policy(row.pk, since=world.now - timedelta(days=1))] == [
        second.pk,
        first.pk,
    ]
    assert not escalations.runs_of_policy(row.pk, since=world.now).exists()


def test_a_lead_writes_a_policy_and_changes_it(world: World, browser: Browser) -> None:
    lena = browser(world.lena)
    team = world.dba_team.pk
    assert lena.get(f"{HOME}/new?team=databases").status_code == 200
    sent = form(step(0, f"team-{team}-1", "", people="Amir Haddad"), step(1, f"lead-{team}-1", wait="1", unit="hour"))
    made = lena.post(f"{HOME}/new", sent)
    assert (made.status_code, made.headers.get("Location")) == (303, THERE), made.content.decode()
    row = EscalationPolicy.objects.get()
    assert [step_.wait for step_ in said(row).steps] == [300, 3600]
    assert [target.kind.value for target in said(row).steps[0].targets] == ["team", "person"]
    html = read(lena, EDIT)
    assert "Amir Haddad" in html
    sent = form(step(0, f"manager-{team}-1", wait="90", unit="second"), name="All night", note="Shorter", seen="1", repeat="0")
    assert lena.post(EDIT, sent).status_code == 303
    row.refresh_from_db()
    assert (row.name, row.number, said(row).repeat) == ("All night", 2, 0)
    text = words(read(lena, THERE))
    assert "2 Shorter" in text
    assert "by Lena Frei" in text
    assert browser(world.jonas).get(EDIT).status_code == 403
    assert browser(world.jonas).get(f"{HOME}/new").status_code == 403


def test_steps_are_added_moved_and_removed_by_buttons(world: World, browser: Browser) -> None:
    lena, team = browser(world.lena), world.dba_team.pk
    two = (step(0, f"team-{team}-1"), step(1, f"lead-{team}-1", wait="7"))

    def after(word: str) -> list[str]:
        html = lena.post(f"{HOME}/new", form(*two, do=word)).content.decode()
        assert "is-invalid" not in html
        return re.findall(r'value="(\w+-\d+-\d)" selected', html)

    assert after("up-1") == [f"lead-{team}-1", f"team-{team}-1"]
    assert after("down-0") == [f"lead-{team}-1", f"team-{team}-1"]
    assert after("up-0") == [f"team-{team}-1", f"lead-{team}-1"]
    assert after("remove-0") == [f"lead-{team}-1"]
    assert lena.post(f"{HOME}/new", form(*two, do="add")).content.decode().count('<fieldset class="target step"') == 3
    assert lena.post(f"{HOME}/new", form(*two, do="target-0")).content.decode().count('name="s0_target"') == 2
    assert lena.post(f"{HOME}/new", form(*two, do="remove-9")).status_code in (303, 422)
    assert EscalationPolicy.objects.count() <= 1


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        (form(step(0, "")), "s0_target"),
        (form(step(0, "rota-999999-1")), "s0_target"),
        (form(step(0, "planet-1-1")), "s0_target"),
        (form(step(0, "", people="Nobody Known")), "s0_people"),
        (form(step(0, "team-0-1")), "s0_target"),
        (form(step(0, "TEAM", wait="x")), "s0_wait"),
        (form(step(0, "TEAM", wait="5", unit="second")), "s0_wait"),
        (form(step(0, "TEAM", hours="in-x")), "s0_hours"),
        (form(step(0, "TEAM", hours="in-999999")), "s0_hours"),
        (form(step(0, "TEAM"), promise="4"), "promise"),
        (form(step(0, "TEAM"), repeat="77"), "repeat"),
        (form(step(0, "TEAM"), starts=["9"]), "starts"),
        (form(step(0, "TEAM"), name=" "), "name"),
        (form(step(0, "TEAM"), step(1, "TEAM", "TEAM")), "s1_target"),
        (form(), "steps"),
    ],
)
def test_what_is_wrong_stands_beside_its_field(world: World, browser: Browser, wrong: dict[str, Any], field: str) -> None:
    team = f"team-{world.dba_team.pk}-1"
    sent = {
        name: [team if one == "TEAM" else one for one in value] if isinstance(value, list) else value
        for name, value in wrong.items()
    }
    answer = browser(world.lena).post(f"{HOME}/new", sent)
    assert answer.status_code == 422
    html = answer.content.decode()
    assert f'id="{field}-error"' in html, re.findall(r'id="([\w]+)-error"', html) or words(html)[:600]
    assert not EscalationPolicy.objects.exists()


def test_somebody_was_faster(world: World, browser: Browser) -> None:
    row = dba_policy(world)
    team = f"team-{world.dba_team.pk}-1"
    lena, olga = browser(world.lena), browser(world.olga)
    assert olga.post(EDIT, form(step(0, team), seen="1")).status_code == 303
    late = lena.post(EDIT, form(step(0, team, wait="9"), seen="1"))
    html = late.content.decode()
    assert late.status_code == 422
    assert "Somebody has changed this policy in the meantime." in html
    assert 'name="seen" value="2"' in html
    assert lena.post(EDIT, form(step(0, team, wait="9"), seen="2")).status_code == 303
    assert (said(row).steps[0].wait, row.number) == (540, 3)


def test_a_step_is_for_some_priorities_and_hours_only(world: World, browser: Browser) -> None:
    calendar = calendars.create_calendar(
        name="Office hours", zone="UTC", hours=calendars.Hours([((0, 60),)] * 7), **world.by(world.ada)
    )
    team = f"team-{world.dba_team.pk}-1"
    one = step(0, team, hours=f"out-{calendar.pk}", priorities=["1"])
    assert browser(world.lena).post(f"{HOME}/new", form(one, step(1, team, hours=f"in-{calendar.pk}"))).status_code == 303
    text = words(read(browser(world.jonas), THERE))
    assert "only for P1; only outside Office hours" in text
    assert "only within Office hours: not at this hour" in text


def test_out_of_use_and_back(world: World, browser: Browser) -> None:
    dba_policy(world)
    lena = browser(world.lena)
    assert browser(world.jonas).post(f"{THERE}deactivate").status_code == 403
    assert lena.post(f"{THERE}deactivate").status_code == 303
    assert "This policy is out of use" in read(lena, THERE)
    assert "Amir Haddad" not in read(lena, HOME)
    assert "Out of use" in read(lena, f"{HOME}?all=1")
    down(world)
    assert watch(world) == []
    assert lena.post(f"{THERE}activate").status_code == 303
    down(world)
    assert watch(world) == ["Amir Haddad"]


def test_a_team_and_a_service_name_their_policy(world: World, browser: Browser) -> None:
    row = dba_policy(world)
    lena, jonas = browser(world.lena), browser(world.jonas)
    service = world.ledger
    service.team = world.dba_team
    service.save()
    there = f"/services/{service.slug}"
    assert f'href="{THERE}"' in read(jonas, "/teams/databases")
    text = words(read(jonas, there))
    assert "Who is paged Databases as for everything of its team" in text
    assert "Choose a policy" not in text
    assert "Choose a policy" in read(lena, there)
    assert lena.post(f"{there}/policy", {"policy": row.slug}).status_code == 303
    assert PolicyUse.objects.filter(service=service, policy=row).exists()
    assert "Services: Account ledger" in words(read(lena, HOME)) or f"Services: {service.name}" in words(read(lena, HOME))
    assert lena.post("/teams/databases/policy", {"policy": ""}).status_code == 303
    assert lena.post(f"{there}/policy", {"policy": ""}).status_code == 303
    assert not PolicyUse.objects.exists()
    assert "Nobody is paged for this service." in read(lena, there)
    assert "Nobody is paged for the tickets of this team." in read(jonas, "/teams/databases")
    assert lena.post("/teams/databases/policy", {"policy": "no-such"}).status_code == 404
    assert jonas.post("/teams/databases/policy", {"policy": row.slug}).status_code == 403


def test_who_is_on_call_says_whose_tickets_page_nobody(world: World, browser: Browser) -> None:
    html = read(browser(world.jonas), "/oncall/")
    assert "Nobody is paged for the tickets of:" in html
    assert 'href="/teams/databases"' in html
    dba_policy(world)
    assert 'href="/teams/databases"' not in read(browser(world.jonas), "/oncall/")


def test_many_policies_ask_no_more_than_one(world: World, browser: Browser) -> None:
    calendar = calendars.create_calendar(
        name="Office hours", zone="UTC", hours=calendars.Hours([((540, 1020),)] * 7), **world.by(world.ada)
    )
    dba_policy(world)
    for number in range(12):
        team = world._team(f"Team {number}")
        person = world._person(f"P{number} Person", world.bank, role="agent", teams=[team])
        steps = [
            {"targets": [{"kind": "team", "team": team.pk}, {"kind": "lead", "team": world.dba_team.pk}], "wait": 300},
            {"targets": [{"kind": "person", "person": person.pk}], "wait": 300, "hours": {"calendar": calendar.pk}},
            {"targets": [{"kind": "manager", "team": world.desk_team.pk, "level": 2}], "wait": 300},
        ]
        row = policies.create_policy(name=f"Policy {number}", team=team.pk, definition={"steps": steps}, **world.by(world.ada))
        policies.use_for_team(team.pk, policy=row.pk, **world.by(world.ada))
    for path in (HOME, THERE, EDIT, "/oncall/", "/teams/databases", f"/services/{world.lookup.slug}"):
        client = browser(world.lena)
        read(client, path)
        with CaptureQueriesContext(connection) as caught:
            read(client, path)
        print(path, *[query["sql"] for query in caught], sep="\n")
        assert len(caught) <= 15, (path, "\n".join(query["sql"][:300] for query in caught))


def test_in_german(world: World, browser: Browser) -> None:
    dba_policy(world)
    html = browser(world.jonas).get(THERE, headers={"accept-language": "de"}).content.decode()
    assert "sofort" in html
