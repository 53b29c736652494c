"""Saving a form of setup as it stands changes nothing, whatever was taken out of use or is not the viewer's to know."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from django.test import Client

from allswell.people.models import RoleGrant, Team
from allswell.services.models import ConfigurationItem, Dependency
from allswell.sla import queries
from allswell.sla.models import Agreement, AgreementVersion
from allswell.sla.rules.terms import Audience
from tests.support.promises import promise, target
from tests.support.world import START, World
from tests.web.test_agreement_pages import sent

Browser = Callable[..., Client]


def saved_again(world: World, client: Client, row: Agreement, **changes: object) -> Agreement:
    """What became of an agreement whose form was sent as it came, with another name."""
    form = sent(client.get(f"/setup/agreements/{row.slug}/edit").content.decode())
    assert client.post(f"/setup/agreements/{row.slug}/edit", {**form, "name": "Renamed", **changes}).status_code == 303
    found = queries.agreement(row.slug)
    assert found is not None
    assert found.name == "Renamed"
    return found


def test_an_organization_out_of_use_stays_the_one_it_is_for(world: World, browser: Browser) -> None:
    row = promise(world, target("resolution", 60), name="Gone", organization=world.other)
    world.other.is_active = False
    world.other.save()
    assert saved_again(world, browser(world.ada), row).organization_id == world.other.pk


def test_a_team_out_of_use_stays_the_one_it_is_for(world: World, browser: Browser) -> None:
    row = promise(world, target("team_time", 60), name="Gone", audience=Audience.INTERNAL, team=world.dba_team)
    world.dba_team.is_active = False
    world.dba_team.save()
    assert saved_again(world, browser(world.ada), row).team_id == world.dba_team.pk


def test_a_service_out_of_use_stays_a_condition(world: World, browser: Browser) -> None:
    row = promise(world, target("resolution", 60), name="Gone", services=[world.printing.pk, world.lookup.pk])
    world.printing.is_active = False
    world.printing.save()
    saved_again(world, browser(world.ada), row)
    assert AgreementVersion.objects.filter(agreement=row).count() == 1


@pytest.mark.parametrize("is_customers", [True, False])
def test_what_an_administrator_of_a_part_may_not_know_stays(world: World, browser: Browser, is_customers: bool) -> None:
    RoleGrant.objects.create(
        person=world.oskar, role="administrator", scope="organization", organization=world.other, granted_at=START
    )
    if is_customers:
        world.lookup.organization = world.bank
        world.lookup.save()
        row = promise(world, target("resolution", 60), name="Theirs", organization=world.other, services=[world.lookup.pk])
    else:
        world.dba_team.organization = world.bank
        world.dba_team.save()
        row = promise(
            world,
            target("team_time", 60),
            name="Theirs",
            audience=Audience.INTERNAL,
            organization=world.other,
            team=world.dba_team,
        )
    found = saved_again(world, browser(world.oskar), row)
    assert (found.organization_id, found.team_id) == (row.organization_id, row.team_id)
    assert AgreementVersion.objects.filter(agreement=row).count() == 1


def form_of(html: str) -> dict[str, list[str]]:
    """What a browser would send of the form of a service or team as it stands."""
    form = html[html.index('<form method="post" class="form') :]
    form = form[: form.index("</form>")]
    values: dict[str, list[str]] = {}
    for tag in re.findall(r"<input[^>]*>", form):
        name, value = re.search(r'name="([^"]*)"', tag), re.search(r'value="([^"]*)"', tag)
        if name and ('type="checkbox"' not in tag or " checked" in tag):
            values.setdefault(name[1], []).append(value[1] if value else "")
    for name, inside in re.findall(r'<select[^>]*name="([^"]*)"[^>]*>(.*?)</select>', form, re.S):
        found = re.search(r'<option value="([^"]*)" selected', inside) or re.search(r'<option value="([^"]*)"', inside)
        values[name] = [found[1]] if found else []
    for name, inside in re.findall(r'<textarea[^>]*name="([^"]*)"[^>]*>(.*?)</textarea>', form, re.S):
        values[name] = [inside.strip()]
    return values


def test_a_service_stays_with_whom_and_what_it_was_though_that_is_out_of_use(world: World, browser: Browser) -> None:
    world.lookup.organization = world.other
    world.lookup.owner = world.amir
    world.lookup.team = world.dba_team
    world.lookup.save()
    Dependency.objects.create(downstream=world.lookup, upstream=world.ledger)
    for gone in (world.other, world.dba_team, world.ledger, world.amir):
        gone.is_active = False
        gone.save()
    before = ConfigurationItem.objects.filter(pk=world.lookup.pk).values().get()
    ada, there = browser(world.ada), "/setup/services/account-look-up"
    answer = ada.post(there, {**form_of(ada.get(there).content.decode()), "name": "Renamed"})
    assert answer.status_code == 303, answer.content
    assert ConfigurationItem.objects.filter(pk=world.lookup.pk).values().get() == {**before, "name": "Renamed"}
    assert Dependency.objects.filter(downstream=world.lookup, upstream=world.ledger).exists()


def test_a_team_stays_with_whom_it_was_though_that_is_out_of_use(world: World, browser: Browser) -> None:
    world.other.is_active = False
    world.other.save()
    before = Team.objects.filter(pk=world.other_team.pk).values().get()
    ada, there = browser(world.ada), "/setup/teams/othertown-support"
    answer = ada.post(there, {**form_of(ada.get(there).content.decode()), "name": "Renamed"})
    assert answer.status_code == 303, answer.content
    assert Team.objects.filter(pk=world.other_team.pk).values().get() == {**before, "name": "Renamed"}
