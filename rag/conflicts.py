"""Where the sources of an answer disagree: on what, who says what as of when, and why they differ.

Two signs, the surer one first: a sentence of the articles that says itself that sources disagree (its sides
are the sentences that state what it opposes), and two sentences that state different amounts of one thing.
Spread is no conflict: a range that holds the other value, one number rounded, one source told twice.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from functools import lru_cache
from itertools import pairwise
from typing import Literal, NamedTuple

from rag import words
from rag.corpus import Article, Sentence
from rag.evidence import Candidate, Citation, Conflict, Statement
from rag.facts import Amount, Figure, Figures, amounts, as_of, dates, differ, same_unit
from rag.question import Question
from rag.text import Language, fold, terms
from rag.text import words as language_words

Why = Literal["superseded", "year", "scope", "estimates", "contradiction"]

# How near the best sentence another one must be, as a share of its probability, to be held against it.
NEAR = 0.35
NEAR_IN_DOUBT = 0.1  # the same for a question that asks what really holds
_DOUBTS = re.compile(
    r"\b(?:really|actually|in fact|truth|disagree\w*|conflicting|(?:can't|cannot|do not|don't) agree|"
    r"different (?:dates|numbers|figures)|which (?:one|date|number|figure)? ?is (?:it|right)|realmente|en realidad|"
    r"de verdad|en verdad|si o no|\w+ o no|contradic\w+|de acuerdo|cual es l[ao] buen[ao]|"
    r"(?:fechas|cifras|numeros) (?:distint|diferente)\w+)\b"
)
_NOT_ONE_THING = ("definition", "list", "manner", "reason")
_MOST_NEAR = 8
_MOST_SIDES = 5
# Share of the terms of the shorter sentence that the other one has too: from there they speak of one thing.
_SAME_THING = 0.7
_LIKE = 0.3  # share of all subject terms of two sentences that they have in common
_PLAUSIBLE = 10  # two values further apart than by this factor count different things
_SIDE = 0.25  # the same for a sentence that states one of the values that a declaration opposes
_SIDE_WITHOUT_VALUE = 0.35
_OWN_ARTICLE = 0.2  # what a side gains by standing in the article that declares it
_SAME_SCOPE = 0.5
# A declaration must meet this part of what the answer's sentence meets of the question: less where that is a side.
_AS_APT = 0.5
_AS_APT_WITH_SIDE = 0.4
_SIDE_NEAR = 0.2  # how near the best sentence one of the sides must be where the answer states none

_DECLARES = re.compile(
    r"\b(?:disagree|disagrees|contradicts?|conflict|at odds|(?:do|does) not (?:agree|match)|differ"
    r"|no (?:coinciden?|concuerdan?)|discrepan|difieren|se contradicen?|contradice)\b",
    re.IGNORECASE,
)
_ON_SCOPE = re.compile(
    r"\b(?:scopes?|areas? and units?|cover|covers|narrower|different (?:start|origins?|bases?)|both count|"
    r"counts?\b.*\bsecond|"
    r"(?:en|su|el|cambia el) alcance(?! de)|alcances|abarcan?|areas? y unidades|"
    r"distint[oa]s? (?:origen|origenes|bases?)|la segunda|poblaciones)\b"
)
_ESTIMATED = re.compile(
    r"\b(?:about|around|almost|nearly|roughly|over|more than|estimat\w+|forecast\w*|unofficial|undated|at least|"
    r"survey|opinion|cerca|unos|unas|alrededor|casi|mas de|estim\w+|pronostic\w+|extraoficial\w*|sin fecha|"
    r"al menos|encuesta)\b"
)
_REPLACED = re.compile(
    r"\b(?:amend\w+|reform\w*|decree|replaced|repealed|formerly|no longer|older|old amounts|before the|"
    r"decreto|sustitu\w+|derog\w+|ya no|antes de la)\b"
)
# What a sentence says of its source rather than of its subject.
_REPORTING: dict[Language, str] = {
    "en": "according data report reported reports article says said say put puts wrote undated text page press "
    "estimate estimated figure figures count counts source sources vendor study interview note told gave gives quotes "
    "year years",
    "es": "segun datos reporte reporto articulo dice dijo pone puso escribio fecha texto pagina prensa estimacion "
    "estimo cifra cifras conteo fuente fuentes proveedor estudio entrevista nota dio da cita ano anos",
}
# Whose word weighs more where nothing else decides.
_WEIGHT = {"government": 0, "statistics": 0, "law-firm": 1, "association": 1, "analyst": 1, "press": 1}
_LIGHT = 2


class Told(NamedTuple):
    """A sentence of an article: what a conflict opposes."""

    article: Article
    number: int

    def __hash__(self) -> int:
        """Its place, so that no article is read through for it."""
        return hash((self.article.id, self.number))

    @property
    def sentence(self) -> Sentence:
        """Its place in the article."""
        return self.article.sentences[self.number]

    @property
    def quote(self) -> str:
        """Its words."""
        return self.article.quote(self.sentence)

    def cite(self) -> Citation:
        """The citation that opens it."""
        return Citation.of(self.article, self.sentence.start, self.sentence.end)


class Found(NamedTuple):
    """A conflict, with the sentence that declares it, where there is one; it `leads` where it is what was asked."""

    conflict: Conflict
    declared: Told | None
    leads: bool = False


class Disagreements:
    """Finds what the sources of an answer disagree on."""

    def __init__(self, figures: Figures | None = None) -> None:
        self._figures = figures or Figures()
        self._declaring: dict[str, tuple[Told, ...]] = {}

    def find(self, question: Question, chosen: Sequence[Candidate], found: Sequence[Candidate]) -> Found | None:
        """The conflict behind an answer, if there is one; `found` are all candidates, best first."""
        if not chosen:
            return None
        best = max(c.share for c in found)
        near = [c for c in found[:_MOST_NEAR] if c.share >= NEAR * best]
        return self._declared(question, chosen, found) or self._opposed(question, chosen, near)

    # --- declared by a sentence ---

    def _declared(self, question: Question, chosen: Sequence[Candidate], found: Sequence[Candidate]) -> Found | None:
        lead = Told(chosen[0].article, chosen[0].number)
        best = max(c.share for c in found)
        near = {Told(c.article, c.number): c.share / best for c in found}
        articles = list({t.article.id: t.article for t in (lead, *list(near)[:_MOST_NEAR])}.values())
        declarations = [t for t in near if is_declaration(t.article, t.number)]
        declarations += [t for a in articles for t in self._declarations(a) if t not in near]
        names = question.names

        def aptness(told: Told) -> tuple[int, bool]:
            return -len(names & set(terms(told.quote, told.article.language))), told != lead

        for declaration in sorted(declarations, key=aptness):
            sides = self._sides(declaration, articles)
            if not _is_asked_about(question, lead, declaration, sides, near):
                continue
            statements = self._statements(sides) if len(sides) > 1 else _clauses(declaration)
            if len(statements) > 1:
                found_ = self._found(question, statements, _why(statements, declaration), declaration)
                doubts = bool(_DOUBTS.search(fold(question.text)))
                return found_._replace(leads=doubts or declaration == lead or lead in sides)
        return None

    def _declarations(self, article: Article) -> tuple[Told, ...]:
        if article.id not in self._declaring:
            numbers = range(len(article.sentences))
            self._declaring[article.id] = tuple(Told(article, n) for n in numbers if is_declaration(article, n))
        return self._declaring[article.id]

    def _sides(self, declaration: Told, articles: Sequence[Article]) -> list[Told]:
        """The sentences that state what a declaration opposes, one for each value, or for each source."""
        values, own = _values(declaration), _subject(declaration)
        behind = frozenset(declaration.sentence.sources)
        scored: list[tuple[float, int, Told, frozenset[str]]] = []
        for rank, article in enumerate(sorted(articles, key=lambda a: a.id != declaration.article.id)):
            for number, sentence in enumerate(article.sentences):
                told = Told(article, number)
                if not behind.intersection(sentence.sources) or is_declaration(article, number):
                    continue
                covers = _common(values, told) if values else behind.intersection(sentence.sources)
                alike = _containment(own, _subject(told))
                if covers and covers != values and alike >= (_SIDE if values else _SIDE_WITHOUT_VALUE):
                    closeness = alike + _likeness(own, _subject(told)) + (_OWN_ARTICLE if rank == 0 else 0.0)
                    scored.append((-closeness, rank, told, covers))
        sides: list[Told] = []
        covered: frozenset[str] = frozenset()
        for *_, told, covers in sorted(scored, key=lambda row: (row[:2], row[2].number)):
            if covers - covered and len(sides) < _MOST_SIDES:
                sides.append(told)
                covered |= covers
        return sides

    # --- opposed by their amounts ---

    def _opposed(self, question: Question, chosen: Sequence[Candidate], near: Sequence[Candidate]) -> Found | None:
        if question.kind not in ("figure", "fact", "yesno") or question.latest:
            return None
        lead = chosen[0]
        sides = [Told(lead.article, lead.number)]
        for other in near:
            told = Told(other.article, other.number)
            if all(self._is_opposed(question, side, told) for side in sides) and len(sides) < _MOST_SIDES:
                sides.append(told)
        if len(sides) < 2 or _asks_for_one(question, sides, None):
            return None
        statements = self._statements(sides)
        return self._found(question, statements, _why(statements, None), None)

    def _is_opposed(self, question: Question, one: Told, other: Told) -> bool:
        if one == other or one.article.language != other.article.language:
            return False
        if set(one.sentence.sources) & set(other.sentence.sources):
            return False  # one source told twice
        rows = [
            (f, g)
            for f in self._figures.of(one.article.id, one.number)
            for g in self._figures.of(other.article.id, other.number)
            if (f.metric, f.unit, f.place) == (g.metric, g.unit, g.place)
        ]
        same = [(f, g) for f, g in rows if _same_scope(f, g)]
        if same:
            return all(_rows_differ(f, g) for f, g in same)
        return _sentences_differ(question, one, other)

    # --- how it is shown ---

    def _statements(self, sides: Sequence[Told]) -> list[Statement]:
        return [Statement(t.quote, as_of(t.quote, self._figures.of(t.article.id, t.number)), t.cite()) for t in sides]

    def _found(self, question: Question, sides: Sequence[Statement], why: Why, declared: Told | None) -> Found:
        first, reason = _preferred(sides, why)
        # The one to use first, then the newest; those that give no date last.
        newest = sorted(sides, key=lambda s: s.as_of, reverse=True)
        ordered = sorted(newest, key=lambda s: s is not first)
        heading = (declared.cite() if declared else sides[0].citation).heading
        return Found(
            Conflict(
                about=heading if heading and not _ASKS_OF_SOURCES.search(heading) else question.text,
                reason=words.conflict(question.language, why, reason, first.as_of if first else ""),
                statements=tuple(ordered),
            ),
            declared,
        )


def is_declaration(article: Article, number: int) -> bool:
    """Whether a sentence says that sources disagree.

    "Differ" alone also tells things apart that nobody disputes: what it opposes decides, see `_sides`.
    """
    sentence = article.sentences[number]
    found = _DECLARES.search(article.text, sentence.start, sentence.end)
    return bool(sentence.sources and found and not _WRONG.search(article.text, sentence.start, sentence.end))


@lru_cache(maxsize=8192)
def _values(told: Told) -> frozenset[str]:
    """What a sentence states that another may deny: amounts, ranges whole, and days; no years, which say when."""
    found = {_key(a.low, a.high) for a in amounts(told.quote, told.article.language)}
    return frozenset(found | {d[-5:] for d in dates(told.quote) if len(d) > 7 or d.startswith("--")})


def _key(low: float, high: float) -> str:
    return f"{low:.10g}" if low == high else f"{low:.10g}-{high:.10g}"


def _common(values: frozenset[str], told: Told) -> frozenset[str]:
    """Those of some values that a sentence states; the end of a range counts for the range, and the other way round."""
    own = _values(told) | {_SMALL[w] for w in language_words(told.quote) if w in _SMALL}
    ends = {end for value in own for end in value.split("-")} if own else set()
    return frozenset(v for v in values if v in own or v in ends or ("-" in v and set(v.split("-")) & own))


# Small numbers are often written out; "one" and "un" are articles and pronouns more often than numbers.
_SMALL = {
    word: str(number)
    for number, pair in enumerate(
        (
            "two dos", "three tres", "four cuatro", "five cinco", "six seis", "seven siete", "eight ocho",
            "nine nueve", "ten diez", "eleven once", "twelve doce",
        ),
        2,
    )
    for word in pair.split()
}  # fmt: skip


@lru_cache(maxsize=4096)
def _reporting(language: Language) -> frozenset[str]:
    return frozenset(terms(_REPORTING[language], language))


def _publishers(told: Told) -> frozenset[str]:
    """The terms of the names of those who stand behind a sentence."""
    behind = (s for s in told.article.sources if s.id in told.sentence.sources)
    return frozenset(t for s in behind for t in terms(s.publisher, told.article.language))


@lru_cache(maxsize=8192)
def _subject(told: Told) -> frozenset[str]:
    """The terms of a sentence that say what it is about: no figures, nothing about its source."""
    publishers = _publishers(told)
    found = {t for t in terms(told.quote, told.article.language) if not t[0].isdigit()}
    return frozenset(found - _reporting(told.article.language) - publishers)


def _containment(one: frozenset[str], other: frozenset[str]) -> float:
    return len(one & other) / max(1, min(len(one), len(other)))


def _likeness(one: frozenset[str], other: frozenset[str]) -> float:
    return len(one & other) / max(1, len(one | other))


def _is_asked_about(
    question: Question, lead: Told, declaration: Told, sides: Sequence[Told], near: Mapping[Told, float]
) -> bool:
    """Whether a question is on what a declaration opposes; `near` has each candidate's share of the best one's."""
    doubts = bool(_DOUBTS.search(fold(question.text)))
    if not doubts and _asks_for_one(question, sides, declaration):
        return False
    if declaration == lead:
        return True
    as_apt = _apt(question, declaration) / max(_apt(question, lead), 0.01)
    if lead in sides:
        return as_apt >= _AS_APT_WITH_SIDE
    if question.kind in _NOT_ONE_THING or as_apt < _AS_APT:
        return False
    if doubts:
        return near.get(declaration, 0.0) >= NEAR_IN_DOUBT
    return near.get(declaration, 0.0) >= NEAR and max((near.get(t, 0.0) for t in sides), default=0.0) >= _SIDE_NEAR


def _apt(question: Question, told: Told) -> float:
    """The part of the question's terms that a sentence has."""
    asked = set(question.terms)
    return len(asked & set(terms(told.quote, told.article.language))) / max(1, len(asked))


def _asks_for_one(question: Question, sides: Sequence[Told], declared: Told | None) -> bool:
    """Whether a question says which of the sides it wants: by a year or a name that others of them lack.

    What a declaration says before its first value holds for all sides ("dismissed around the 2022 vote: 22, 25").
    """
    if len(sides) < 2:
        return False
    common = _common_part(declared) if declared else ""
    asked = (
        (question.years | question.names) - set(re.findall(r"\d{4}", common)) - set(terms(common, question.language))
    )
    short = [set(_ACRONYM.findall(t.quote)) for t in sides]
    if any(a in o.quote for own, t in zip(short, sides, strict=True) for a in own for o in sides if o != t):
        asked -= question.names  # "the Mexican Teleservices Institute (IMT)" here is "the IMT" there
    meeting = [bool(asked & (set(terms(t.quote, t.article.language)) | set(_YEARS.findall(t.quote)))) for t in sides]
    return 0 < sum(meeting) < len(sides)


_ACRONYM = re.compile(r"\(([A-ZÁÉÍÓÚ]{2,})\)")
_DAY = re.compile(
    r"\b(?:january|february|march|april|may|june|july|august|september|october|november|december) \d{1,2}\b"
    r"|\b\d{1,2} (?:de |o )",
    re.IGNORECASE,
)
_YEARS = re.compile(r"\b(?:19|20)\d{2}\b")


def _common_part(declared: Told) -> str:
    """What a declaration says before it comes to the sides."""
    quote, language = declared.quote, declared.article.language
    opening = _OPENS.search(quote)
    starts = [a.start for a in amounts(quote, language)][:1] + ([opening.start()] if opening else [])
    days = [m.start() for m in _DAY.finditer(quote)][:1]
    return quote[: min([*starts, *days], default=len(quote))]


# --- whether two sentences deny each other ----------------------------------------------------------


_BOUND_OF_SCOPE = re.compile(r"\b(?:more than|at least|about|almost|up to|less than|forecast|around|over)\b")


def _scope(row: Figure) -> frozenset[str]:
    return frozenset(terms(_BOUND_OF_SCOPE.sub(" ", re.sub(r"\([^)]*\)", " ", row.scope)), "en"))


def _same_scope(one: Figure, other: Figure) -> bool:
    a, b = _scope(one), _scope(other)
    return len(a & b) >= _SAME_SCOPE * max(1, len(a | b))


def _rows_differ(one: Figure, other: Figure) -> bool:
    return differ(_amount(one), _amount(other))


def _amount(row: Figure) -> Amount:
    bound = "about" if _BOUND_OF_SCOPE.search(row.scope) else ""
    unit = "percent" if row.unit.startswith("percent") else row.unit
    return Amount(float(row.low), float(row.high), unit, frozenset(), bound, 0, 0)


def _sentences_differ(question: Question, one: Told, other: Told) -> bool:
    """Whether two sentences on the same thing state amounts, or days, of which not both can be right."""
    if is_declaration(one.article, one.number) or is_declaration(other.article, other.number):
        return False
    mine, theirs = _subject(one), _subject(other)
    asked = set(question.terms)
    if _containment(mine, theirs) < _SAME_THING or (asked & mine) != (asked & theirs) or not asked & mine:
        return False
    if _likeness(mine, theirs) < _LIKE:
        return False  # a short sentence is contained in many
    if not _named_alike(one, other):
        return False
    if question.wanted == "date":
        days, others = _days(one), _days(other)
        return bool(days and others) and not days & others and {len(d) for d in days} == {len(d) for d in others}
    pairs = [
        (a, b)
        for a in amounts(one.quote, one.article.language)
        for b in amounts(other.quote, other.article.language)
        if same_unit(a, b)
    ]
    return bool(pairs) and all(differ(a, b) and _comparable(a, b) for a, b in pairs)


def _comparable(one: Amount, other: Amount) -> bool:
    smaller, larger = sorted((one.high, other.high))
    return larger <= _PLAUSIBLE * smaller


def _days(told: Told) -> set[str]:
    return set(dates(told.quote)) - {""}


def _named_alike(one: Told, other: Told) -> bool:
    """Whether two sentences name the same things: a sentence on Mérida denies nothing about Monterrey."""
    a, b = _names(one), _names(other)
    return a <= b or b <= a


_NAME = re.compile(r"(?<=[^\s.!?:]\s)[A-ZÁÉÍÓÚÑ][\w&-]*")


@lru_cache(maxsize=8192)
def _names(told: Told) -> frozenset[str]:
    language = told.article.language
    months = {"january february march april may june july august september october november december", "mexico"}
    ignored = frozenset(terms(" ".join(months), "en")) | _reporting(language)
    publishers = _publishers(told)
    return frozenset(t for m in _NAME.findall(told.quote) for t in terms(m, language)) - ignored - publishers


# --- why they differ, and which one to use ---------------------------------------------------------


def _why(statements: Sequence[Statement], declared: Told | None) -> Why:
    said = fold(declared.quote if declared else "")
    quotes = fold(" ".join(s.text for s in statements))
    if _ON_SCOPE.search(said):
        return "scope"
    if len({s.as_of[:4] for s in statements if s.as_of}) > 1:
        newest = max(statements, key=lambda s: s.as_of)
        official = _weight(newest.citation) == 0
        return "superseded" if official and _REPLACED.search(f"{said} {quotes}") else "year"
    return "estimates" if _ESTIMATED.search(quotes) else "contradiction"


def _weight(citation: Citation) -> int:
    return min((_WEIGHT.get(s.kind, _LIGHT) for s in citation.sources), default=_LIGHT)


def _preferred(statements: Sequence[Statement], why: Why) -> tuple[Statement | None, str]:
    """The side to use, and what for: "newest", "official", "independent", or none and ""."""
    if why in ("superseded", "year"):
        return max(statements, key=lambda s: s.as_of), "newest"
    weights = [_weight(s.citation) for s in statements]
    lightest = min(weights)
    if why == "scope" or weights.count(lightest) > 1:
        return None, ""
    return statements[weights.index(lightest)], "official" if lightest == 0 else "independent"


# Where a declaration goes over to what it opposes, and where one side ends and the other begins.
_OPENS = re.compile(r":\s|, (?:since|pues|with|con) | (?:because|porque) ")
_TURNS = re.compile(r"(?:,? (?:against|versus|while|whereas|contra|frente a|mientras(?: que)?) |; )")
_PARTS = re.compile(
    r"(?:,? (?:against|versus|while|whereas|and|contra|frente a|mientras(?: que)?|y) |[:;] |, (?!\d{4}))(?:with |con )?"
)
_ASIDE = re.compile(r"(?:after|before|tras|después|antes)\b")
_WHICH = re.compile(r"\b(?:which disagrees|lo que no coincide|contradicts the|contradice a)\b")
# What a source got wrong, by the articles' own word: corrected, not disputed.
_WRONG = re.compile(r"\bwhich (?:contradicts|does not match)\b|\blo que contradice\b|lo que no coincide con las cifras")


def _clauses(declaration: Told) -> list[Statement]:
    """The parts of a declaration that state one side each, for want of sentences that do.

    The parts with a value of their own, when there are several; else what stands on each side of "while" or
    "against"; else, where one sentence says that it denies another, the sentence before it.
    """
    quote = declaration.quote
    parts = [p for p in _split(quote, 0, _PARTS) if _states_value(quote[p[0] : p[1]], declaration.article.language)]
    if len(parts) < 2:
        opening = _OPENS.search(quote)
        start = opening.end() if opening else 0
        parts = _split(quote, start, _TURNS)
        if len(parts) < 2 and opening:
            parts = _split(quote, start, _PARTS)
    if len(parts) > 1 and all(len(quote[a:b].split()) > 1 for a, b in parts):
        begin = declaration.sentence.start
        cited = [Citation.of(declaration.article, begin + a, begin + b) for a, b in parts]
        return [Statement(c.quote, as_of(c.quote), c) for c in cited]
    before = declaration.number - 1
    if _WHICH.search(quote) and before >= 0:
        other = Told(declaration.article, before)
        if other.sentence.sources and other.sentence.section == declaration.sentence.section:
            return [Statement(t.quote, as_of(t.quote), t.cite()) for t in (declaration, other)]
    return []


def _split(quote: str, start: int, pattern: re.Pattern[str]) -> list[tuple[int, int]]:
    """The ranges between the matches of a pattern, without the full stop."""
    end = len(quote.rstrip(" ."))
    cuts = [(start, start), *(m.span() for m in pattern.finditer(quote, start, end)), (end, end)]
    return [(a, b) for (_, a), (b, _) in pairwise(cuts) if quote[a:b].strip() and not _ASIDE.match(quote, a)]


def _states_value(clause: str, language: Language) -> bool:
    return bool(amounts(clause, language)) or any(len(d) > 7 or d.startswith("--") for d in dates(clause))


_ASKS_OF_SOURCES = re.compile(
    r"\b(?:sources?|fuentes?|claims?|disagree|coinciden|numbers so different)\b", re.IGNORECASE
)
