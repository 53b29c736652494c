"""Terms become numbers: hashed, the rare left out, weighted by how much they tell. Only hashes are kept. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.sparse import csr_matrix, hstack
from sklearn.feature_extraction import FeatureHasher
from sklearn.preprocessing import normalize

from .facts import Facts
from .words import count_terms, letter_terms, name_terms, pair_terms, word_terms

_BITS = 24
_HASHER = FeatureHasher(n_features=1 << _BITS, input_type="string", dtype=np.float32, alternate_sign=False)


@dataclass(frozen=True, slots=True)
class Block:
    """One kind of terms: which hashes are kept, in order, and the weight of each."""

    kind: str
    kept: np.ndarray
    weight: np.ndarray

    def rows(self, facts: Iterable[Facts], letters: int) -> csr_matrix:
        """A row for each ticket, of length 1."""
        return self.weighted(_hashed(self.kind, facts, letters))

    def weighted(self, hashed: csr_matrix) -> csr_matrix:
        """Rows of counts of all hashes become rows of the kept ones."""
        if not len(self.kept):
            return csr_matrix((hashed.shape[0], 0), dtype=np.float32)
        at = np.searchsorted(self.kept, hashed.indices)
        at[at == len(self.kept)] = 0
        known = self.kept[at] == hashed.indices
        before = np.concatenate(([0], np.cumsum(known)))
        values = (1 + np.log(hashed.data[known])) * self.weight[at[known]]
        shape = (hashed.shape[0], len(self.kept))
        rows = csr_matrix((values.astype(np.float32), at[known].astype(np.int32), before[hashed.indptr]), shape=shape)
        return normalize(rows, copy=False)


def _terms(kind: str, letters: int) -> Callable[[Facts], list[str]]:
    if kind == "letters":
        return lambda facts: letter_terms(facts, letters)
    return {"words": word_terms, "names": name_terms, "pairs": pair_terms, "counts": count_terms}[kind]


def _hashed(kind: str, facts: Iterable[Facts], letters: int) -> csr_matrix:
    terms = _terms(kind, letters)
    return _HASHER.transform(terms(one) for one in facts)


def learn_block(
    kind: str, facts: Sequence[Facts], letters: int, most: int, *, is_plain: bool = False
) -> tuple[Block, csr_matrix]:
    """The block of this kind that these tickets give, and their rows: at most `most` terms, those of one ticket alone left out."""
    hashed = _hashed(kind, facts, letters)
    times = np.bincount(hashed.indices, minlength=1 << _BITS)
    least = 2 if len(facts) >= 20 else 1
    kept = np.flatnonzero(times >= least)
    if len(kept) > most:
        kept = np.sort(kept[np.argsort(-times[kept], kind="stable")[:most]])
    weight = np.log((1 + len(facts)) / (1 + times[kept])) + 1
    if is_plain:
        weight = np.ones(len(kept))
    block = Block(kind, kept.astype(np.int32), weight.astype(np.float32))
    return block, block.weighted(hashed)


def beside(parts: Sequence[csr_matrix]) -> csr_matrix:
    """Blocks side by side."""
    return hstack(parts, format="csr", dtype=np.float32) if len(parts) > 1 else parts[0]
