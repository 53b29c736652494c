"""Who is on call, asked at the command line."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings

from allswell.desk import policies, rotas
from allswell.kernel import clock
from allswell.oncall import queries
from allswell.oncall.models import Rota
from tests.cli.conftest import Done
from tests.support.world import World


@pytest.fixture(autouse=True)
def rota(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clock, "now", lambda: world.now)
    layer: dict[str, Any] = {"name": "First", "first_on": "2026-11-23", "people": [world.amir.pk, world.priya.pk]}
    layer["week"] = [["09:00-17:00"]] * 5 + [[], []]
    rotas.create_rota(name="Databases", team="databases", definition={"zone": "UTC", "layers": [layer]}, **world.by(world.lena))


def test_who_is_on_call(world: World, allswell: Callable[..., Done]) -> None:
    done = allswell("oncall", "who", "--service", world.ledger.slug, "--json")
    assert done.code == 0
    (said,) = json.loads(done.out)["items"]
    assert (said["rota"], said["person"], said["is_gap"]) == ("databases", "Amir Haddad", False)
    done = allswell("oncall", "who", "--team", "databases")
    assert done.out.startswith("Databases, level 1: Amir Haddad until 2026-11-23 ")


def test_a_gap_ends_with_one(allswell: Callable[..., Done]) -> None:
    done = allswell("oncall", "who", "--at", "2026-11-28T12:00+00:00")
    assert (done.code, "nobody (a gap)" in done.out) == (1, True)


@pytest.mark.parametrize("wrong", [("--rota", "nothing"), ("--at", "soon"), ("--at", "2150-01-01"), ("--team", "nothing")])
def test_wrong_use_ends_with_two(allswell: Callable[..., Done], wrong: tuple[str, str]) -> None:
    done = allswell("oncall", "who", *wrong)
    assert (done.code, done.out) == (2, "")
    assert done.err.count("\n") == 1


@pytest.fixture
def policy(world: World) -> None:
    """Amir or Priya, then the lead, for the databases."""
    rota = queries.rotas().get()
    first = {"targets": [{"kind": "rota", "rota": rota.pk, "level": 1}], "wait": 300}
    lead = {"targets": [{"kind": "lead", "team": world.dba_team.pk}], "wait": 300}
    definition = {"steps": [first, lead], "repeat": 0}
    row = policies.create_policy(name="Databases", team="databases", definition=definition, **world.by(world.lena))
    policies.use_for_team("databases", policy=row.pk, **world.by(world.lena))


@pytest.mark.usefixtures("policy")
def test_what_would_happen(world: World, allswell: Callable[..., Done]) -> None:
    done = allswell("oncall", "simulate", "--service", world.ledger.slug, "--at", "2026-11-23T10:00+00:00", "--json")
    said = json.loads(done.out)
    assert (done.code, said["policy"], said["starts"]) == (0, "databases", True)
    assert [[call["person"] for call in moment["calls"]] for moment in said["moments"]] == [["Amir Haddad"], ["Lena Frei"], []]
    done = allswell(
        "oncall", "simulate", "--policy", "databases", "--at", "2026-11-23T10:00+00:00", "--answered", "2:3", "--broken"
    )
    assert done.out.count("Lena Frei") == 2
    assert "the promise is over without a word" in done.out
    done = allswell("oncall", "simulate", "--team", "databases", "--at", "2026-11-28T12:00+00:00")
    assert "step 1 calls nobody and does not wait: nobody is there" in done.out


def test_the_hour_that_comes_twice(world: World, monkeypatch: pytest.MonkeyPatch, allswell: Callable[..., Done]) -> None:
    monkeypatch.setattr(settings, "DEFAULT_TIME_ZONE", "Europe/Zurich")
    asked = ("oncall", "simulate", "--service", world.ledger.slug, "--at", "2026-10-25 02:30")
    assert "this is the first (2026-10-25 02:30 CEST)" in allswell(*asked).out
    done = allswell(*asked, "--second")
    assert "this is the second (2026-10-25 02:30 CET)" in done.out
    assert (done.code, "no policy is in force here" in done.out) == (1, True)


def test_who_at_the_hour_that_comes_twice(world: World, monkeypatch: pytest.MonkeyPatch, allswell: Callable[..., Done]) -> None:
    monkeypatch.setattr(settings, "DEFAULT_TIME_ZONE", "Europe/Zurich")
    asked = ("oncall", "who", "--at", "2027-10-31 02:30", "--json")
    first, second = allswell(*asked), allswell(*asked, "--second")
    assert json.loads(first.out)["at"] == "2027-10-31T00:30:00+00:00"
    assert json.loads(second.out)["at"] == "2027-10-31T01:30:00+00:00"
    assert first.err == "The clocks show this time twice; 02:30 CEST is taken, the first; --second is the other.\n"
    assert second.err == "The clocks show this time twice; 02:30 CET is taken, the second.\n"
    skipped = allswell("oncall", "who", "--at", "2027-03-28 02:30", "--json")
    assert (json.loads(skipped.out)["at"], "03:30 CEST is taken" in skipped.err) == ("2027-03-28T01:30:00+00:00", True)
    said = allswell("oncall", "who", "--at", "2027-10-31T02:30+01:00", "--json")
    assert (json.loads(said.out)["at"], said.err) == ("2027-10-31T02:30:00+01:00", "")
    for item in json.loads(said.out)["items"]:
        assert datetime.fromisoformat(item["starts_at"]).utcoffset() is not None
    assert "(Europe/Zurich)" in allswell("oncall", "who").out


@pytest.mark.usefixtures("policy")
def test_who_would_not_be_reached_ends_with_one(world: World, allswell: Callable[..., Done]) -> None:
    done = allswell("oncall", "coverage", "--weeks", "1", "--json")
    said = {one["service"]: one for one in json.loads(done.out)["services"]}
    assert done.code == 1
    assert {gap["lack"] for gap in said[world.ledger.slug]["gaps"]} == {"one_way"}  # e-mail alone
    assert said[world.printing.slug]["gaps"][0]["lack"] == "no_policy"
    assert "Amir Haddad, Lena Frei called by one way only" in allswell("oncall", "coverage", "--weeks", "1").out


@pytest.mark.parametrize(
    "wrong",
    [
        ("simulate",),
        ("simulate", "--service", "nothing"),
        ("simulate", "--team", "databases", "--at", "soon"),
        ("simulate", "--team", "databases", "--at", "2150-01-01"),
        ("simulate", "--team", "databases", "--priority", "9"),
        ("simulate", "--team", "databases", "--answered", "soon"),
        ("coverage", "--weeks", "0"),
        ("coverage", "--within", "100000"),
    ],
)
def test_wrong_questions_end_with_two(allswell: Callable[..., Done], wrong: tuple[str, ...]) -> None:
    done = allswell("oncall", *wrong)
    assert (done.code, done.out) == (2, "")
    assert done.err.count("\n") == 1


def test_rotas_are_taken_out_compared_and_brought_in(world: World, tmp_path: Path, allswell: Callable[..., Done]) -> None:
    file = tmp_path / "oncall.json"
    done = allswell("oncall", "export", str(file), "--leave")
    assert (done.code, done.out) == (0, f"1 rotas and 0 policies are in {file}.\n")
    assert allswell("oncall", "export").out == file.read_text().replace(',\n  "leave": []', "")
    assert allswell("oncall", "diff", str(file)).code == 0
    form = json.loads(file.read_text())
    form["rotas"][0]["name"] = "Data"
    form["rotas"].append({**form["rotas"][0], "slug": "storage"})
    file.write_text(json.dumps(form))
    done = allswell("oncall", "diff", str(file))
    assert (done.code, '+      "name": "Data",' in done.out) == (1, True)
    tried = allswell("oncall", "import", str(file), "--dry-run")
    assert (tried.code, tried.out) == (0, "~ rota databases: name\n+ rota storage (65 shifts move)\nNothing was written.\n")
    assert Rota.objects.count() == 1
    done = allswell("oncall", "import", str(file), "--json")
    assert [one["outcome"] for one in json.loads(done.out)["items"]] == ["changed", "added"]
    assert allswell("oncall", "diff", str(file)).code == 0


def test_how_people_are_reached_is_taken_out_and_brought_in(world: World, tmp_path: Path, allswell: Callable[..., Done]) -> None:
    quiet = {"person": "amir@example.org", "ways": [], "quiet_hours": {"since": "22:00", "until": "07:00"}}
    lacking = {"kind": "email", "label": "Second", "address": None}
    file = tmp_path / "oncall.json"
    file.write_text(json.dumps({"form": 1, "contacts": [{**quiet, "ways": [lacking]}]}))
    assert allswell("oncall", "diff", str(file)).code == 1
    done = allswell("oncall", "import", str(file))
    assert (
        "~ contacts amir@example.org: quiet_hours\n! contact amir@example.org email:Second (the document has no address"
        in done.out
    )
    (said,) = json.loads(allswell("oncall", "export", "--contacts").out)["contacts"]
    assert (said["person"], said["quiet_hours"]) == ("amir@example.org", quiet["quiet_hours"])


def test_a_document_that_is_wrong_is_one_line_with_its_place(tmp_path: Path, allswell: Callable[..., Done]) -> None:
    file = tmp_path / "oncall.yaml"
    file.write_text(
        "form: 1\nrotas:\n- slug: x\n  name: X\n  team: nobodys\n  versions: [{definition: {zone: UTC, layers: []}}]\n"
    )
    for what in (("import",), ("import", "--dry-run"), ("diff",)):
        done = allswell("oncall", *what, str(file))
        assert (done.code, done.out, done.err) == (2, "", "allswell: rotas.0.team: There is no team nobodys here.\n")
    for wrong in (("import", "/nowhere"), ("diff", str(tmp_path)), ("export", str(tmp_path))):
        done = allswell("oncall", *wrong)
        assert (done.code, done.err.count("\n")) == (2, 1)
