"""How like a question is to those that are anticipated: for each of them, for a sentence, for a passage."""

from __future__ import annotations

import math
from collections import defaultdict
from functools import cached_property, lru_cache

import numpy as np
import numpy.typing as npt

from rag.index import Index
from rag.models import Vectors
from rag.passages import place

Scores = npt.NDArray[np.float32]

# Of two anticipated questions taken at random, what share is less like than what counts as unlike.
_UNLIKE = 0.99
_SAMPLE = 400
_LEAST = 0.6  # a cosine that is unlike in any case: a few questions tell too little


class Likeness:
    """Compares with the anticipated questions of an index. Where there are none, nothing is like anything."""

    def __init__(self, index: Index) -> None:
        self._index = index
        self.questions = list(index.anticipated)
        rows: dict[tuple[str, int], list[int]] = defaultdict(list)
        for row, sentences in enumerate(index.anticipated.values()):
            for sentence in sentences:
                rows[sentence].append(row)
        self._rows = dict(rows)
        self._measured = lru_cache(maxsize=16)(self._measure)

    def of(self, vector: Vectors) -> Scores:
        """How like each anticipated question is to the one of a vector: 1 the same, 0 as unlike as most, below 0 more.

        The cosine, counted from where 99 of 100 pairs of anticipated questions lie below it; what that is differs
        from one embedder to another.
        """
        return self._measured(vector.tobytes())

    def answered_by(self, sentence: tuple[str, int]) -> list[str]:
        """The questions that a sentence, as (article, number), is known to answer."""
        return [self.questions[row] for row in self._rows.get(sentence, ())]

    def best(self, sentence: tuple[str, int], likeness: Scores) -> float:
        """The highest likeness of the questions that a sentence answers; -inf where none is known."""
        return max((float(likeness[row]) for row in self._rows.get(sentence, ())), default=-math.inf)

    def of_passages(self, likeness: Scores) -> Scores:
        """The highest likeness of each passage's sentences, 0 where none is above."""
        found = np.zeros(len(self._index.passages), np.float32)
        questions, passages = self._pairs
        np.maximum.at(found, passages, likeness[questions])
        return found

    def _measure(self, vector: bytes) -> Scores:
        # Not `@`: for a product of this size it starts threads of its own, which those of torch then wait for.
        cosines = np.einsum("ij,j->i", self._index.question_vectors, np.frombuffer(vector, np.float32))
        likeness: Scores = ((cosines - self._unlike) / (1.0 - self._unlike)).astype(np.float32)
        return likeness

    @cached_property
    def _unlike(self) -> float:
        some = self._index.question_vectors[:: max(1, len(self.questions) // _SAMPLE)]
        pairs = (some @ some.T)[np.triu_indices(len(some), 1)]
        return float(np.clip(np.quantile(pairs, _UNLIKE), _LEAST, 0.99)) if len(pairs) else _LEAST

    @cached_property
    def _pairs(self) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
        """Questions and passages that belong together, as two lists of rows."""
        pairs = [
            (question, row)
            for row, at in enumerate(map(place, self._index.passages))
            for number in range(at.first, at.last + 1)
            for question in self._rows.get((at.article, number), ())
        ]
        questions, passages = np.array(pairs, np.int64).reshape(-1, 2).T
        return questions, passages
