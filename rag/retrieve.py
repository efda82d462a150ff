"""Question -> passages: words (BM25) and meaning (vectors), fused with weights that know the languages."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
from langchain_core.callbacks import CallbackManagerForRetrieverRun
from langchain_core.documents import Document
from langchain_core.retrievers import BaseRetriever
from pydantic import ConfigDict, PrivateAttr

from rag.filter import EVERYTHING, Filter
from rag.index import Index
from rag.language import detect, is_function_word
from rag.likeness import Likeness, Scores
from rag.models import MINILM, Embedder, Vectors
from rag.particulars import places_in
from rag.passages import context, place
from rag.text import LANGUAGES, Language, fold, terms, words

_WORD = re.compile(r"[^\W_]+")

# Candidates taken from each side before they are scored by both.
_CANDIDATES = 60
# Share of meaning in the fused score, by language of question and passage; the rest is words. Chosen by hand from
# nDCG@10 at ten shares on samples of squad2_dev, squad_es_v2_dev, xquad_en_es (the only set across languages),
# clapnq_dev, nq_open_oracle and the shipped corpus' questions of the split `tune`, of the documents that are learnt
# from (`rag.splits`). The best is flat: from 0.5 to 0.7 within a language, from 0.8 across.
_MEANING = {("en", "en"): 0.6, ("es", "es"): 0.6, ("en", "es"): 0.85, ("es", "en"): 0.85}
# Share of what a passage lacks of the highest score that it gets when one of its sentences answers the very question.
_ANTICIPATED = 0.5
# all-MiniLM-L6-v2 reads English; in Spanish its vectors say little.
_MEANING_OF_MINILM = {("en", "en"): 0.5, ("es", "es"): 0.15, ("en", "es"): 0.35, ("es", "en"): 0.35}


class Hit(NamedTuple):
    """A retrieved passage and its score (0..1, comparable from question to question)."""

    passage: Document
    score: float


class Words:
    """BM25 over the passages of one language, as a share of the most that a question's terms could score.

    Lucene's variant (k1 = 1.2, b = 0.75), in which a term's weight is at most its IDF: the sum of IDFs is the
    ceiling, terms that no passage has included. Robertson and Zaragoza 2009, doi:10.1561/1500000019; bm25s.
    """

    def __init__(self, texts: Sequence[str], language: Language) -> None:
        import bm25s

        self.language = language
        tokens = [terms(t, language) for t in texts]
        self._count = len(texts)
        self._frequency = Counter(t for found in tokens for t in set(found))
        spellings: dict[str, list[tuple[str, str, int]]] = {}
        for known, count in Counter(w for text in texts for w in words(text)).items():
            sound = _sound(known, language)
            spellings.setdefault(sound[:1], []).append((sound, known, count))
        self._spellings = spellings
        self._bm25: Any = None
        if self._frequency:
            self._bm25 = bm25s.BM25(k1=1.2, b=0.75, method="lucene")
            self._bm25.index(tokens, show_progress=False)

    def idf(self, term: str) -> float:
        """How rare a term is; highest for one that no passage has."""
        n = self._frequency.get(term, 0)
        return math.log(1 + (self._count - n + 0.5) / (n + 0.5))

    def knows(self, term: str) -> bool:
        """Whether any passage has the term."""
        return term in self._frequency

    def nearest(self, word: str) -> str:
        """The most frequent word of the passages that a misspelt one may stand for, else "".

        One slip (Damerau-Levenshtein) from six letters on, two from nine on; the first letter holds, and letters that
        sound alike are one.
        """
        from rapidfuzz.distance import DamerauLevenshtein

        slips = 2 if len(word) >= 9 else 1
        heard = _sound(word, self.language)
        near = [
            (-count, known)
            for sound, known, count in self._spellings.get(heard[:1], ())
            if abs(len(sound) - len(heard)) <= slips
            and DamerauLevenshtein.distance(heard, sound, score_cutoff=slips) <= slips
        ]
        return min(near)[1] if near else ""

    def scores(self, question: str) -> Scores:
        """One score (0..1) for each passage."""
        asked = list(dict.fromkeys(terms(question, self.language)))
        known = [t for t in asked if t in self._frequency]
        ceiling = sum(self.idf(t) for t in asked)
        if not known or ceiling <= 0:
            return np.zeros(self._count, np.float32)
        return np.asarray(self._bm25.get_scores(known), np.float32) / np.float32(ceiling)


# Letters that Mexican Spanish speaks alike, and people exchange in haste: "bacaciones", "ermana", "desición".
_ALIKE = (
    ("ch", "C"), ("h", ""), ("v", "b"), ("ll", "y"), ("qu", "k"), ("z", "s"), ("ge", "je"), ("gi", "ji"), ("ce", "se"),
    ("ci", "si"), ("c", "k"),
)  # fmt: skip


def _sound(word: str, language: Language) -> str:
    """A folded word as it is spoken, roughly."""
    if language == "es":
        for written, spoken in _ALIKE:
            word = word.replace(written, spoken)
    return word


class LexicalRetriever(BaseRetriever):
    """Passages by their words alone."""

    model_config = ConfigDict(arbitrary_types_allowed=True)

    index: Index
    k: int = 10
    _words: dict[Language, Words] = PrivateAttr()
    _rows: dict[Language, npt.NDArray[np.int64]] = PrivateAttr()

    def model_post_init(self, context_: Any, /) -> None:
        """Derive the word index from the stored passages: it cannot fall out of step with them."""
        super().model_post_init(context_)
        rows: dict[Language, list[int]] = {language: [] for language in LANGUAGES}
        for row, passage in enumerate(self.index.passages):
            rows[passage.metadata["language"]].append(row)
        self._rows = {language: np.array(found, np.int64) for language, found in rows.items()}
        self._words = {language: Words([self._text(r) for r in found], language) for language, found in rows.items()}

    def words(self, language: Language) -> Words:
        """The word index of one language."""
        return self._words[language]

    def respell(self, question: str, language: Language) -> str:
        """The question with words that no passage has replaced by the one they are a slip away from.

        Words written with a capital, places, short ones and figures stay: they may be names.
        """
        own = self._words[language]

        def mend(match: re.Match[str]) -> str:
            word = match.group()
            folded = fold(word)
            if len(word) < 6 or not word.isalpha() or word[0].isupper() or is_function_word(folded) or places_in(word):
                return word
            if any(w.knows(t) for code, w in self._words.items() for t in terms(word, code)):
                return word
            return own.nearest(folded) or word

        return _WORD.sub(mend, question)

    def scores(self, question: str) -> Scores:
        """One score (0..1) for each passage of the index, each read in its own language."""
        scores = np.zeros(len(self.index.passages), np.float32)
        for language, rows in self._rows.items():
            if len(rows):
                scores[rows] = self._words[language].scores(question)
        return scores

    def _text(self, row: int) -> str:
        passage = self.index.passages[row]
        return context(self.index.articles[passage.metadata["article"]], passage)

    def _get_relevant_documents(
        self,
        query: str,
        *,
        run_manager: CallbackManagerForRetrieverRun,  # noqa: ARG002
    ) -> list[Document]:
        scores = self.scores(query)
        best = top(scores, self.k)
        return [self.index.passages[r] for r in best if scores[r] > 0]


class HybridRetriever(BaseRetriever):
    """Passages by words and meaning, and by the questions that were anticipated. An article that has a translation in
    the asker's language leaves its place to it; anything else is found across languages.
    """

    model_config = ConfigDict(arbitrary_types_allowed=True)

    index: Index
    embedder: Embedder
    lexical: LexicalRetriever
    likeness: Likeness
    k: int = 10
    _language: list[Language] = PrivateAttr()
    _translated: npt.NDArray[np.bool_] = PrivateAttr()
    _within: Callable[[Filter], frozenset[int]] = PrivateAttr()

    def model_post_init(self, context_: Any, /) -> None:
        """Note the language of each passage and whether its article is there in the other one too."""
        super().model_post_init(context_)
        self._language = [p.metadata["language"] for p in self.index.passages]
        self._translated = np.array(
            [translation(p.metadata["article"]) in self.index.articles for p in self.index.passages]
        )
        self._within = lru_cache(maxsize=64)(self._rows_within)

    def search(
        self,
        question: str,
        k: int | None = None,
        *,
        language: Language | None = None,
        within: Filter = EVERYTHING,
    ) -> list[Hit]:
        """The k best passages, best first, ties by position in the index.

        Through a filter every passage that it leaves is a candidate, so that none is crowded out by those it does not.
        """
        asked_in = language or detect(question)
        vector = self.question_vector(question)
        scores = self.lexical.scores(question)
        expected = self.likeness.of_passages(self.likeness.of(vector))
        if within:
            rows = self._allowed(self._within(within), asked_in)
        else:
            found = self.index.nearest(vector, _CANDIDATES)
            likely = {r for r in top(expected, _CANDIDATES) if expected[r] > 0}
            rows = self._allowed({*(r for r, _ in found), *top(scores, _CANDIDATES), *likely}, asked_in)
            if len(rows) < max(k or self.k, 10):  # the other language crowded the candidates out
                found = self.index.nearest(vector, _CANDIDATES, language=asked_in)
                rows = self._allowed({*rows, *(r for r, _ in found)}, asked_in)
        if not rows:
            return []
        meaning = np.asarray(self.index.passage_vectors[rows], np.float32) @ vector
        fused = fuse(scores[rows], meaning, self._shares(rows, asked_in))
        fused += _ANTICIPATED * expected[rows] * (1.0 - fused)
        order = sorted(range(len(rows)), key=lambda i: (-fused[i], rows[i]))[: k or self.k]
        return [Hit(self.index.passages[rows[i]], float(fused[i])) for i in order]

    def question_vector(self, question: str) -> Vectors:
        """The question's vector; the last ones are remembered."""
        return _vector(self.embedder, question)

    def leaves(self, hit: Hit, within: Filter) -> bool:
        """Whether a filter leaves any sentence of a passage."""
        return self.index.row[str(hit.passage.id)] in self._within(within)

    def _rows_within(self, within: Filter) -> frozenset[int]:
        left = {name: within.sentences(article) for name, article in self.index.articles.items()}
        at = ((row, place(p)) for row, p in enumerate(self.index.passages))
        return frozenset(row for row, p in at if any(n in left[p.article] for n in range(p.first, p.last + 1)))

    def _allowed(self, rows: Iterable[int], asked_in: Language) -> list[int]:
        return sorted(r for r in rows if self._language[r] == asked_in or not self._translated[r])

    def _shares(self, rows: Sequence[int], asked_in: Language) -> Scores:
        table = _MEANING_OF_MINILM if self.embedder.name == MINILM else _MEANING
        return np.array([table[asked_in, self._language[r]] for r in rows], np.float32)

    def _get_relevant_documents(
        self,
        query: str,
        *,
        run_manager: CallbackManagerForRetrieverRun,  # noqa: ARG002
    ) -> list[Document]:
        return [hit.passage for hit in self.search(query)]


def fuse(words: Scores, meaning: Scores, share: Scores) -> Scores:
    """Convex combination of two scores on fixed scales (Bruch et al. 2023, doi:10.1145/3596512).

    `words` is BM25 over its ceiling, `meaning` the cosine (below 0 is 0): both 0..1 whatever the question, so
    that, unlike ranks, they also say how good the best passage is.
    """
    fused: Scores = share * np.maximum(meaning, 0.0) + (1.0 - share) * words
    return fused


def top(scores: Scores, k: int) -> list[int]:
    """Positions of the k highest scores, best first, ties by position."""
    if k < len(scores):
        edge = np.partition(scores, len(scores) - k)[len(scores) - k]
        candidates = np.flatnonzero(scores >= edge)
    else:
        candidates = np.arange(len(scores))
    order = candidates[np.argsort(-scores[candidates], kind="stable")]
    return [int(r) for r in order[:k]]


def translation(article: str) -> str:
    """The id that the same article has in the other language (`en/attrition` and `es/attrition`), else ""."""
    language, _, slug = article.partition("/")
    other = {"en": "es", "es": "en"}.get(language)
    return f"{other}/{slug}" if other and slug else ""


@lru_cache(maxsize=512)
def _vector(embedder: Embedder, question: str) -> Vectors:
    return embedder.encode_question(question)


def forget_vectors() -> None:
    """Empty the memory of question vectors, so that a benchmark measures every question in full."""
    _vector.cache_clear()
