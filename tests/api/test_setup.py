"""A program sets up people, teams, organizations and services."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.program import Program
from tests.support.world import World


@pytest.fixture
def ada(world: World) -> Program:
    return Program(world, world.ada)


def test_the_directory_brings_somebody(world: World, ada: Program) -> None:
    made = ada.post("/people", name="Nina Novak", email="nina@example.org", organization=world.branch.slug, external_ref="HR-7")
    assert made.status_code == 201
    person = ada.get(made.headers["Location"].removeprefix("/api/v1")).json()
    assert (person["email"], person["organization"]["id"]) == ("nina@example.org", world.branch.pk)
    assert ada.post("/people", name="Other Nina", email="nina@example.org").status_code == 409
    moved = ada.patch(f"/people/{person['id']}", title="Teller", manager=world.lena.pk).json()
    assert (moved["title"], moved["manager"]["name"], moved["name"]) == ("Teller", "Lena Frei", "Nina Novak")
    assert ada.post(f"/people/{person['id']}/deactivate").json()["is_active"] is False


@pytest.mark.parametrize("field", ["password", "is_staff", "is_superuser", "roles", "uid", "is_active", "created_at", "theme"])
def test_nobody_is_made_more_than_they_are_by_a_field(ada: Program, field: str) -> None:
    answer = ada.post("/people", name="X", **{field: True})
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, field)


def test_a_role_is_given_and_taken(world: World, ada: Program) -> None:
    given = ada.post(f"/people/{world.maria.pk}/roles", role="agent", team=world.desk_team.slug)
    assert given.status_code == 201
    (role,) = given.json()["roles"]
    assert (role["role"], role["team"]["slug"]) == ("agent", "service-desk")
    assert ada.call("DELETE", f"/people/{world.rolf.pk}/roles/{role['id']}").status_code == 404
    assert ada.call("DELETE", f"/people/{world.maria.pk}/roles/{role['id']}").status_code == 204
    assert ada.get(f"/people/{world.maria.pk}").json()["roles"] == []


def test_a_team_is_set_up_and_joined(world: World, ada: Program) -> None:
    team = ada.post("/teams", name="Network", line=2, lead=world.lena.pk).json()
    assert (team["slug"], team["lead"]["name"]) == ("network", "Lena Frei")
    joined = ada.post("/teams/network/members", person=world.priya.pk).json()
    assert [member["name"] for member in joined["members"]] == ["Priya Nair"]
    assert ada.call("DELETE", f"/teams/network/members/{world.priya.pk}").status_code == 204
    assert ada.call("DELETE", f"/teams/network/members/{world.priya.pk}").status_code == 404
    assert ada.get("/teams/network").json()["members"] == []


def test_a_service_knows_what_it_needs(world: World, ada: Program) -> None:
    made = ada.post("/services", name="Mobile banking", team="service-desk", needs=["ledger-database"], criticality=1)
    assert made.status_code == 201
    assert [other["slug"] for other in made.json()["needs"]] == ["ledger-database"]
    assert [other["slug"] for other in ada.get("/services/ledger-database").json()["needed_by"]] == ["mobile-banking"]
    assert "team" not in Program(world, world.maria).get("/services/mobile-banking").json()


def test_an_organization_has_its_matrix(world: World, ada: Program) -> None:
    matrix = [[1, 1, 2], [1, 2, 3]]
    made = ada.post("/organizations", name="Harbour", parent=world.bank.pk, priority_matrix=matrix)
    assert (made.status_code, made.json()["priority_matrix"], made.json()["parent"]["name"]) == (201, matrix, "Northbank")
    refused = ada.patch("/organizations/harbour", priority_matrix=[[1], [1, 2]])
    assert (refused.status_code, refused.json()["errors"][0]["field"]) == (422, "priority_matrix")
    assert ada.patch("/organizations/harbour", priority_matrix=None).json()["priority_matrix"] is None


@pytest.mark.parametrize("kind", ["people", "teams", "organizations", "services"])
def test_who_saw_an_older_one_is_told(world: World, ada: Program, kind: str) -> None:
    ids: dict[str, Any] = {
        "people": world.maria.pk,
        "teams": world.desk_team.slug,
        "organizations": world.branch.slug,
        "services": world.printing.slug,
    }
    path = f"/{kind}/{ids[kind]}"
    tag = ada.get(path).headers["ETag"]
    changed = ada.patch(path, name="First", headers={"If-Match": tag})
    assert changed.status_code == 200
    assert ada.get(path).headers["ETag"] == changed.headers["ETag"] != tag
    assert ada.patch(path, name="Second", headers={"If-Match": tag}).status_code == 412
    assert ada.get(path).json()["name"] == "First"


def test_people_are_found_by_name_or_address(world: World, ada: Program) -> None:
    for words in ("keller", "maria@example.org"):
        assert [row["name"] for row in ada.get(f"/people?q={words}").json()["items"]] == ["Maria Keller"]


def test_a_token_ends_itself_and_no_other(world: World, ada: Program) -> None:
    jonas = Program(world, world.jonas)
    assert [row["id"] for row in jonas.get("/tokens").json()["items"]] == [jonas.token.pk]
    assert jonas.call("DELETE", f"/tokens/{ada.token.pk}").status_code == 404
    assert jonas.call("DELETE", f"/tokens/{jonas.token.pk}").status_code == 204
    assert jonas.get("/me").status_code == 401


def test_an_incident_is_announced(world: World) -> None:
    olga, maria = Program(world, world.olga), Program(world, world.maria)
    number = olga.post("/tickets", title="Look-up is down", service="account-look-up").json()["number"]
    told = olga.post(f"/tickets/{number}/announce", title="Account look-up is slow", is_for_all=True)
    assert (told.status_code, told.json()["ticket"]) == (201, number)
    (seen,) = maria.get("/announcements").json()["items"]
    assert seen["title"] == "Account look-up is slow"
    assert "ticket" not in seen
    assert maria.post(f"/announcements/{seen['id']}/same_for_me").status_code == 200
    assert maria.post(f"/announcements/{seen['id']}/update", body="no").status_code in (403, 404)
    assert olga.post(f"/announcements/{seen['id']}/update", body="The cause is found").status_code == 201
    assert olga.post(f"/announcements/{seen['id']}/end").json()["ended_at"] is not None
    assert maria.get("/announcements").json()["items"] == []


def test_of_a_shared_service_a_customer_is_told_what_is_public(world: World, ada: Program) -> None:
    world.lookup.owner = world.julia
    world.lookup.save()
    inside = {"criticality", "owner", "team"}
    jonas, oskar, maria = (Program(world, person) for person in (world.jonas, world.oskar, world.maria))
    known = jonas.get("/services/account-look-up").json()
    assert (known["criticality"], known["owner"]["name"], known["team"]["name"]) == (1, "Julia Roth", "Service desk")
    assert known.keys() >= inside
    ada.patch("/services/account-look-up", needs=["ledger-database"])
    for outside in (oskar, maria):
        seen = outside.get("/services/account-look-up").json()
        assert seen["name"] == "Account look-up"
        assert not inside & seen.keys()
        assert seen["needs"] == []
        assert not any(inside & service.keys() for service in outside.get("/services").json()["items"])
        assert outside.get(f"/services?team={world.desk_team.pk}").json()["items"] == []
    assert jonas.get(f"/services?team={world.desk_team.pk}").json()["items"]
