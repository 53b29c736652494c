"""What was learned: weights of hashed terms. It says what is likely, how likely, and which words decided; it holds no word itself. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from scipy.sparse import csr_matrix

from .columns import Block, beside
from .facts import Facts
from .words import reasons

#: fewer reasons than this share of the strongest are not said
_WORTH_SAYING = 0.1


@dataclass(frozen=True, slots=True)
class Member:
    """One way to tell: a score for each label, linear in the terms of its blocks."""

    blocks: tuple[Block, ...]
    weights: np.ndarray
    offset: np.ndarray

    def rows(self, facts: Sequence[Facts], letters: int) -> csr_matrix:
        """The terms of tickets as this member sees them."""
        return beside([block.rows(facts, letters) for block in self.blocks])

    def scores(self, rows: csr_matrix) -> np.ndarray:
        """A row for each ticket, a column for each label."""
        scores: np.ndarray = np.asarray(rows @ self.weights) + self.offset
        return scores


@dataclass(frozen=True, slots=True)
class Likely:
    """A label and how likely it is, 0 to 1."""

    label: str
    probability: float


@dataclass(frozen=True, slots=True)
class Because:
    """A word, or a field with its value (`field` is then set), that spoke for a label; `weight` is its share of all that did."""

    field: str
    word: str
    weight: float


@dataclass(frozen=True, slots=True)
class Model:
    """Members, how far each is trusted, and how often each label is right anyway."""

    labels: tuple[str, ...]
    prior: np.ndarray
    members: tuple[Member, ...] = ()
    #: how far the prior and each member are trusted
    trust: tuple[float, ...] = (1.0,)
    #: the share of later tickets whose label had been seen before
    seen: float = 1.0
    letters: int = 0
    trained_on: int = 0
    about: dict[str, float] = field(default_factory=dict)

    def logits(self, facts: Sequence[Facts]) -> np.ndarray:
        """The trusted scores of all members together."""
        total = np.tile(self.trust[0] * self.prior, (len(facts), 1))
        for trust, member in zip(self.trust[1:], self.members, strict=True):
            if trust > 0:
                total += trust * member.scores(member.rows(facts, self.letters))
        return total

    def probabilities(self, facts: Sequence[Facts]) -> np.ndarray:
        """A row for each ticket, a column for each of `labels`."""
        return softmax(self.logits(facts)) * self.seen

    def likely(self, facts: Facts, most: int = 3) -> list[Likely]:
        """The likeliest labels, best first."""
        if not self.labels:
            return []
        row = self.probabilities([facts])[0]
        return [Likely(self.labels[at], round(float(row[at]), 4)) for at in np.argsort(-row, kind="stable")[:most]]

    def because(self, facts: Facts, label: str, most: int = 5) -> list[Because]:
        """What spoke for a label: how much less likely it were without each word and each field."""
        if label not in self.labels or len(self.labels) < 2:
            return []
        at = self.labels.index(label)
        parts = list(reasons(facts))
        rows = self.logits([facts, *(without for _, _, without in parts)])
        log_odds = rows[:, at] - _log_sum(np.delete(rows, at, axis=1))
        gains = log_odds[0] - log_odds[1:]
        total = float(gains[gains > 0].sum())
        if total <= 0:
            return []
        order = np.argsort(-gains, kind="stable")[:most]
        best = float(gains[order[0]])
        return [
            Because(parts[which][0], parts[which][1], round(float(gains[which]) / total, 3))
            for which in order
            if gains[which] > best * _WORTH_SAYING
        ]


def softmax(logits: np.ndarray) -> np.ndarray:
    """Scores as shares of 1."""
    parts = np.exp(logits - logits.max(axis=1, keepdims=True))
    return np.asarray(parts / parts.sum(axis=1, keepdims=True))


def _log_sum(rows: np.ndarray) -> np.ndarray:
    most = rows.max(axis=1)
    return np.asarray(most + np.log(np.exp(rows - most[:, None]).sum(axis=1)))
