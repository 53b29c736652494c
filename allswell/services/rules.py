"""What breaks with a service. Pure."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Mapping


def blast_radius(item: int, *, needed_by: Mapping[int, Iterable[int]]) -> list[int]:
    """Everything that suffers, directly or not, when `item` fails; nearest first, without `item`; loops are harmless."""
    found: list[int] = []
    seen, waiting = {item}, deque([item])
    while waiting:
        for downstream in needed_by.get(waiting.popleft(), ()):
            if downstream not in seen:
                seen.add(downstream)
                found.append(downstream)
                waiting.append(downstream)
    return found


def impact_of(criticality: int, people_affected: int | None) -> int:
    """Default impact, 1 (highest) to 4: the service's criticality, one worse from 10 and two worse from 100 people affected,
    one better when it is known to be a single person."""
    impact = criticality
    if people_affected is not None:
        impact += -2 if people_affected >= 100 else -1 if people_affected >= 10 else 1 if people_affected <= 1 else 0
    return min(4, max(1, impact))
