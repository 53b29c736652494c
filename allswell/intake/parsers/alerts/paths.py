"""Paths into a message, for mappings that people write.

`labels.host`, `alerts[0].name`, `alerts[*].labels.host`, `fields[key=severity].value`, `"service.name"` for names with dots, `*` for
everything in an object, `$.` for the top of the message (inside of a list that is gone through), `@` for the entry itself, and `a|b` for
the first of two that says something.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from itertools import pairwise
from typing import Any

from .reading import said
from .shape import Malformed

LONGEST, STEPS, MOST = 400, 20, 2_000

_STEP = re.compile(
    r'\.?(?:"(?P<quoted>[^"]+)"|(?P<each>\*|\[\*\])|\[(?P<index>-?\d{1,6})\]|\[(?P<field>[^\]=]+)=(?P<value>[^\]]*)\]|(?P<name>[^.\[\]"|*]+))'
)
_BETWEEN = re.compile(r'"[^"]*"|\[[^\]]*\]|\|')
Step = Callable[[Any], Iterable[Any]]


class Path:
    """A path that was read once and is walked often."""

    def __init__(self, written: str) -> None:
        """Raises Malformed, with what is wrong."""
        if len(written) > LONGEST:
            raise Malformed(f"The path is longer than {LONGEST} characters.")
        self._ways = [_way(one.strip()) for one in _alternatives(written)]

    def all_in(self, entry: Any, top: Any, *, most: int = MOST) -> list[Any]:
        """Everything the first alternative that finds something finds, in order, at most `most`; nothing and empty texts are not found."""
        for from_top, steps in self._ways:
            found = [top if from_top else entry]
            for step in steps:
                found = [inner for value in found for inner in step(value)][:most]
            if found := [value for value in found if value is not None and value != ""]:
                return found
        return []

    def first_in(self, entry: Any, top: Any) -> Any:
        """The first of them, None when there is none."""
        found = self.all_in(entry, top)
        return found[0] if found else None


def _alternatives(written: str) -> list[str]:
    cuts = [-1, *(found.start() for found in _BETWEEN.finditer(written) if found[0] == "|"), len(written)]
    return [written[start + 1 : end] for start, end in pairwise(cuts)]


def _way(written: str) -> tuple[bool, list[Step]]:
    from_top = written == "$" or written.startswith(("$.", "$["))
    rest = written[1:] if from_top else written
    if not rest and not from_top:
        raise Malformed("A path is empty.")
    if rest in ("@", "", "."):
        return from_top, []
    steps: list[Step] = []
    at = 0
    while at < len(rest):
        found = _STEP.match(rest, at)
        if found is None or len(steps) == STEPS:
            raise Malformed(f"The path cannot be read from “{rest[at : at + 30]}” on.")
        steps.append(_step(found))
        at = found.end()
    return from_top, steps


def _step(found: re.Match[str]) -> Step:
    if found["each"]:
        return lambda value: value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    if found["index"]:
        index = int(found["index"])
        return lambda value: [value[index]] if isinstance(value, list) and -len(value) <= index < len(value) else ()
    if found["field"]:
        field, wanted = found["field"].strip(), found["value"].strip().strip("\"'")
        return lambda value: (
            [one for one in value if isinstance(one, dict) and said(one.get(field)) == wanted] if isinstance(value, list) else ()
        )
    name = found["quoted"] or (found["name"] or "").strip()
    return lambda value: [value[name]] if isinstance(value, dict) and name in value else ()
