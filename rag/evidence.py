"""Which sentences answer a question, and the words behind every statement that is shown."""

from __future__ import annotations

import copy
import math
import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from functools import cached_property, lru_cache
from itertools import pairwise
from typing import NamedTuple

from rag.corpus import Article, Sentence, Source
from rag.index import Index
from rag.language import is_function_word
from rag.likeness import Likeness, Scores
from rag.models import Embedder, Scorer, Vectors
from rag.particulars import places_in
from rag.passages import place
from rag.places import is_elsewhere, is_home, places_of, spellings
from rag.question import Question, without_contraction
from rag.retrieve import Hit, LexicalRetriever
from rag.text import LANGUAGES, Language, fold, terms
from rag.weights import ANTICIPATED, PLAIN, SCORED, Decisions


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


_NOBODY = re.compile(r"(?:no|none|neither|nobody|nothing|ningun\w*|nadie|nada)\b")
_HOW_MANY = re.compile(r"\b(?:how many|number of|cu[aá]nt[oa]s|n[uú]mero de)\s+(.+)", re.IGNORECASE)
_END_OF_PHRASE = re.compile(r"[,;:.()?!¿¡]")
_FIGURE = re.compile(r"\d(?:[\d.,]*\d)?")
_PHRASE_WORDS = 6
_WITHIN_A_PHRASE = {"de", "of", "mil", "millones", "million", "thousand"}
# What is measured of a sentence.
FEATURES = (
    "coverage",  # share of the question's terms, by IDF, that the sentence has
    "context",  # the same with its title, heading, the sentence before it and the questions it is known to answer
    "meaning",  # cosine of question and sentence, the sentence read inside its passage
    "passage",  # score of its passage in retrieval
    "anticipated",  # how like the question is to one that it is known to answer (0 where none is known)
    "nearest",  # how near that comes to the most like of all (1 it is the one)
    "same_terms",  # share of the terms that the question has in common with one that it is known to answer, by IDF
    "pairs",  # share of the question's neighbouring terms that stand near each other in the sentence
    "names",  # share of the question's names that sentence, title or heading have (1 when it names nothing)
    "other_name",  # the sentence is about another place or company than the one asked about
    "elsewhere",  # 1 it is on other places than those asked about (in articles on Mexico: than Mexico)
    "form",  # 1 it is put as what is asked for is: a definition of it, a reason; -1 it is not; 0 no form is asked for
    "year",  # 1 the asked year is in it, -1 only others are, 0 none asked
    "wanted",  # 1 it has the kind of thing asked for, -1 it lacks it, 0 nothing particular is asked for
    "counted",  # how directly a figure in it counts what "how many" asks for
    "news",  # terms of the sentence that the question has not, saturating
    "asks",  # it is a question, or no sentence at all
)
# The best few by those are read once more: by the scorer, or where there is none by the embedder, one by one.
READ = "read"  # what the scorer says, as log-odds over 4
ALONE = "alone"  # cosine of question and sentence, the sentence read by itself
_FEW = 12
# Of those, how many are read again, and how far behind the first one in score: the others have no chance to be first
# (1 in 100 on the `tune` questions), and count as the worst of those read.
_REREAD, _BEHIND = 6, 1.5
_UNSAID = 2.0
_NEAREST = 0.6
# How like an anticipated question the one asked must be for the sentence that says nobody knows to be quoted, and how
# much more so than any that a source answers for that to be all there is.
_EXPECTED, _PLAINLY = 0.35, 0.2
_FIRST_FEW = 3  # candidates among which a term that was asked for is looked for
_SAMPLE = 20  # articles of which it is told whether all are on Mexico
_REMEMBERED = 20_000  # vectors of sentences read by themselves that are kept
# What is measured of a question and its candidates, to judge whether they answer it: features of the best one, and
SIGNS = (
    "score", "share", "coverage", "context", "meaning", "passage", "anticipated", "nearest", "same_terms",
    "names", "other_name", "elsewhere", "form", "wanted", "year",
    "unsaid",  # a sentence that no source states this is as good as the best one: 2 better by _UNSAID, 0 worse by that
    "unknown",  # share of the question's weight in terms that no passage has
    "unknown_name",  # it names something that no passage has
    "best_meaning", "best_context",  # the highest among all candidates
    "thing",  # share of the terms of what "how many" counts that one of the first few has; 1 where nothing is counted
    "second", "best_second",  # what the second reading said of the best one, and the highest among all
    "spanish", "spanish_meaning",
)  # fmt: skip


class Evidence:
    """Chooses sentences. Built once over an index; holds what it learnt of its words."""

    def __init__(
        self,
        index: Index,
        lexical: LexicalRetriever,
        likeness: Likeness,
        embedder: Embedder,
        scorer: Scorer | None = None,
    ) -> None:
        self._index = index
        self._lexical = lexical
        self._likeness = likeness
        self._embedder = embedder
        self._scorer = scorer
        self._decisions = self._decide_by(scorer)
        self._alone: dict[tuple[str, int], Vectors] = {}
        self._terms: dict[tuple[str, int], tuple[str, ...]] = {}
        self._arounds: dict[tuple[str, int], frozenset[str]] = {}
        self.names = {language: _names(index.articles.values(), language) for language in LANGUAGES}

    def candidates(self, question: Question, vector: Vectors, hits: Sequence[Hit]) -> list[Candidate]:
        """The sentences of the passages that most probably answer, best first."""
        return self.reread(question, vector, self.survey(question, vector, hits))

    @property
    def threshold(self) -> float:
        """The probability of being answerable below which an answer is a refusal."""
        return self._decisions.threshold

    @property
    def second(self) -> str:
        """The name of what the second reading measures: READ or ALONE."""
        return ALONE if self._scorer is None else READ

    @cached_property
    def _is_home(self) -> bool:
        articles = list(self._index.articles.values())
        some = articles[:: max(1, len(articles) // _SAMPLE)]
        return is_home(places_of(a.quote(s)) for a in some for s in a.sentences)

    @cached_property
    def newest(self) -> int:
        """The year of the newest source; this year where none has a date."""
        issued = max((s.issued[:4] for a in self._index.articles.values() for s in a.sources), default="")
        return int(issued) if issued else date.today().year

    def with_scorer(self, scorer: Scorer | None) -> Evidence:
        """The same, read a second time by another scorer, or by none."""
        other = copy.copy(self)
        other._scorer, other._decisions = scorer, self._decide_by(scorer)
        return other

    def _decide_by(self, scorer: Scorer | None) -> Decisions:
        if scorer is not None:
            return SCORED
        return ANTICIPATED if self._likeness.questions else PLAIN

    def reread(
        self,
        question: Question,
        vector: Vectors,
        found: Sequence[Candidate],
        choosing: Mapping[Language, Mapping[str, float]] | None = None,
        *,
        hopeless: bool = False,
    ) -> list[Candidate]:
        """The best few of a survey, read once more (those without a chance only if `hopeless`), in the order that this
        gives.
        """
        few = list(found[:_FEW])
        near = few if hopeless else [c for c in few[:_REREAD] if c.score >= few[0].score - _BEHIND]
        again = self._alone_by(vector, near) if self._scorer is None else self._read_by(self._scorer, question, near)
        again += [min(again, default=0.0)] * (len(few) - len(near))
        measured = [
            replace(c, features={**c.features, self.second: value}) for c, value in zip(few, again, strict=True)
        ]
        return self.choose(question, measured, choosing or self._decisions.choosing)

    def choose(
        self,
        question: Question,
        reread: Sequence[Candidate],
        choosing: Mapping[Language, Mapping[str, float]],
    ) -> list[Candidate]:
        """Candidates that were reread, scored and put in order by some weights."""
        own = choosing[question.language]
        scores = [sum(own[name] * value for name, value in c.features.items()) for c in reread]
        scored = [replace(c, score=s, share=p) for c, s, p in zip(reread, scores, _shares(scores), strict=True)]
        return sorted(scored, key=_best_first)

    def _read_by(self, scorer: Scorer, question: Question, few: Sequence[Candidate]) -> list[float]:
        texts = [reading(c.article, c.number) for c in few]
        return [float(logit) / 4 for logit in scorer.score(question.text, texts)]

    def _alone_by(self, vector: Vectors, few: Sequence[Candidate]) -> list[float]:
        new = [c for c in few if (c.article.id, c.number) not in self._alone]
        if new:
            if len(self._alone) > _REMEMBERED:
                self._alone.clear()
            for candidate, row in zip(new, self._embedder.encode([c.quote for c in new]), strict=True):
                self._alone[candidate.article.id, candidate.number] = row
        return [max(0.0, float(self._alone[c.article.id, c.number] @ vector)) for c in few]

    def survey(self, question: Question, vector: Vectors, hits: Sequence[Hit]) -> list[Candidate]:
        """Every sentence of the passages that a source stands behind, or that is an editor's answer, and that the
        asker's filter lets through, best first by FEATURES; ties by place.
        """
        asked = _Asked.of(question, self._lexical)
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
                features = self._measure(asked, article, number, float(meaning), hit.score)
                features |= self._expected(asked, article, number, likeness)
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
        """Whether the candidates, best first, answer the question at all, and whether the best one is right."""
        if not any(c.stated for c in found):
            return Judgement(0.0, 0.0)
        signs = self.signs(question, found)
        return Judgement(logistic(self._decisions.answerable, signs), logistic(self._decisions.right, signs))

    def signs(self, question: Question, found: Sequence[Candidate]) -> dict[str, float]:
        """What the judgement rests on: see SIGNS. At least one of `found` must be stated."""
        nobody = (c.score for c in found if not c.stated and _NOBODY.match(fold(c.quote)))
        unsaid = max(nobody, default=-math.inf)
        found = [c for c in found if c.stated]
        best = found[0]
        f = best.features
        idf = {t: self.idf(t, question.language) for t in question.terms}
        unknown = sum(w for t, w in idf.items() if not self.knows(t))
        first = [c for c in found[:_FIRST_FEW] if c.article.language == question.language]
        around = [self._around(c.article, c.number) for c in first]
        things = frozenset(_counted_things(question))
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
            "unknown_name": float(any(not self.knows(n) for n in question.names)),
            "best_meaning": max(c.features["meaning"] for c in found),
            "best_context": max(c.features["context"] for c in found),
            "thing": max((_share(things, own) for own in around), default=1.0),
            "second": f[self.second],
            "best_second": max(c.features[self.second] for c in found),
            "spanish": float(question.language == "es"),
            "spanish_meaning": f["meaning"] * (question.language == "es"),
        }

    def unsaid(self, found: Sequence[Candidate]) -> Unsaid | None:
        """The sentence that says that no source tells what is asked, where that is what was anticipated to be asked."""
        stated = max((c.features["anticipated"] for c in found if c.stated), default=0.0)
        best = max((c.score for c in found if c.stated), default=-math.inf)
        for candidate in found:
            expected = candidate.features["anticipated"]
            if not candidate.stated and _NOBODY.match(fold(candidate.quote)) and expected >= max(_EXPECTED, stated):
                return Unsaid(candidate, candidate.score > best and expected >= stated + _PLAINLY)
        return None

    def unknown_names(self, question: Question) -> tuple[str, ...]:
        """The words of the question that name something no passage speaks of, as the asker wrote them."""
        written = [without_contraction(w.strip(".,;:¿?¡!()\"'")) for w in question.asking.split()]
        said_otherwise = frozenset(
            t
            for key, place in places_in(question.asking).items()
            if any(self.knows(t) for other in spellings(key) for t in terms(other, question.language))
            for t in terms(place, question.language)
        )
        named = [bool(set(terms(w, question.language)) & question.names) or w[:1].isupper() for w in written]
        found: list[str] = []
        for at, word in enumerate(written):
            own = set(terms(word, question.language)) & question.names
            if own and not own & said_otherwise and not any(self.knows(t) for t in own):
                first, last = at, at
                while first > 1 and named[first - 1] and written[first - 1][:1].isupper():
                    first -= 1  # "Aires" is unknown, what was asked about is "Buenos Aires"
                while last + 1 < len(written) and named[last + 1] and written[last + 1][:1].isupper():
                    last += 1
                found.append(" ".join(written[first : last + 1]))
        return tuple(dict.fromkeys(found))

    def idf(self, term: str, language: Language) -> float:
        """How rare a term is among the passages of a language."""
        return self._lexical.words(language).idf(term)

    def knows(self, term: str) -> bool:
        """Whether any passage has a term."""
        return any(self._lexical.words(language).knows(term) for language in LANGUAGES)

    def terms_of(self, article: Article, number: int) -> tuple[str, ...]:
        """Terms of a sentence, in order."""
        key = (article.id, number)
        found = self._terms.get(key)
        if found is None:
            found = self._terms[key] = tuple(terms(article.quote(article.sentences[number]), article.language))
        return found

    def _measure(
        self, asked: _Asked, article: Article, number: int, meaning: float, passage: float
    ) -> dict[str, float]:
        language = article.language
        query = asked.by_language[language]
        sentence = article.sentences[number]
        own = self.terms_of(article, number)
        own_set = frozenset(own)
        framed = own_set | self._frame(article, sentence)
        around = self._around(article, number)
        quote = article.quote(sentence)
        written = names_in(own, self.names[language])
        return {
            "coverage": query.share(own_set),
            "context": query.share(around),
            "meaning": max(0.0, meaning),
            "passage": passage,
            "pairs": _pairs(query.terms, own),
            "names": _share(query.names, around),
            "other_name": float(bool(query.names) and not query.names <= framed and bool(written - query.names)),
            "elsewhere": float(self._is_home and is_elsewhere(places_of(quote), asked.places)),
            "form": _form(asked.question, query, quote, language),
            "year": _year(asked.question.years, quote),
            "wanted": _wanted(asked.question, quote, written - query.names),
            "counted": _counted(asked.question, quote, language),
            "news": min(1.0, len(own_set - query.all) / 12),
            "asks": float(quote.rstrip().endswith("?") or quote.rstrip()[-1:] not in ".!:;)\"'”’»…"),
        }

    def _expected(self, asked: _Asked, article: Article, number: int, likeness: Scores) -> dict[str, float]:
        language = article.language
        known = self._likeness.answered_by((article.id, number))
        if not known:
            return {"anticipated": 0.0, "nearest": 0.0, "same_terms": 0.0}
        best = self._likeness.best((article.id, number), likeness)
        query, idf = asked.by_language[language], self._lexical.words(language).idf
        return {
            "anticipated": max(0.0, best),
            "nearest": math.exp((best - float(likeness.max())) / _NEAREST),
            "same_terms": max(query.likeness(_terms_of(q, language), idf) for q in known),
        }

    def _around(self, article: Article, number: int) -> frozenset[str]:
        """Terms of a sentence, its title, its heading, the sentence before it, and the questions it answers."""
        key = (article.id, number)
        found = self._arounds.get(key)
        if found is None:
            before = self.terms_of(article, number - 1) if self._continues(article, number) else ()
            known = frozenset(t for q in self._likeness.answered_by(key) for t in _terms_of(q, article.language))
            frame = self._frame(article, article.sentences[number])
            found = self._arounds[key] = frozenset((*self.terms_of(article, number), *before)) | frame | known
        return found

    def _frame(self, article: Article, sentence: Sentence) -> frozenset[str]:
        heading = article.sections[sentence.section].heading if article.sections else ""
        return _terms_of(f"{article.title}\n{heading}", article.language)

    def _continues(self, article: Article, number: int) -> bool:
        return number > 0 and article.sentences[number - 1].section == article.sentences[number].section


def _shares(scores: Sequence[float]) -> list[float]:
    """Scores as shares of one (softmax)."""
    highest = max(scores, default=0.0)
    odds = [math.exp(s - highest) for s in scores]
    return [o / sum(odds) for o in odds]


def _best_first(candidate: Candidate) -> tuple[float, str, int]:
    return (-candidate.score, candidate.article.id, candidate.number)


@dataclass(frozen=True, slots=True)
class _Query:
    """The question's terms in one language, with their weights."""

    terms: tuple[str, ...]
    names: frozenset[str]
    all: frozenset[str]
    weights: Mapping[str, float]

    def share(self, found: frozenset[str]) -> float:
        """Share of the weight of the question's terms that is among those found."""
        total = sum(self.weights.values())
        return sum(w for t, w in self.weights.items() if t in found) / total if total else 0.0

    def likeness(self, other: frozenset[str], idf: Callable[[str], float]) -> float:
        """Share of the weight of two questions' terms that both have (Dice's coefficient, weighted)."""
        total = sum(self.weights.values()) + sum(map(idf, other))
        return 2 * sum(w for t, w in self.weights.items() if t in other) / total if total else 0.0


@dataclass(frozen=True, slots=True)
class _Asked:
    question: Question
    by_language: Mapping[Language, _Query]
    places: frozenset[str]

    @classmethod
    def of(cls, question: Question, lexical: LexicalRetriever) -> _Asked:
        queries = {}
        for language in LANGUAGES:
            own = language == question.language
            content = question.terms if own else tuple(dict.fromkeys(terms(question.text, language)))
            names = question.names if own else frozenset(names_in(content, question.names))
            words = lexical.words(language)
            queries[language] = _Query(content, names, frozenset(content), {t: words.idf(t) for t in content})
        return cls(question, queries, places_of(question.asking))


@lru_cache(maxsize=65_536)
def _terms_of(text: str, language: Language) -> frozenset[str]:
    return frozenset(terms(text, language))


def names_in(found: Iterable[str], names: frozenset[str]) -> frozenset[str]:
    """Those of some terms that are names."""
    return frozenset(t for t in found if t in names)


def _share(wanted: frozenset[str], found: frozenset[str]) -> float:
    return len(wanted & found) / len(wanted) if wanted else 1.0


def _pairs(asked: Sequence[str], own: Sequence[str], *, window: int = 3) -> float:
    """Share of neighbouring pairs of the question's terms that lie within a few terms in the sentence."""
    pairs = [(a, b) for a, b in pairwise(asked) if a != b]
    if not pairs:
        return 0.0
    at: dict[str, list[int]] = {}
    for position, term in enumerate(own):
        at.setdefault(term, []).append(position)
    near = sum(any(abs(x - y) <= window for x in at.get(a, ()) for y in at.get(b, ())) for a, b in pairs)
    return near / len(pairs)


_NUMBER = re.compile(r"\d")
_YEARS = re.compile(r"\b(?:1[89]|20)\d{2}\b")
_MONEY = re.compile(
    r"[$€£]|\b(?:pesos?|d[oó]lar(?:es)?|dollars?|usd|mxn|cents?|centavos|euros?|peso-)\b", re.IGNORECASE
)
_PERCENT = re.compile(r"%|\bper ?cent\b|\bpor ciento\b|\bpercentage\b", re.IGNORECASE)
_NUMBER_WORD = re.compile(
    r"\b(?:two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|dozens?|hundreds?|thousands?|millions?|half|third|"
    r"dos|tres|cuatro|cinco|seis|siete|ocho|nueve|diez|once|doce|docenas?|cientos|miles|millones|mitad|tercio)\b",
    re.IGNORECASE,
)
_DATE = re.compile(
    r"\b(?:1[5-9]|20)\d{2}\b|\b(?:january|february|march|april|june|july|august|september|october|november|december|"
    r"enero|febrero|marzo|abril|mayo|junio|julio|agosto|septiembre|octubre|noviembre|diciembre|century|siglo)\b",
    re.IGNORECASE,
)


def years(quote: str) -> set[str]:
    """The years that some words mention."""
    return set(_YEARS.findall(quote))


def _year(asked: frozenset[str], quote: str) -> float:
    if not asked:
        return 0.0
    found = years(quote)
    return 1.0 if asked & found else (-1.0 if found else 0.0)


def _wanted(question: Question, quote: str, new_names: frozenset[str]) -> float:
    """Whether a sentence has the kind of thing that is asked for, beyond what the question brought itself."""
    without_years = _YEARS.sub(" ", quote)
    match question.wanted:
        case "number":
            has = bool(_NUMBER.search(without_years) or _NUMBER_WORD.search(quote))
        case "money":
            has = bool(_NUMBER.search(without_years)) and bool(_MONEY.search(quote))
        case "percent":
            has = bool(_PERCENT.search(quote))
        case "date":
            has = bool(_DATE.search(quote))
        case "who" | "where":
            has = bool(new_names) or bool(re.search(r"(?<=[a-z,] )[A-ZÁÉÍÓÚ][\w]+", quote))
        case _:
            return 0.0
    return 1.0 if has else -1.0


_COPULA = re.compile(
    r"\b(?:is|are|means?|refers? to|stands? for|consists? of|measures|es|son|significa|se refiere a|consiste en|mide|"
    r"quiere decir|se llama|se calcula)\b"
)
_CAUSE = re.compile(
    r"\b(?:because|due to|owing to|since|thanks to|so that|explain\w*|caus\w+|reasons?|factors?|driven|"
    r"drivers?|attribut\w+|blam\w+|led to|result\w*|cit(?:es|ed)|porque|debido|por el|por la|por su|gracias a|"
    r"explica\w*|causa\w*|razon\w*|motiv\w+|factor\w*|atribuy\w+|pues|ya que|llev\w+ a|permit\w+)\b"
)
_LONGER_SUBJECT = 3  # terms that the subject of a definition may have beyond those asked for


def _form(question: Question, query: _Query, quote: str, language: Language) -> float:
    """Whether a sentence has the form of a definition of what is asked, or of a reason."""
    if question.kind == "reason":
        return 1.0 if _CAUSE.search(fold(quote)) else -1.0
    if question.kind != "definition":
        return 0.0
    flat = fold(quote)
    copula = _COPULA.search(flat)
    subject = terms(flat[: copula.start()], language) if copula else []
    asked = sum(t in query.all for t in subject)
    rarest = max(query.weights, key=lambda t: (query.weights[t], t), default="")
    return 1.0 if rarest in subject and len(subject) <= asked + _LONGER_SUBJECT else -1.0


def _counted(question: Question, quote: str, language: Language) -> float:
    """How directly a figure of the sentence counts what "how many" asks for.

    1 when nothing else is between ("300 call centers"), less when other words narrow it down or follow ("3 largest call
    centers", "90 call center companies"), half of that when only the head of what is asked is there ("300 centers").
    """
    things = _counted_things(question)
    if not things:
        return 0.0
    head = things[-1:] if question.language == "en" else things[:1]
    best = 0.0
    for figure in _FIGURE.finditer(quote):
        phrase = _noun_phrase(quote[figure.end() :], language)
        for sought, worth in ((things, 1.0), (head, 0.5)):
            at = next((i for i in range(len(phrase)) if phrase[i : i + len(sought)] == sought), None)
            if at is not None:
                exact = 1.0 if len(phrase) == len(sought) else 0.75 if at == 0 else 0.5
                best = max(best, worth * exact)
    return best


def _counted_things(question: Question) -> tuple[str, ...]:
    """Terms of what "how many" asks for; () where nothing is counted."""
    asked = _HOW_MANY.search(question.text) if question.wanted == "number" else None
    return _noun_phrase(asked[1], question.language) if asked else ()


@lru_cache(maxsize=4096)
def _noun_phrase(text: str, language: Language) -> tuple[str, ...]:
    """Terms of the words that begin a text, up to a sign, a verb of being or another word without content."""
    found: list[str] = []
    for word in text[: _END_OF_PHRASE.search(text + ".").start()].split():  # type: ignore[union-attr]
        plain = fold(word)
        if plain not in _WITHIN_A_PHRASE and is_function_word(plain):
            break
        found.append(word)
    return tuple(t for t in terms(" ".join(found[:_PHRASE_WORDS]), language) if t not in _WITHIN_A_PHRASE)


def _names(articles: Iterable[Article], language: Language) -> frozenset[str]:
    """Terms that the articles of a language write with a capital wherever no sentence begins."""
    capital: Counter[str] = Counter()
    small: Counter[str] = Counter()
    for article in articles:
        if article.language != language:
            continue
        for sentence in article.sentences:
            for word in article.quote(sentence).split()[1:]:
                bare = word.strip(".,;:()[]\"'“”‘’«»¿?¡!*")
                if bare.replace("-", "").isalpha() and "/" not in word and ".md" not in word:
                    (capital if bare[0].isupper() else small)[bare] += 1
    found: Counter[str] = Counter()
    lower: Counter[str] = Counter()
    for word, count in capital.items():
        for term in terms(word, language):
            found[term] += count
    for word, count in small.items():
        for term in terms(word, language):
            lower[term] += count
    return frozenset(t for t, n in found.items() if n > 9 * lower[t] and len(t) > 1)


# --- judgement -----------------------------------------------------------------------------------


class Unsaid(NamedTuple):
    """A sentence by which no source tells what is asked; `alone` where no other sentence comes near the question."""

    candidate: Candidate
    alone: bool


class Judgement(NamedTuple):
    """Probabilities: that the corpus answers the question, and that the best sentence is a right answer."""

    answerable: float
    right: float


def logistic(weights: Mapping[str, float], signs: Mapping[str, float]) -> float:
    """The probability that a logistic regression gives."""
    score = weights["bias"] + sum(weight * signs[name] for name, weight in weights.items() if name != "bias")
    return 1.0 / (1.0 + math.exp(-score))
