"""The worked examples of docs/use/clocks.md are so."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.support.tales import Tale, agreed, calendar, hours, instant, local, target

PAGE = Path(__file__).parents[2] / "docs" / "use" / "clocks.md"
EXAMPLES = re.findall(r"^```clock\n(.*?)^```", PAGE.read_text(), re.M | re.S)
_PERIOD = re.compile(r"(\d\d):(\d\d)-(\d\d):(\d\d)")
_ACT = re.compile(r"(\w{3}) (\d{4}-\d\d-\d\d \d\d:\d\d)  (.+)")
ACTS: dict[str, Callable[..., Tale]] = {
    "answered": Tale.answered,
    "goes on": Tale.goes_on,
    "resolved": Tale.resolved,
    "closed": Tale.closed,
    "reopened": Tale.reopened,
}


def _promised(said: str) -> dict[str, Any]:
    """ "resolution in 8 h, pausing for requester, for priority 1" """
    head, *parts = said.split(", ")
    metric, amount = head.split(" in ")
    more: dict[str, Any] = {}
    for part in parts:
        words = part.split()
        match words:
            case ["pausing", "for", reason]:
                more["pauses"] = [reason]
            case ["for", "priority", rank]:
                more["priorities"] = [int(rank)]
            case ["until", stop]:
                more["stop"] = stop
            case ["from", cutoff, "on", "as", "of", opening]:
                more |= {"cutoff": cutoff, "opening": opening}
            case ["warning", "at", share, "%"]:
                more["warn"] = {"share": int(share) / 100}
            case ["warning", minutes, "min", "before"]:
                more["warn"] = {"minutes": int(minutes)}
            case _:
                raise ValueError(part)
    return target(metric.replace(" ", "_"), amount, **more)


def _told(lines: list[str]) -> tuple[Tale, dict[str, str]]:
    tale, results = None, dict[str, str]()
    for line in lines:
        if not (matched := _ACT.fullmatch(line)):
            name, _, value = line.partition("  ")
            results[name] = value
            continue
        day, at, act = matched.groups()
        assert local(instant(at)).startswith(day), f"{at} is no {day}"
        if act == "opened":
            tale = Tale(at)
            continue
        assert tale is not None
        match act.split():
            case ["waits", "for", reason]:
                tale.waits(at, on=reason)
            case ["gets", "priority", rank]:
                tale.rated(at, int(rank))
            case _:
                ACTS[act](tale, at)
    assert tale is not None
    return tale, results


@pytest.mark.parametrize("example", EXAMPLES, ids=range(1, len(EXAMPLES) + 1))
def test_an_example_of_the_page_is_so(example: str) -> None:
    lines = example.splitlines()
    promised = [_promised(line.partition("  ")[2]) for line in lines if line.startswith("promised  ")]
    tale, said = _told([line for line in lines if not line.startswith("promised  ")])
    periods = tuple(
        (int(a) * 60 + int(b), int(c) * 60 + int(d)) for a, b, c, d in _PERIOD.findall(said.pop("hours", "09:00-17:00"))
    )
    days = ("mon", "tue", "wed", "thu", "fri", "sat", "sun") if " daily" in example else ()
    closed = {said.pop("closed"): "Closed"} if "closed" in said else {}
    book = agreed(*promised, calendars={"office": calendar(periods, *days, holidays=closed)})
    clock = tale.clock(book, promised[0]["metric"])
    assert said, "an example says how it ends"
    for name, value in said.items():
        match name:
            case "due":
                assert local(clock.due_at) == value
            case "warned":
                assert local(clock.warn_at) == value
            case "worked":
                assert clock.working == hours(float(value.removesuffix(" h")))
            case "left":
                assert clock.left == hours(float(value.removesuffix(" h")))
            case "is":
                verdict = "met" if clock.is_met else "missed" if clock.breached_at else "open"
                assert verdict + (", by the change of priority" if clock.is_rerated else "") == value
            case _:
                raise ValueError(name)


def test_the_page_has_examples() -> None:
    assert len(EXAMPLES) >= 25
