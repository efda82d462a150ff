"""How like the questions that are anticipated a question is, sentence by sentence and passage by passage."""

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


class Anticipation:
    """The anticipated questions of an index. Without any, every likeness is 0."""

    def __init__(self, index: Index) -> None:
        self._index = index
        self.questions = list(index.anticipated)
        at: dict[tuple[str, int], list[int]] = defaultdict(list)
        for row, sentences in enumerate(index.anticipated.values()):
            for sentence in sentences:
                at[sentence].append(row)
        self._likeness = lru_cache(maxsize=16)(self._measured)
        self._rows = {sentence: np.array(rows) for sentence, rows in at.items()}

    def likeness(self, vector: Vectors) -> Scores:
        """How like each anticipated question is to the one of a vector: 1 the same, 0 as unlike as most, below 0 more.

        The cosine, counted from where 99 of 100 pairs of anticipated questions lie below it; what that is differs
        from one embedder to another.
        """
        return self._likeness(vector.tobytes())

    def _measured(self, vector: bytes) -> Scores:
        if not self.questions:
            return np.zeros(0, np.float32)
        # Not `@`: for a product of this size it starts threads of its own, which those of torch then wait for.
        cosines: Scores = np.einsum("ij,j->i", self._index.question_vectors, np.frombuffer(vector, np.float32))
        likeness: Scores = ((cosines - self._unlike) / (1.0 - self._unlike)).astype(np.float32)
        return likeness

    def of(self, sentence: tuple[str, int]) -> list[str]:
        """The questions that a sentence answers."""
        return [self.questions[row] for row in self._rows.get(sentence, ())]

    def best_of(self, sentence: tuple[str, int], likeness: Scores) -> float:
        """The highest likeness of the questions that a sentence answers; -inf where there is none."""
        rows = self._rows.get(sentence)
        return float(likeness[rows].max()) if rows is not None else -math.inf

    def of_passages(self, likeness: Scores) -> Scores:
        """The highest likeness of each passage's sentences, 0 where none is above."""
        found = np.zeros(len(self._index.passages), np.float32)
        if len(likeness):
            np.maximum.at(found, self._passage, likeness[self._question])
        return found

    @cached_property
    def _unlike(self) -> float:
        some = self._index.question_vectors[:: max(1, len(self.questions) // _SAMPLE)]
        pairs = (some @ some.T)[np.triu_indices(len(some), 1)]
        return float(np.clip(np.quantile(pairs, _UNLIKE), _LEAST, 0.99)) if len(pairs) else _LEAST

    @cached_property
    def _pairs(self) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
        """Questions and passages that belong together, as two lists of rows."""
        questions, passages = [], []
        for row, passage in enumerate(self._index.passages):
            at = place(passage)
            for number in range(at.first, at.last + 1):
                own = self._rows.get((at.article, number), ())
                questions += list(own)
                passages += [row] * len(own)
        return np.array(questions, np.int64), np.array(passages, np.int64)

    @property
    def _question(self) -> npt.NDArray[np.int64]:
        return self._pairs[0]

    @property
    def _passage(self) -> npt.NDArray[np.int64]:
        return self._pairs[1]
