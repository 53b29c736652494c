"""People, teams and services come in from a file, after a look at what would change."""

from __future__ import annotations

from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from allswell.desk import csv_records as desk
from allswell.journal.models import Entry
from allswell.kernel.errors import Invalid
from allswell.people import queries as people
from allswell.people.models import Person, Team
from allswell.services import queries as services
from tests.support.world import World

PEOPLE = """name;email;organization;title;manager;teams
Nina Vogt;Nina@example.org;Northbank;DBA;olga@example.org;databases
Maria Keller;maria@example.org;;Advisor;;
Rolf Meier;rolf@example.org;;;;
Nobody;not an address;;;;
Eve;eve@example.org;Atlantis;;;
"""


def outcomes(lines: list[desk.Line]) -> list[str]:
    return [line.outcome for line in lines]


def test_it_is_tried_first_and_done_then(world: World) -> None:
    entries = Entry.objects.count()
    tried = desk.bring_in("people", content=PEOPLE, is_trial=True, **world.by(world.ada))
    assert outcomes(tried) == ["added", "changed", "unchanged", "refused", "refused"]
    assert tried[1].fields == ("title",)
    assert [line.field for line in tried[3:]] == ["email", "organization"]
    assert (Person.objects.filter(name="Nina Vogt").exists(), Entry.objects.count()) == (False, entries)
    done = desk.bring_in("people", content=PEOPLE, is_trial=False, **world.by(world.ada))
    assert outcomes(done) == outcomes(tried)
    nina = people.person_by_address("nina@example.org")
    assert nina is not None
    assert (nina.manager, nina.organization, list(people.members(world.dba_team.pk)).count(nina)) == (world.olga, world.bank, 1)
    again = desk.bring_in("people", content=PEOPLE, is_trial=False, **world.by(world.ada))
    assert outcomes(again) == ["unchanged", "unchanged", "unchanged", "refused", "refused"]


def test_teams_and_services(world: World) -> None:
    teams = "name,line,lead\nNetwork,2,lena@example.org\nDatabases,3,\nWrong,7,\n"
    assert outcomes(desk.bring_in("teams", content=teams, is_trial=False, **world.by(world.ada))) == [
        "added",
        "unchanged",
        "refused",
    ]
    assert Team.objects.get(slug="network").lead == world.lena
    rows = "name,team,criticality,needs\nE-banking,network,1,account-look-up;ledger-database\nPrinting,,2,\n"
    assert outcomes(desk.bring_in("services", content=rows, is_trial=False, **world.by(world.ada))) == ["added", "changed"]
    row = services.by_ref("e-banking")
    assert row is not None
    assert [need.slug for need in services.needs(row.pk)] == ["account-look-up", "ledger-database"]


def test_a_file_brings_nobody_beyond_ones_administration(world: World) -> None:
    """A16: rows that name people, organizations or teams of others are refused."""
    admin = world._person("Olaf Other", world.other)
    world._grant(admin, "administrator", organization=world.other)
    rows = (
        "name,email,organization,manager,teams\n"
        "Maria Taken,maria@example.org,,,\n"
        "Eve,eve@example.org,northbank,,\n"
        "Adam,adam@example.org,othertown,olga@example.org,\n"
        "Abel,abel@example.org,othertown,,databases\n"
        "Nils Neu,nils@example.org,othertown,,\n"
    )
    lines = desk.bring_in("people", content=rows, is_trial=False, **world.by(admin))
    assert outcomes(lines) == ["refused"] * 4 + ["added"]
    assert set(
        outcomes(desk.bring_in("teams", content="name,line\nDatabases,1\nNew,1\n", is_trial=False, **world.by(admin)))
    ) == {"refused"}
    assert outcomes(desk.bring_in("people", content=rows, is_trial=False, **world.by(world.jonas))) == ["refused"] * 5
    assert not Person.objects.filter(name__in=["Maria Taken", "Eve", "Adam", "Abel"]).exists()


@pytest.mark.parametrize("content", ["", "name", "mail\nx", 'name,email\n"x', "name,shoe_size\nx,44\n", "\x00\x00PK\x03\x04"])
def test_what_is_no_such_file_is_refused_whole(world: World, content: str) -> None:
    with pytest.raises(Invalid):
        desk.bring_in("people", content=content, is_trial=False, **world.by(world.ada))


def test_on_the_page(world: World, client: Any) -> None:
    client.force_login(world.ada)
    sent = {"kind": "people", "file": SimpleUploadedFile("people.csv", PEOPLE.encode())}
    page = client.post("/setup/import", sent).content.decode()
    assert "1 added" in page
    assert "2 refused" in page
    assert not Person.objects.filter(name="Nina Vogt").exists()
    assert client.post("/setup/import", {"kind": "people", "content": PEOPLE, "do": "1"}).headers["Location"] == "/setup/people"
    assert Person.objects.filter(name="Nina Vogt").exists()
    client.force_login(world.jonas)
    assert client.get("/setup/import").status_code == 403
    client.force_login(world.audrey)
    assert client.get("/setup/import").status_code == 403
