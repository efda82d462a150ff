"""Which sentences answer a question, and the words behind every statement that is shown."""

from __future__ import annotations

import copy
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from functools import cached_property
from typing import NamedTuple

from rag.corpus import Article, Sentence, Source
from rag.features import Features, counted_things, share_of
from rag.index import Index
from rag.likeness import Likeness
from rag.models import Scorer, Vectors
from rag.particulars import places_in
from rag.passages import place
from rag.places import spellings
from rag.question import Question, without_contraction
from rag.retrieve import Hit, LexicalRetriever
from rag.text import Language, fold, terms
from rag.weights import ANTICIPATED, PLAIN, READING, Decisions


@dataclass(frozen=True, slots=True)
class Citation:
    """A range of an article and its words. Law: `article.text[start:end] == quote`."""

    article: str
    title: str
    language: Language
    heading: str
    start: int
    end: int
    quote: str
    sources: tuple[Source, ...]

    @classmethod
    def of(cls, article: Article, start: int, end: int) -> Citation:
        """Cite a range of an article: the quote is copied from it, never given."""
        if not 0 <= start < end <= len(article.text):
            raise ValueError(f"range {start}:{end} is outside article {article.id!r} of {len(article.text)} characters")
        section = max((s for s in article.sections if s.start <= start), key=lambda s: s.start, default=None)
        return cls(
            article.id,
            article.title,
            article.language,
            section.heading if section else "",
            start,
            end,
            article.text[start:end],
            article.sources_of(start, end),
        )


@dataclass(frozen=True, slots=True)
class Claim:
    """One sentence of an answer. It cannot be constructed without a citation."""

    text: str
    citations: tuple[Citation, ...]
    verdict: str = "supported"

    def __post_init__(self) -> None:
        if not self.citations:
            raise ValueError(f"a claim needs a citation: {self.text!r}")


@dataclass(frozen=True, slots=True)
class Statement:
    """One side of a conflict: what is said, as of when ("" when undated), and where."""

    text: str
    as_of: str
    citation: Citation


@dataclass(frozen=True, slots=True)
class Conflict:
    """Two or more cited statements that differ on one thing."""

    about: str
    reason: str
    statements: tuple[Statement, ...]


# --- candidates ----------------------------------------------------------------------------------


_NOBODY = re.compile(r"(?:no|none|neither|nobody|nothing|ningun\w*|nadie|nada)\b")


@dataclass(frozen=True, slots=True)
class Candidate:
    """A sentence that may answer: what was measured of it, its score, and its share among all candidates
    (the probability that this one answers, given that one does).
    """

    article: Article
    number: int
    sentence: Sentence
    features: Mapping[str, float]
    score: float
    share: float

    @property
    def quote(self) -> str:
        """Its words."""
        return self.article.quote(self.sentence)

    @property
    def stated(self) -> bool:
        """Whether a source stands behind it. What no source states and yet answers a question that is anticipated is
        the editor's own: that no source says it, or what to ask a vendor. It is no part of an answer, and stands
        beside a refusal, or in a note.
        """
        return bool(self.sentence.sources)

    @property
    def says_nobody_knows(self) -> bool:
        """Whether it is the editor's word that no source tells something."""
        return not self.stated and bool(_NOBODY.match(fold(self.quote)))

    def cite(self) -> Citation:
        """The citation of the whole sentence."""
        return Citation.of(self.article, self.sentence.start, self.sentence.end)


# A sentence that opens so speaks of what the one before it names.
_LEANS_BACK = re.compile(
    r"(?:It|Its|They|Their|He|She|His|Her|This|These|Those|Both"
    r"|Est[aeo]s?|Es[aeo]s?|Ello|Ellos|Ellas|Sus?|Amb[oa]s|Dich[oa]s?)\b(?! (?:month|year|mes|año)\b)"
)
_BEFORE = 240  # characters of the sentence before that are read along


def leant_on(article: Article, number: int) -> Sentence | None:
    """The sentence before, where one cannot be understood without it."""
    sentence = article.sentences[number]
    if number == 0 or not _LEANS_BACK.match(article.quote(sentence)):
        return None
    before = article.sentences[number - 1]
    return before if before.section == sentence.section else None


def reading(article: Article, number: int) -> str:
    """A sentence as the scorer reads it: its words, then title and heading, then the sentence it leans on.

    The sentence comes first, so that what is cut off when it is long is its surroundings.
    """
    sentence = article.sentences[number]
    quote = article.quote(sentence)
    heading = article.sections[sentence.section].heading if article.sections else ""
    frame = " | ".join(dict.fromkeys(x for x in (article.title, heading) if x))
    leant = leant_on(article, number)
    before = article.quote(leant)[-_BEFORE:] if leant else ""
    return " | ".join(x for x in (" ".join(quote.split()), frame, " ".join(before.split())) if x)


# What is measured of the best few by FEATURES only.
ALONE = "alone"  # cosine of question and sentence, the sentence read by itself
_FEW = 12
# What a scorer says of the first few of those, as log-odds over 4: it puts those in order that are so near the first
# one in score that the features hardly tell them apart. On the `tune` questions 3 within 0.8 gain as much as all 12
# do, in a sixth of the time; what it counts for beside the score may be 1 to 5.
READ = "read"
_REREAD, _BEHIND, _HEED = 3, 0.8, 2.0
_TOLD = 1.5  # what a sentence loses in score that an earlier answer of the conversation quoted
_UNSAID = 2.0
# How like an anticipated question the one asked must be for the sentence that says nobody knows to be quoted, and how
# much more so than any that a source answers for that to be all there is.
_EXPECTED, _PLAINLY = 0.35, 0.2
_FIRST_FEW = 3  # candidates among which a term that was asked for is looked for
# What is measured of a question and its candidates, to judge whether they answer it: features of the best one, and
SIGNS = (
    "score", "share", "coverage", "context", "meaning", "passage", "anticipated", "nearest", "same_terms",
    "names", "other_name", "elsewhere", "form", "wanted", "year",
    "unsaid",  # a sentence that no source states this is as good as the best one: 2 better by _UNSAID, 0 worse by that
    "unknown",  # share of the question's weight in terms that no passage has
    "unknown_name",  # it names something that no passage has
    "best_meaning", "best_context",  # the highest among all candidates
    "thing",  # share of the terms of what "how many" counts that one of the first few has; 1 where nothing is counted
    "alone", "best_alone",  # ALONE of the best one, and the highest among all
    "read",  # READ of the best one; 0 where nothing is read
    "spanish", "spanish_meaning",
)  # fmt: skip


class Evidence:
    """Chooses sentences. Built once over an index."""

    def __init__(
        self,
        index: Index,
        lexical: LexicalRetriever,
        likeness: Likeness,
        scorer: Scorer | None = None,
    ) -> None:
        self._index = index
        self._likeness = likeness
        self._scorer = scorer
        self._decisions = self._decide_by(scorer)
        self._features = Features(index, lexical, likeness)
        self.names = self._features.names

    def candidates(self, question: Question, vector: Vectors, hits: Sequence[Hit]) -> list[Candidate]:
        """The sentences of the passages that most probably answer, best first."""
        few = self.shortlist(vector, self.survey(question, vector, hits))
        return self.reread(question, self.choose(question, few, self._decisions.choosing))

    @cached_property
    def newest(self) -> int:
        """The year of the newest source; this year where none has a date."""
        issued = max((s.issued[:4] for a in self._index.articles.values() for s in a.sources), default="")
        return int(issued) if issued else date.today().year

    def with_scorer(self, scorer: Scorer | None) -> Evidence:
        """The same, reread by another scorer, or by none."""
        other = copy.copy(self)
        other._scorer, other._decisions = scorer, self._decide_by(scorer)
        return other

    def _decide_by(self, scorer: Scorer | None) -> Decisions:
        """Where nothing is anticipated a scorer puts in order, and has no say in whether to answer: of documents that
        it was not trained on it tells that no better than the other signs do.
        """
        if not self._likeness.questions:
            return PLAIN
        return ANTICIPATED if scorer is None else READING

    def shortlist(self, vector: Vectors, found: Sequence[Candidate]) -> list[Candidate]:
        """The best few of a survey, in its order, with what is measured of these only."""
        return [
            replace(
                c, features={**c.features, ALONE: max(0.0, float(self._index.alone(c.article.id, c.number) @ vector))}
            )
            for c in found[:_FEW]
        ]

    def choose(
        self,
        question: Question,
        few: Sequence[Candidate],
        choosing: Mapping[Language, Mapping[str, float]],
    ) -> list[Candidate]:
        """Candidates of a shortlist, scored and put in order by some weights."""
        own = choosing[question.language]
        scores = [
            sum(own[name] * value for name, value in c.features.items()) - _TOLD * (c.quote in question.told)
            for c in few
        ]
        scored = [replace(c, score=s, share=p) for c, s, p in zip(few, scores, _shares(scores), strict=True)]
        return sorted(scored, key=_best_first)

    def reread(self, question: Question, ordered: Sequence[Candidate]) -> list[Candidate]:
        """Those near the first one put in order by the scorer, where there is one: they change places, and each place
        keeps its score and share. What no source states stays where it is.
        """
        stated = [n for n, c in enumerate(ordered) if c.stated][:_REREAD]
        places = [n for n in stated if ordered[n].score >= ordered[stated[0]].score - _BEHIND]
        if self._scorer is None or not places or (len(places) == 1 and self._decisions is not READING):
            return list(ordered)
        heard = self._read(self._scorer, question, [ordered[n] for n in places])
        heard.sort(key=lambda c: -(c.score + _HEED * c.features[READ]))
        again = list(ordered)
        for n, candidate in zip(places, heard, strict=True):
            again[n] = replace(candidate, score=ordered[n].score, share=ordered[n].share)
        return again

    def _read(self, scorer: Scorer, question: Question, few: Sequence[Candidate]) -> list[Candidate]:
        logits = scorer.score(question.text, [reading(c.article, c.number) for c in few])
        return [replace(c, features={**c.features, READ: float(z) / 4}) for c, z in zip(few, logits, strict=True)]

    def survey(self, question: Question, vector: Vectors, hits: Sequence[Hit]) -> list[Candidate]:
        """Every sentence of the passages that a source stands behind, or that is an editor's answer, and that the
        asker's filter lets through, best first by FEATURES; ties by place.
        """
        asked = self._features.asked(question)
        likeness = self._likeness.of(vector)
        measured: list[tuple[Article, int, dict[str, float]]] = []
        for hit in hits:
            at = place(hit.passage)
            article = self._index.articles[at.article]
            meanings = self._index.sentences_of(self._index.row[str(hit.passage.id)]) @ vector
            allowed = question.within.sentences(article)
            for number, meaning in zip(range(at.first, at.last + 1), meanings, strict=True):
                if not self._may_answer(article, number) or number not in allowed:
                    continue  # a transition, a pointer to another article: nothing that a source stands behind
                features = self._features.measure(
                    asked, article, number, meaning=float(meaning), passage=hit.score, likeness=likeness
                )
                measured.append((article, number, features))
        weights = self._decisions.ranking[question.language]
        scores = [sum(weights[name] * value for name, value in features.items()) for *_, features in measured]
        found = [
            Candidate(article, number, article.sentences[number], features, s, p)
            for (article, number, features), s, p in zip(measured, scores, _shares(scores), strict=True)
        ]
        return sorted(found, key=_best_first)

    def _may_answer(self, article: Article, number: int) -> bool:
        """Whether a source stands behind a sentence, or it is an editor's answer to what is anticipated."""
        return bool(article.sentences[number].sources or self._likeness.answered_by((article.id, number)))

    def judge(self, question: Question, found: Sequence[Candidate]) -> Judgement:
        """Whether the candidates, best first, answer the question at all, and whether the best one is right.

        What a scorer says of one sentence counts for nothing where the sides of a comparison are to be told.
        """
        if not any(c.stated for c in found):
            return Judgement(0.0, 0.0, 1.0)
        by = ANTICIPATED if self._decisions is READING and question.kind == "comparison" else self._decisions
        signs = self.signs(question, found)
        return Judgement(logistic(by.answerable, signs), logistic(by.right, signs), by.threshold)

    def signs(self, question: Question, found: Sequence[Candidate]) -> dict[str, float]:
        """What the judgement rests on: see SIGNS. At least one of `found` must be stated."""
        unsaid = max((c.score for c in found if c.says_nobody_knows), default=-math.inf)
        found = [c for c in found if c.stated]
        best = found[0]
        f = best.features
        idf = {t: self._features.idf(t, question.language) for t in question.terms}
        unknown = sum(w for t, w in idf.items() if not self._features.knows(t))
        first = [c for c in found[:_FIRST_FEW] if c.article.language == question.language]
        around = [self._features.around(c.article, c.number) for c in first]
        things = frozenset(counted_things(question))
        return {
            "score": best.score,
            "share": best.share,
            "coverage": f["coverage"],
            "context": f["context"],
            "meaning": f["meaning"],
            "passage": f["passage"],
            "anticipated": f["anticipated"],
            "nearest": f["nearest"],
            "same_terms": f["same_terms"],
            "names": f["names"],
            "other_name": f["other_name"],
            "elsewhere": f["elsewhere"],
            "form": f["form"],
            "wanted": f["wanted"],
            "year": f["year"],
            "unsaid": max(0.0, 1.0 + min(1.0, (unsaid - best.score) / _UNSAID)),
            "unknown": unknown / sum(idf.values()) if idf else 1.0,
            "unknown_name": float(any(not self._features.knows(n) for n in question.names)),
            "best_meaning": max(c.features["meaning"] for c in found),
            "best_context": max(c.features["context"] for c in found),
            "thing": max((share_of(things, own) for own in around), default=1.0),
            "alone": f[ALONE],
            "best_alone": max(c.features[ALONE] for c in found),
            "read": f.get(READ, 0.0),
            "spanish": float(question.language == "es"),
            "spanish_meaning": f["meaning"] * (question.language == "es"),
        }

    def unsaid(self, found: Sequence[Candidate]) -> Unsaid | None:
        """The sentence that says that no source tells what is asked, where that is what was anticipated to be asked."""
        stated = max((c.features["anticipated"] for c in found if c.stated), default=0.0)
        best = max((c.score for c in found if c.stated), default=-math.inf)
        for candidate in found:
            expected = candidate.features["anticipated"]
            if candidate.says_nobody_knows and expected >= max(_EXPECTED, stated):
                return Unsaid(candidate, candidate.score > best and expected >= stated + _PLAINLY)
        return None

    def unknown_names(self, question: Question) -> tuple[str, ...]:
        """The words of the question that name something no passage speaks of, as the asker wrote them."""
        written = [without_contraction(w.strip(".,;:¿?¡!()\"'")) for w in question.asking.split()]
        said_otherwise = frozenset(
            t
            for key, place in places_in(question.asking).items()
            if any(self._features.knows(t) for other in spellings(key) for t in terms(other, question.language))
            for t in terms(place, question.language)
        )
        named = [bool(set(terms(w, question.language)) & question.names) or w[:1].isupper() for w in written]
        found: list[str] = []
        for at, word in enumerate(written):
            own = set(terms(word, question.language)) & question.names
            if own and not own & said_otherwise and not any(self._features.knows(t) for t in own):
                first, last = at, at
                while first > 1 and named[first - 1] and written[first - 1][:1].isupper():
                    first -= 1  # "Aires" is unknown, what was asked about is "Buenos Aires"
                while last + 1 < len(written) and named[last + 1] and written[last + 1][:1].isupper():
                    last += 1
                found.append(" ".join(written[first : last + 1]))
        return tuple(dict.fromkeys(found))


def _shares(scores: Sequence[float]) -> list[float]:
    """Scores as shares of one (softmax)."""
    highest = max(scores, default=0.0)
    odds = [math.exp(s - highest) for s in scores]
    return [o / sum(odds) for o in odds]


def _best_first(candidate: Candidate) -> tuple[float, str, int]:
    return (-candidate.score, candidate.article.id, candidate.number)


# --- judgement -----------------------------------------------------------------------------------


class Unsaid(NamedTuple):
    """A sentence by which no source tells what is asked; `alone` where no other sentence comes near the question."""

    candidate: Candidate
    alone: bool


class Judgement(NamedTuple):
    """Probabilities: that the corpus answers the question, and that the best sentence is a right answer; and the one of
    the former below which an answer is a refusal.
    """

    answerable: float
    right: float
    threshold: float

    @property
    def answers(self) -> bool:
        """Whether to answer."""
        return self.answerable >= self.threshold


def logistic(weights: Mapping[str, float], signs: Mapping[str, float]) -> float:
    """The probability that a logistic regression gives."""
    score = weights["bias"] + sum(weight * signs[name] for name, weight in weights.items() if name != "bias")
    return 1.0 / (1.0 + math.exp(-score))
