"""An installation is set up, people join and leave, and nobody reaches beyond their administration."""

from __future__ import annotations

import pytest

from allswell.calendars.models import Calendar
from allswell.desk import people as desk_people
from allswell.desk import services as desk_services
from allswell.desk import setup, teams
from allswell.journal.models import Entry
from allswell.kernel.actor import Role
from allswell.kernel.actor import setup as operator
from allswell.kernel.errors import Conflict, Invalid, NotAllowed, NotFound
from allswell.people import queries
from allswell.people.models import Organization, Person, RoleGrant
from allswell.people.rules import Act, TeamFacts, may
from allswell.services import queries as services
from allswell.sla.models import Agreement
from allswell.tickets.models import Category, Label, SavedView
from tests.support.world import START, World


def test_the_first_day(db: None) -> None:
    first = setup.first_administrator(
        name="Ada Admin",
        email="Ada@Example.org",
        organization="Northbank",
        password_hash=desk_people.hash_of("correct horse battery"),
        actor=operator(),
        now=START,
    )
    assert queries.person_by_address("ada@example.org") == first.person
    assert first.person.check_password("correct horse battery")
    assert list(queries.members(first.team.pk)) == [first.person]
    found = queries.first_line()
    assert found
    assert found.pk == first.team.pk
    assert {grant.role for grant in queries.grants(first.person.pk)} == {"administrator", "lead", "agent"}
    assert Category.objects.count() == 6
    assert SavedView.objects.exists()
    assert set(Calendar.objects.values_list("slug", flat=True)) == {"always", "office-hours"}
    said = {row.slug: row.versions.get().definition for row in Agreement.objects.all()}
    assert set(said) == {"standard-for-incidents", "standard-for-requests", "between-teams"}
    assert {target["metric"] for target in said["standard-for-requests"]["targets"]} == {"first_response", "fulfilment"}
    with pytest.raises(Conflict):
        setup.first_administrator(name="Eve", email="eve@example.org", organization="E", actor=operator(), now=START)


def test_somebody_new_joins_a_team_and_works_there(world: World) -> None:
    nina = desk_people.create_person(
        name="Nina Vogt", email="nina@example.org", organization=world.bank.pk, **world.by(world.ada)
    )
    teams.join_team(nina.pk, team=world.dba_team.pk, **world.by(world.ada))
    assert may(world.actor(nina), Act.LEAD, TeamFacts(world.dba_team.pk, None)) is False
    ticket = world.report(world.jonas, team=world.dba_team.pk)
    assert ticket in _seen(world, nina)
    teams.leave_team(nina.pk, team="databases", **world.by(world.ada))
    assert ticket not in _seen(world, nina)
    told = Entry.objects.filter(about_kind="person", about_id=nina.pk).order_by("id").values_list("verb", flat=True)
    assert list(told) == [
        "record.created",
        "person.address_added",
        "person.joined_team",
        "person.role_granted",
        "person.role_revoked",
        "person.left_team",
    ]


def test_a_member_whose_role_covers_the_team_gets_no_second_one(world: World) -> None:
    teams.join_team(world.jonas.pk, team=world.dba_team.pk, **world.by(world.ada))
    assert RoleGrant.objects.filter(person=world.jonas).count() == 1


def _seen(world: World, person: Person) -> list[object]:
    from allswell.tickets import queries as tickets

    return list(tickets.visible_to(world.actor(person)))


def test_an_address_is_one_persons(world: World) -> None:
    with pytest.raises(Conflict) as refused:
        desk_people.create_person(name="Another", email="MARIA@example.org", **world.by(world.ada))
    assert refused.value.field == "email"
    assert not Person.objects.filter(name="Another").exists()
    claimed = desk_people.add_address(world.rolf.pk, email="maria@example.org", **world.by(world.rolf))
    assert (claimed.proof, queries.person_by_address("maria@example.org")) == ("claimed", world.maria)
    with pytest.raises(Conflict):
        desk_people.make_primary(claimed.pk, **world.by(world.rolf))


def test_the_journal_keeps_no_names(world: World) -> None:
    nina = desk_people.create_person(name="Nina Vogt", email="nina@example.org", phone="+41 44", **world.by(world.ada))
    desk_people.edit_person(nina.pk, name="Nina Vogt-Suter", phone="+41 55", **world.by(world.ada))
    kept = str(list(Entry.objects.values_list("data", flat=True)))
    assert "Nina" not in kept
    assert "+41" not in kept
    assert "'fields': ['name', 'phone']" in kept


@pytest.fixture
def branch_admin(world: World) -> Person:
    """Bea administers the Lindenhof branch and nothing else."""
    bea = world._person("Bea Branch", world.branch)
    world._grant(bea, "administrator", organization=world.branch)
    return bea


def test_an_administrator_of_a_branch_stays_in_it(world: World, branch_admin: Person) -> None:
    bea = world.by(branch_admin)
    desk_people.create_person(name="Nils Neu", organization=world.branch.pk, **bea)
    desk_people.edit_person(world.maria.pk, title="Advisor", **bea)
    with pytest.raises(NotFound):
        desk_people.create_person(name="Nils Neu", organization=world.other.pk, **bea)
    with pytest.raises(NotAllowed):
        desk_people.create_person(name="Nobody's", **bea)
    for stranger in (world.otto, world.jonas, world.ada):
        with pytest.raises(NotFound):
            desk_people.edit_person(stranger.pk, title="Mine", **bea)
    with pytest.raises(NotAllowed):
        desk_people.grant_role(branch_admin.pk, role=Role.ADMINISTRATOR, **bea)
    with pytest.raises(NotAllowed):
        teams.edit_team(world.desk_team.pk, name="Mine", **bea)
    with pytest.raises(NotAllowed):
        setup.create_category(name="Mine", **bea)
    with pytest.raises(NotAllowed):
        teams.create_organization(name="Root", **bea)
    with pytest.raises(NotAllowed):
        desk_services.edit_service("account-look-up", name="Mine", **bea)


def test_nobody_takes_over_who_may_more(world: World, branch_admin: Person) -> None:
    """An administrator of the installation who belongs to the branch is out of reach of the branch's administrator."""
    boss = world._person("Boris Boss", world.branch, role="administrator")
    hash_ = desk_people.hash_of("correct horse battery")
    for attempt in (
        lambda: desk_people.set_password(boss.pk, password_hash=hash_, **world.by(branch_admin)),
        lambda: desk_people.add_address(boss.pk, email="bea2@example.org", **world.by(branch_admin)),
        lambda: desk_people.deactivate_person(boss.pk, **world.by(branch_admin)),
    ):
        with pytest.raises(NotAllowed):
            attempt()


def test_agents_and_auditors_set_nothing_up(world: World) -> None:
    for person in (world.jonas, world.lena, world.olga, world.audrey):
        with pytest.raises(NotAllowed):
            desk_people.edit_person(world.maria.pk, title="x", **world.by(person))
        with pytest.raises(NotAllowed):
            desk_services.create_service(name="x", **world.by(person))
        with pytest.raises(NotAllowed):
            setup.set_labels(language="de", labels={"state.new": "Neu"}, **world.by(person))
    with pytest.raises(NotFound):
        desk_people.edit_person(world.jonas.pk, title="x", **world.by(world.maria))


def test_the_last_administrator_stays(world: World) -> None:
    held = queries.grants(world.ada.pk).get()
    with pytest.raises(Conflict):
        desk_people.revoke_role(held.pk, **world.by(world.ada))
    with pytest.raises(Conflict):
        desk_people.deactivate_person(world.ada.pk, actor=operator(), now=world.now)


def test_a_person_is_deactivated_and_comes_back(world: World) -> None:
    _, secret = desk_people.create_token(world.jonas.pk, name="Script", scopes=["all"], **world.by(world.jonas))
    assert queries.caller(secret, now=world.now) is not None
    desk_people.deactivate_person(world.jonas.pk, **world.by(world.ada))
    assert queries.caller(secret, now=world.now) is None
    desk_people.activate_person(world.jonas.pk, **world.by(world.ada))
    assert queries.person(world.jonas.pk) is not None
    assert queries.caller(secret, now=world.now) is None


def test_tokens_expire_and_are_ones_own(world: World) -> None:
    with pytest.raises(NotAllowed):
        desk_people.create_token(world.jonas.pk, name="Not mine", scopes=["all"], **world.by(world.ada))
    token, secret = desk_people.create_token(
        world.jonas.pk,
        name="Mine",
        scopes=["tickets:read"],
        expires_at=world.forward(days=1),
        actor=world.actor(world.jonas),
        now=START,
    )
    assert secret.startswith("alw_")
    assert secret not in str(token.__dict__)
    called = queries.caller(secret, now=START)
    assert called is not None
    assert called.token == token.pk
    assert queries.caller(secret, now=world.now) is None


def test_a_team_with_open_tickets_stays(world: World) -> None:
    world.report(world.jonas, team=world.dba_team.pk)
    with pytest.raises(Conflict):
        teams.deactivate_team("databases", **world.by(world.ada))


def test_organizations_move_with_all_below(world: World) -> None:
    counter = teams.create_organization(name="Counter 3", parent=world.branch.pk, **world.by(world.ada))
    teams.edit_organization(world.branch.pk, parent=world.other.pk, **world.by(world.ada))
    assert Organization.objects.get(pk=counter.pk).path == f"/{world.other.pk}/{world.branch.pk}/{counter.pk}/"
    with pytest.raises(Invalid):
        teams.edit_organization(world.branch.pk, parent=counter.pk, **world.by(world.ada))


def test_services_know_what_they_need(world: World) -> None:
    desk_services.edit_service("account-look-up", needs=["ledger-database"], **world.by(world.ada))
    desk_services.edit_service("printing", needs=["account-look-up"], **world.by(world.ada))
    assert [row.name for row in services.around(world.ledger.pk, known=services.services()).radius] == [
        "Account look-up",
        "Printing",
    ]
    with pytest.raises(Invalid):
        desk_services.edit_service("printing", needs=["printing"], **world.by(world.ada))


def test_words_of_our_own(world: World) -> None:
    setup.set_labels(language="de", labels={"state.waiting": "Angehalten", "state.new": ""}, **world.by(world.ada))
    assert dict(Label.objects.values_list("subject", "text")) == {"state.waiting": "Angehalten"}
    setup.set_labels(language="de", labels={"state.waiting": ""}, **world.by(world.ada))
    assert not Label.objects.exists()
    with pytest.raises(Invalid):
        setup.set_labels(language="de", labels={"state.sleeping": "x"}, **world.by(world.ada))


def test_somebody_is_away(world: World) -> None:
    desk_people.set_away(
        world.jonas.pk,
        away_from=world.now,
        away_until=world.forward(days=3),
        stands_in=world.julia.pk,
        actor=world.actor(world.jonas),
        now=START,
    )
    assert Person.objects.get(pk=world.jonas.pk).stands_in == world.julia
    with pytest.raises(Invalid):
        desk_people.set_away(
            world.jonas.pk, away_from=world.now, away_until=START, stands_in=None, actor=world.actor(world.jonas), now=START
        )
