"""What is measured of a sentence beside a question: numbers that a reader can follow, and weights are learnt for."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from itertools import pairwise

from rag.corpus import Article, Sentence
from rag.index import Index
from rag.language import is_function_word
from rag.likeness import Likeness, Scores
from rag.places import is_elsewhere, is_home, places_of
from rag.question import Question
from rag.retrieve import LexicalRetriever
from rag.text import LANGUAGES, Language, fold, terms

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
_SAMPLE = 20  # articles of which it is told whether all are on Mexico
_NEAREST = 0.6  # cosine within which another anticipated question is almost as near as the nearest


class Features:
    """Measures sentences. Built once over an index; holds what it learnt of its words.

    `names` are the terms that the articles of a language write with a capital.
    """

    def __init__(self, index: Index, lexical: LexicalRetriever, likeness: Likeness) -> None:
        self._index = index
        self._lexical = lexical
        self._likeness = likeness
        self._terms: dict[tuple[str, int], tuple[str, ...]] = {}
        self._arounds: dict[tuple[str, int], frozenset[str]] = {}
        self.names = {language: _names(index.articles.values(), language) for language in LANGUAGES}

    @cached_property
    def _is_home(self) -> bool:
        articles = list(self._index.articles.values())
        some = articles[:: max(1, len(articles) // _SAMPLE)]
        return is_home(places_of(a.quote(s)) for a in some for s in a.sentences)

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

    def asked(self, question: Question) -> Asked:
        """A question as sentences of either language are measured beside it."""
        return Asked.of(question, self._lexical)

    def measure(
        self, asked: Asked, article: Article, number: int, *, meaning: float, passage: float, likeness: Scores
    ) -> dict[str, float]:
        """FEATURES of a sentence: `meaning` is its cosine, `passage` the score of its passage, `likeness` how like the
        question is to each that is anticipated.
        """
        language = article.language
        query = asked.by_language[language]
        sentence = article.sentences[number]
        own = self.terms_of(article, number)
        own_set = frozenset(own)
        framed = own_set | self._frame(article, sentence)
        around = self.around(article, number)
        quote = article.quote(sentence)
        written = names_in(own, self.names[language])
        return self._expected(query, article, number, likeness) | {
            "coverage": query.share(own_set),
            "context": query.share(around),
            "meaning": max(0.0, meaning),
            "passage": passage,
            "pairs": _pairs(query.terms, own),
            "names": share_of(query.names, around),
            "other_name": float(bool(query.names) and not query.names <= framed and bool(written - query.names)),
            "elsewhere": float(self._is_home and is_elsewhere(places_of(quote), asked.places)),
            "form": _form(asked.question, query, quote, language),
            "year": _year(asked.question.years, quote),
            "wanted": _wanted(asked.question, quote, written - query.names),
            "counted": _counted(asked.question, quote, language),
            "news": min(1.0, len(own_set - query.all) / 12),
            "asks": float(quote.rstrip().endswith("?") or quote.rstrip()[-1:] not in ".!:;)\"'”’»…"),
        }

    def _expected(self, query: Query, article: Article, number: int, likeness: Scores) -> dict[str, float]:
        language = article.language
        known = self._likeness.answered_by((article.id, number))
        if not known:
            return {"anticipated": 0.0, "nearest": 0.0, "same_terms": 0.0}
        best = self._likeness.best((article.id, number), likeness)
        idf = self._lexical.words(language).idf
        return {
            "anticipated": max(0.0, best),
            "nearest": math.exp((best - float(likeness.max())) / _NEAREST),
            "same_terms": max(query.likeness(_terms_of(q, language), idf) for q in known),
        }

    def around(self, article: Article, number: int) -> frozenset[str]:
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


@dataclass(frozen=True, slots=True)
class Query:
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
class Asked:
    """A question, its terms in either language, and the places it names."""

    question: Question
    by_language: Mapping[Language, Query]
    places: frozenset[str]

    @classmethod
    def of(cls, question: Question, lexical: LexicalRetriever) -> Asked:
        """Weigh the terms of a question by how rare they are."""
        queries = {}
        for language in LANGUAGES:
            own = language == question.language
            content = question.terms if own else tuple(dict.fromkeys(terms(question.text, language)))
            names = question.names if own else frozenset(names_in(content, question.names))
            words = lexical.words(language)
            queries[language] = Query(content, names, frozenset(content), {t: words.idf(t) for t in content})
        return cls(question, queries, places_of(question.asking))


@lru_cache(maxsize=65_536)
def _terms_of(text: str, language: Language) -> frozenset[str]:
    return frozenset(terms(text, language))


def names_in(found: Iterable[str], names: frozenset[str]) -> frozenset[str]:
    """Those of some terms that are names."""
    return frozenset(t for t in found if t in names)


def share_of(wanted: frozenset[str], found: frozenset[str]) -> float:
    """Share of what is wanted that is found; 1 where nothing is."""
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


_HOW_MANY = re.compile(r"\b(?:how many|number of|cu[aá]nt[oa]s|n[uú]mero de)\s+(.+)", re.IGNORECASE)
_END_OF_PHRASE = re.compile(r"[,;:.()?!¿¡]")
_FIGURE = re.compile(r"\d(?:[\d.,]*\d)?")
_PHRASE_WORDS = 6
_WITHIN_A_PHRASE = {"de", "of", "mil", "millones", "million", "thousand"}
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


def _form(question: Question, query: Query, quote: str, language: Language) -> float:
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
    things = counted_things(question)
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


def counted_things(question: Question) -> tuple[str, ...]:
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
