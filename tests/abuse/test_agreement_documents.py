"""Files of agreements and mappings as somebody with bad intent writes them: refused with a sentence, whatever is in them."""

from __future__ import annotations

import contextlib
from datetime import date, datetime
from pathlib import Path
from typing import Any

import pytest

from allswell.desk import agreement_files
from allswell.intake import readers
from allswell.kernel.actor import setup
from allswell.kernel.errors import DeskError, Invalid
from allswell.services.models import ConfigurationItem
from allswell.sla.models import Agreement
from tests.support.promises import target
from tests.support.world import World

LAUGHS = "\n".join(
    ["a0: &a0 [lol, lol, lol, lol, lol, lol, lol, lol, lol, lol]"]
    + [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 12)]
)
MERGED = "\n".join(
    ["b0: &b0 {x: 1}"] + [f"b{n}: &b{n} {{<<: [{', '.join([f'*b{n - 1}'] * 10)}], y{n}: 1}}" for n in range(1, 12)]
)
FILES = {
    "a file that unfolds to billions": f"zone: UTC\n{LAUGHS}\nagreements: *a11",
    "a zone that unfolds to billions": "agreements: []\nzone:\n  " + LAUGHS.replace("\n", "\n  "),
    "merging without end": f"agreements: []\n{MERGED}",
    "what holds itself": "agreements: &a [*a]",
    "a name said twice": "name: one\nname: two\nagreements: []",
    "targets said twice": "agreements:\n- name: A\n  targets: []\n  targets: [{metric: resolution}]",
    "a program": "agreements: !!python/object/apply:os.system ['true']",
    "a very large number": "agreements: []\nzone: 0x" + "f" * 100_000,
    "nothing": "",
    "a list": "[1, 2]",
    "very deep": "agreements: " + "[" * 1500 + "]" * 1500,
    "a NUL": "agreements: \x00",
    "no UTF-8": b"agreements: \xff\xfe",
}


@pytest.mark.parametrize("named", FILES)
def test_a_file_with_bad_intent_is_refused(named: str, tmp_path: Path) -> None:
    path, content = tmp_path / "file.yaml", FILES[named]
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    with pytest.raises(Invalid):
        agreement_files.read(str(path))
    with pytest.raises(Invalid):
        readers.mapping(str(path))


def test_what_is_shipped_says_a_part_again_and_may() -> None:
    raw = agreement_files.read("servicenow-audit")
    assert raw["agreements"]


RIGHT: dict[str, Any] = {
    "zone": "UTC",
    "agreements": [{"name": "Fine", "targets": [target("resolution", 60)], "services": ["Cash desks"]}],
}
WEEK = {"monday": "08:00-17:00"}
ODD: tuple[dict[str, Any], ...] = (
    {"calendars": 5},
    {"calendars": "always"},
    {"calendars": {"slug": "a"}},
    {"calendars": [{"slug": "a", "name": "A", "zone": "UTC", "week": WEEK, "days": ["2026-12-25"]}]},
    {"calendars": [{"slug": "a", "name": "A", "zone": "UTC", "week": WEEK, "days": {"2026-12-25": "x" * 10_000}}]},
    {"calendars": [{"slug": "a", "name": "A", "zone": "UTC", "week": WEEK, "country": "XX"}]},
    {"calendars": [{"slug": "a", "name": "A", "zone": "UTC", "week": WEEK, "country": 5}]},
    {"calendars": [{"slug": "a", "name": "A", "zone": "UTC", "week": WEEK, "country": "CH", "subdivision": 5}]},
    {"calendars": [{"slug": "a", "name": "A", "zone": "UTC", "week": {}}]},
    {"calendars": [{"slug": "a", "name": "A", "zone": "UTC", "week": {5: "08:00-17:00"}}]},
    {"calendars": [{"slug": "x" * 61, "name": "A", "zone": "UTC", "week": WEEK}]},
    {"calendars": [{"slug": "../a b\n", "name": "A", "zone": "UTC", "week": WEEK}]},
    {"calendars": [{"slug": "5", "name": "A", "zone": "UTC", "week": WEEK}]},
    {"zone": "Nowhere/Land"},
    {"zone": 5},
    {"zone": "Asia/Tokyo", "in_force_from": "soon"},
    {"zone": "Nowhere/Land", "in_force_from": "2026-01-01"},
    {"organization": 5},
    {"organization": {"name": "x" * 10_000}},
    {"organization": {"name": "O", "priority_matrix": 5}},
    {"organization": {"name": "O", "closes_after_days": "x"}},
    {"organization": {"name": "O", "note": 5}},
    {"organization": {"name": "O", "kind": "x"}},
    {"agreements": [5]},
    {"agreements": [{"name": "x" * 10_000, "targets": [target("resolution", 60)]}]},
    {"agreements": [{"name": "A", "targets": [target("resolution", -60)]}]},
    {"agreements": [{"name": "A", "targets": [target("resolution", float("nan"))]}]},  # type: ignore[arg-type]
    {"agreements": [{"name": "A", "targets": [target("resolution", 60)], "services": 5}]},
    {"agreements": [{"name": "A", "targets": [target("resolution", 60)], "services": "Cash desks"}]},
    {"agreements": [{"name": "A", "targets": [target("resolution", 60)], "services": {"Cash": 1}}]},
    {"agreements": [{"name": "A", "audience": [], "targets": [target("resolution", 60)]}]},
    {"agreements": [{"name": "A", "team": [], "audience": "internal", "targets": [target("team_time", 60)]}]},
    {"agreements": [{"name": "A", "team": {"x": 1}, "audience": "internal", "targets": [target("team_time", 60)]}]},
    {"agreements": [{"name": "A", "team": 2**70, "audience": "internal", "targets": [target("team_time", 60)]}]},
    {"agreements": [{"name": "A", 5: 6, "targets": [target("resolution", 60)]}]},
    {"agreements": [{"name": "A", "kinds": [[]], "targets": [target("resolution", 60)]}]},
)


@pytest.mark.parametrize("odd", ODD, ids=range(len(ODD)))
def test_odd_parts_of_a_file_are_refused_and_leave_nothing(world: World, odd: dict[str, Any]) -> None:
    before = ConfigurationItem.objects.count()
    with pytest.raises(DeskError):
        agreement_files.load({**RIGHT, **odd}, actor=setup(), now=world.now)
    assert Agreement.objects.count() == 0
    assert ConfigurationItem.objects.count() == before


@pytest.mark.parametrize("year", [1, 1969, 9999])
@pytest.mark.parametrize("zone", ["UTC", "Asia/Tokyo", "America/New_York"])
def test_days_at_the_ends_of_time_break_nothing(world: World, year: int, zone: str) -> None:
    for said in (date(year, 1, 1), date(year, 12, 31), datetime(year, 1, 1), datetime(year, 12, 31, 23, 59)):
        with contextlib.suppress(DeskError):
            agreement_files.load({**RIGHT, "zone": zone, "in_force_from": said}, actor=setup(), now=world.now)
