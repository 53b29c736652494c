"""Learning from tickets whose label is known: several plain members, and how far each is to be trusted, told by later tickets. Pure.

Nothing is drawn by chance: tickets are in the order of time, the newest fifth of what may be learned from says how far each member is
trusted, and then all of it is learned. Time and memory are bounded by looking at the newest tickets only where there are too many.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.optimize import minimize
from scipy.sparse import csr_matrix
from sklearn.svm import LinearSVC

from .columns import Block, beside, learn_block
from .facts import Facts
from .model import Member, Model, softmax

#: fewer tickets than this say how often a label is right, and nothing more
FEW = 20
#: tickets from which later ones tell how far members are trusted; with fewer, `_TRUST` is taken
_ENOUGH = 100
_TRUST = {"words": 1.5, "names": 1.0, "pairs": 0.5, "counts": 0.5}
#: numbers a member may hold, letters looked at in all tickets together, and terms times labels that are learned at most
_CELLS, _LETTERS, _WORK = 12_000_000, 5_000_000, 1_500_000_000
_NEWEST = 100_000
_LATER_SHARE, _LATER_MOST = 0.2, 4_000


@dataclass(frozen=True, slots=True)
class _Way:
    """A kind of member: the blocks it looks at, and how strictly it keeps to what it saw (0: it counts only)."""

    name: str
    blocks: tuple[str, ...]
    strict: float


_WAYS = (
    _Way("words", ("words", "letters", "names"), 1.0),
    _Way("names", ("names",), 1.0),
    _Way("pairs", ("pairs",), 0.5),
    _Way("counts", ("counts",), 0.0),
)


#: what `Model.trust` is told of, in its order
TRUSTED = ("prior", *(way.name for way in _WAYS))


def train(facts: Sequence[Facts], labels: Sequence[str]) -> Model:
    """A model of tickets in the order of time, each with the label that proved right."""
    facts, labels = list(facts)[-_NEWEST:], list(labels)[-_NEWEST:]
    known, truth = _numbered(labels)
    if len(known) < 2 or len(facts) < FEW:
        return Model(known, _prior(truth, len(known)), trained_on=len(facts))
    letters = min(1_500, max(40, _LETTERS // len(facts)))
    trust, seen = _trust(facts, labels, letters)
    members = tuple(_member(way, facts, truth, len(known), letters) for way in _WAYS)
    return Model(known, _prior(truth, len(known)), members, trust, seen, letters, len(facts))


def _numbered(labels: Sequence[str]) -> tuple[tuple[str, ...], np.ndarray]:
    known = tuple(sorted(set(labels)))
    place = {label: at for at, label in enumerate(known)}
    return known, np.array([place[label] for label in labels], dtype=np.int32)


def _prior(truth: np.ndarray, labels: int) -> np.ndarray:
    """How often each label is right, the newest half counted twice, as logarithms."""
    late = truth[len(truth) // 2 :]
    times = np.bincount(truth, minlength=labels) + np.bincount(late, minlength=labels) + 0.5
    return np.asarray(np.log(times / times.sum()))


def _trust(facts: Sequence[Facts], labels: Sequence[str], letters: int) -> tuple[tuple[float, ...], float]:
    """How far the prior and each member are trusted, and the share of later tickets whose label had been seen."""
    later = min(int(len(facts) * _LATER_SHARE), _LATER_MOST)
    earlier = len(facts) - later
    known, truth = _numbered(labels[:earlier])
    place = {label: at for at, label in enumerate(known)}
    told = [at for at in range(earlier, len(facts)) if labels[at] in place]
    seen = (len(told) + 1) / (later + 1) if later else 1.0
    if len(facts) < _ENOUGH or len(known) < 2 or not told:
        return (0.5, *(_TRUST[way.name] for way in _WAYS)), seen
    right = np.array([place[labels[at]] for at in told])
    asked = [facts[at] for at in told]
    scores = [np.tile(_prior(truth, len(known)), (len(told), 1))]
    for way in _WAYS:
        member = _member(way, facts[:earlier], truth, len(known), letters)
        scores.append(member.scores(member.rows(asked, letters)))
    return _trusted(np.array(scores), right), seen


def _trusted(scores: np.ndarray, right: np.ndarray) -> tuple[float, ...]:
    """The trust under which what proved right was likeliest."""
    rows = np.arange(len(right))

    def surprise(trust: np.ndarray) -> tuple[float, np.ndarray]:
        shares = softmax(np.tensordot(trust, scores, axes=1))
        slope = np.array([(shares * one).sum() - one[rows, right].sum() for one in scores])
        loss = -np.log(np.maximum(shares[rows, right], 1e-12)).sum()
        return float(loss / len(right) + 0.001 * (trust**2).sum()), slope / len(right) + 0.002 * trust

    start = np.array([0.5, *(_TRUST[way.name] for way in _WAYS)])
    found = minimize(surprise, start, jac=True, method="L-BFGS-B", bounds=[(0, 30)] * len(start))
    return tuple(round(float(one), 4) for one in found.x)


def _member(way: _Way, facts: Sequence[Facts], truth: np.ndarray, labels: int, letters: int) -> Member:
    most = max(1_000, _CELLS // labels // len(way.blocks))
    learned = [learn_block(kind, facts, letters, most, is_plain=not way.strict) for kind in way.blocks]
    blocks, rows = tuple(block for block, _ in learned), beside([rows for _, rows in learned])
    if not way.strict:
        return _counting(blocks, rows, truth, labels)
    newest = _within(rows, labels)
    return _linear(blocks, rows[newest:], truth[newest:], labels, way.strict)


def _within(rows: csr_matrix, labels: int) -> int:
    """Where the newest rows begin that can be learned in the time there is."""
    terms = np.cumsum(np.diff(rows.indptr)[::-1])
    return len(terms) - max(FEW, int(np.searchsorted(terms, _WORK // labels)))


def _linear(blocks: tuple[Block, ...], rows: csr_matrix, truth: np.ndarray, labels: int, strict: float) -> Member:
    weights, offset = np.zeros((rows.shape[1], labels), dtype=np.float32), np.full(labels, -1.0)
    if rows.shape[1] and len(set(truth)) > 1:
        learner = LinearSVC(C=strict, tol=0.01, max_iter=200, random_state=0).fit(rows, truth)
        lines, here = learner.coef_.astype(np.float32), learner.classes_
        if len(here) == 2:
            weights[:, here[0]], weights[:, here[1]] = -lines[0], lines[0]
            offset[here] = -learner.intercept_[0], learner.intercept_[0]
        else:
            weights[:, here], offset[here] = lines.T, learner.intercept_
    return Member(blocks, weights, offset)


def _counting(blocks: tuple[Block, ...], rows: csr_matrix, truth: np.ndarray, labels: int) -> Member:
    """How often each term came with each label, as naive Bayes does."""
    marks = csr_matrix((np.ones(len(truth), dtype=np.float32), (truth, np.arange(len(truth)))), shape=(labels, len(truth)))
    times = np.asarray((marks @ rows).todense(), dtype=np.float32) + 0.05
    shares = np.log(times / times.sum(axis=1, keepdims=True)) if times.shape[1] else times
    return Member(blocks, np.ascontiguousarray(shares.T), np.zeros(labels))


def counted(labels: Sequence[str]) -> list[tuple[str, int]]:
    """Labels by how often they were right."""
    return sorted(Counter(labels).items(), key=lambda one: (-one[1], one[0]))
