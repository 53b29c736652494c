"""How well it works: learned from the earlier tickets, asked about the later ones, beside the plainest ways to tell. Pure.

Never a random split: tickets of one outage would stand on both sides, and what is asked for is tomorrow.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import numpy as np

from .facts import Facts
from .learning import TRUSTED, counted, train
from .model import Model

#: the share of all tickets that is asked about
TEST_SHARE = 0.2
_BINS = 5
_AT_A_TIME = 1_000


@dataclass(frozen=True, slots=True)
class Example:
    """A ticket as it opened and the label that proved right; `given`: the label people gave it at first, "" where none is known."""

    facts: Facts
    label: str
    given: str = ""
    at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Score:
    """How many of `asked` had the right label first, and among the first three."""

    first: int
    among_three: int
    asked: int

    @property
    def figures(self) -> dict[str, float | None]:
        """Shares, None where nothing was asked."""
        share = [round(one / self.asked, 4) if self.asked else None for one in (self.first, self.among_three)]
        return {"top1": share[0], "top3": share[1]}


def in_order(examples: Sequence[Example]) -> tuple[list[Example], str]:
    """The examples in the order of time; in their own where the instants of more than one in twenty are unknown."""
    unknown = sum(1 for one in examples if one.at is None)
    if not examples or unknown * 20 > len(examples):
        return list(examples), "file"
    latest = max(one.at for one in examples if one.at is not None)
    return sorted(examples, key=lambda one: one.at or latest), "opened_at"


def evaluate(examples: Sequence[Example], target: str, *, test_share: float = TEST_SHARE) -> dict[str, Any]:
    """What a model of the earlier examples says of the later ones, as figures."""
    usable, order = in_order([one for one in examples if one.label])
    earlier = len(usable) - int(len(usable) * test_share)
    past, asked = usable[:earlier], usable[earlier:]
    model = train([one.facts.without(target) for one in past], [one.label for one in past])
    rows, right = _told(model, asked, target)
    report: dict[str, Any] = {
        "target": target,
        **_score(rows, right).figures,
        "n": len(asked),
        "n_train": len(past),
        "labels": len(model.labels),
        "labels_never_seen_before": sum(1 for one in asked if one.label not in model.labels),
        "without_label": len(examples) - len(usable),
        "order": order,
        "asked_from": asked[0].at.isoformat() if order == "opened_at" and asked and asked[0].at else None,
        "baselines": {
            "majority": _score(_majority(past, asked), right).figures,
            "category": _score(_by_category(past, asked, target), right).figures,
        },
        "calibration": _calibration(rows, right),
        "trust": dict(zip(TRUSTED, model.trust, strict=False)),
    }
    given = [one for one in asked if one.given]
    if given:
        hits = sum(1 for one in given if one.given == one.label)
        report["baselines"]["first_given"] = {"top1": round(hits / len(given), 4), "top3": None, "n": len(given)}
    return report


Told = list[list[tuple[str, float]]]


def _told(model: Model, asked: Sequence[Example], target: str) -> tuple[Told, list[str]]:
    rows: Told = []
    for start in range(0, len(asked), _AT_A_TIME):
        part = [one.facts.without(target) for one in asked[start : start + _AT_A_TIME]]
        for row in model.probabilities(part) if model.labels else []:
            rows.append([(model.labels[at], float(row[at])) for at in np.argsort(-row, kind="stable")[:3]])
    return rows, [one.label for one in asked]


def _score(rows: Told, right: Sequence[str]) -> Score:
    first = sum(1 for row, label in zip(rows, right, strict=False) if row and row[0][0] == label)
    among = sum(1 for row, label in zip(rows, right, strict=False) if label in [name for name, _ in row])
    return Score(first, among, len(right))


def _majority(past: Sequence[Example], asked: Sequence[Example]) -> Told:
    most = [(label, 0.0) for label, _ in counted([one.label for one in past])[:3]]
    return [most for _ in asked]


def _by_category(past: Sequence[Example], asked: Sequence[Example], target: str) -> Told:
    """The labels most often right in the category (or else of the service), then those most often right at all."""
    field = "category" if target != "category" else "service"
    seen: dict[str, Counter[str]] = defaultdict(Counter)
    for one in past:
        seen[one.facts.names.get(field, "")][one.label] += 1
    anyway = [label for label, _ in counted([one.label for one in past])[:3]]
    rows: Told = []
    for one in asked:
        here = seen.get(one.facts.names.get(field, ""), Counter())
        best = [label for label, _ in sorted(here.items(), key=lambda pair: (-pair[1], pair[0]))]
        rows.append([(label, 0.0) for label in dict.fromkeys([*best, *anyway])][:3])
    return rows


def _calibration(rows: Told, right: Sequence[str]) -> dict[str, Any]:
    """How far the confidence of the first label is from how often it was right, in fifths from 0 to 1."""
    bins: list[list[tuple[float, bool]]] = [[] for _ in range(_BINS)]
    for row, label in zip(rows, right, strict=False):
        bins[min(int(row[0][1] * _BINS), _BINS - 1)].append((row[0][1], row[0][0] == label))
    told, error = [], 0.0
    for at, one in enumerate(bins):
        if not one:
            continue
        confidence = sum(sure for sure, _ in one) / len(one)
        accuracy = sum(hit for _, hit in one) / len(one)
        error += abs(confidence - accuracy) * len(one) / len(rows)
        told.append(
            {
                "from": at / _BINS,
                "to": (at + 1) / _BINS,
                "n": len(one),
                "confidence": round(confidence, 4),
                "accuracy": round(accuracy, 4),
            }
        )
    return {"expected_error": round(error, 4) if rows else None, "bins": told}
