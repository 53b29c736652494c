"""The operator asks why a clock is due, and has the clocks worked out again."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml

from allswell.cli import asking
from allswell.desk import tickets as desk
from allswell.journal.models import Entry
from allswell.sla.models import Clock
from tests.support.promises import promise, target
from tests.support.world import World

Run = Callable[..., Any]


@pytest.fixture
def broken(world: World) -> Clock:
    """A clock somebody changed behind the back of the journal."""
    promise(world, target("resolution", 240))
    world.report()
    ticket = world.report(title="Its clock is wrong")
    desk.take(ticket.pk, **world.by(world.jonas))
    clock = Clock.objects.get(ticket=ticket)
    Clock.objects.filter(pk=clock.pk).update(due_at=clock.due_at + timedelta(hours=1))
    return clock


def test_a_clock_is_explained_line_by_line(world: World, allswell: Run) -> None:
    promise(world, target("resolution", 240))
    number = world.report().pk
    done = allswell("clocks", "explain", f"INC-{number}")
    assert done.code == 0
    assert "Account look-up is down" in done.out
    assert "due Mon 23 Nov 2026, 13:00." in done.out
    (clock,) = json.loads(allswell("clocks", "explain", str(number), "--json").out)["clocks"]
    assert (clock["metric"], clock["due_at"]) == ("resolution", "2026-11-23T13:00:00+00:00")


def test_a_ticket_without_a_promise_says_so(world: World, allswell: Run) -> None:
    assert "has no clocks" in allswell("clocks", "explain", str(world.report().pk)).out
    assert allswell("clocks", "explain", "INC-999999").code == 2
    assert allswell("clocks", "explain", "what").err == "allswell: Give a number or reference of a ticket, such as INC-1042.\n"


def test_what_differs_is_shown_and_not_written_unless_asked(broken: Clock, allswell: Run) -> None:
    done = allswell("clocks", "replay", "--dry-run")
    assert done.code == 1
    assert f"~ INC-{broken.ticket_id}" in done.out
    assert "due_at 2026-11-23 14:00:00 -> 2026-11-23 13:00:00" in done.out
    assert "1 of 2 tickets differ: 1 clocks counted otherwise. Nothing was written yet." in done.out
    done = allswell("clocks", "replay")
    assert (done.code, "--yes or --dry-run is needed" in done.err) == (2, True)
    assert Clock.objects.get(pk=broken.pk).due_at != broken.due_at


def test_yes_writes_it_and_the_journal_keeps_what_was(broken: Clock, allswell: Run) -> None:
    said = json.loads(allswell("clocks", "replay", "--yes", "--json").out)
    assert (said["differences"], said["is_written"], said["touched"]) == ({"changed": 1}, True, 1)
    assert Clock.objects.get(pk=broken.pk).due_at == broken.due_at
    kept = Entry.objects.get(verb="clock.replayed")
    assert (kept.ticket_id, kept.actor_kind) == (broken.ticket_id, "setup")
    assert kept.data["was"][0]["before"]["due_at"].startswith("2026-11-23T14:00")
    done = allswell("clocks", "replay", "--dry-run")
    assert (done.code, done.out) == (0, "The clocks of 2 tickets follow from the journal; nothing differs.\n")


@pytest.mark.parametrize(("answer", "code"), [("no", 1), ("", 1), ("yes", 0)])
def test_somebody_at_a_terminal_is_asked(
    broken: Clock, allswell: Run, monkeypatch: pytest.MonkeyPatch, answer: str, code: int
) -> None:
    monkeypatch.setattr(asking, "is_terminal", lambda: True)
    monkeypatch.setattr("builtins.input", lambda: answer)
    assert allswell("clocks", "replay").code == code
    assert (Clock.objects.get(pk=broken.pk).due_at == broken.due_at) is (code == 0)


def test_only_some_tickets_are_looked_at(broken: Clock, allswell: Run) -> None:
    assert allswell("clocks", "replay", "--dry-run", "--ticket", str(broken.ticket_id - 1)).code == 0
    assert allswell("clocks", "replay", "--dry-run", "--ticket", f"INC-{broken.ticket_id}").code == 1
    assert allswell("clocks", "replay", "--dry-run", "--since", "2026-11-24").code == 0
    assert allswell("clocks", "replay", "--dry-run", "--since", "2026-11-23").code == 1
    assert allswell("clocks", "replay", "--since", "soon").err == "allswell: --since takes a date such as 2026-10-01.\n"
    assert allswell("clocks", "replay", "--ticket", "77").err == "allswell: There is no ticket 77.\n"


def test_other_terms_are_tried_without_writing(world: World, allswell: Run, tmp_path: Path) -> None:
    promise(world, target("resolution", 240))
    for hours in (1, 3, 5):
        number = world.report().pk
        world.forward(hours=hours)
        desk.resolve(number, code="fixed", **world.by(world.jonas))
    terms = {"name": "Quick", "targets": [target("resolution", 120)], "services": []}
    file = tmp_path / "quick.yaml"
    file.write_text(yaml.safe_dump({"zone": "Europe/Zurich", "agreements": [terms]}))
    entries, clocks = Entry.objects.count(), list(Clock.objects.values())
    asked = ("clocks", "what-if", "--agreement", str(file), "--since", "2026-11-01", "--until", "2026-12-01")
    said = json.loads(allswell(*asked, "--json").out)
    (row,) = said["promises"]
    assert (said["tickets"], said["differences"]) == (3, 1)
    assert row["before"] == {"kept": 2, "missed": 1, "open": 0, "attainment": pytest.approx(200 / 3)}
    assert row["after"] == {"kept": 1, "missed": 2, "open": 0, "attainment": pytest.approx(100 / 3)}
    words = allswell(*asked).out
    assert "66.6 %" in words
    assert "Resolution: kept -> missed" in words
    assert (Entry.objects.count(), list(Clock.objects.values())) == (entries, clocks)


def test_terms_that_cannot_be_tried_are_refused_with_a_sentence(world: World, allswell: Run, tmp_path: Path) -> None:
    file = tmp_path / "terms.yaml"
    file.write_text(yaml.safe_dump({"agreements": [{"name": "A", "targets": [target("resolution", 0)]}]}))
    asked = ("clocks", "what-if", "--agreement", str(file), "--since", "2026-11-01")
    assert "targets.0.within.amount" in allswell(*asked).err
    assert allswell(*asked, "--name", "B").err == "allswell: The file has no agreement B.\n"
    assert "There is no file of agreements" in allswell("clocks", "what-if", "--agreement", "none", "--since", "2026-11-01").err
