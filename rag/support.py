"""Whether quotes carry a sentence, and which checks say so: no model, both languages, either way round.

A sentence is read into its particulars (`rag.particulars`), and each must be found in the words quoted, at a place
that speaks of the same thing: a number or a name that the quote has, but says of something else, does not count.
What a quote denies or only expects must be denied or expected in the sentence.
"""

from __future__ import annotations

import ast
import operator
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from functools import lru_cache
from itertools import pairwise
from typing import Literal, NamedTuple

from rag.markers import MUST_STAY, NEEDS_GROUND, SCALES
from rag.particulars import Mark, Name, Particulars, Quantity, is_year, read
from rag.text import Language, figure, figures, sentences

Verdict = Literal["supported", "contradicted", "unsupported"]
# A scorer that was trained for it: sentence and quotes -> probability that they carry it.
Scorer = Callable[[str, Sequence[str]], float]

WINDOW = 4  # words of content on each side that say what a number, name or mark speaks of
RIVAL = 1.8  # how much better the surroundings of another number must fit for this one to be misplaced
FIGURE = 2.0  # what a number among the surroundings counts, a word counting one: it says most of what is meant
ALIKE = 1.2  # likeness of surroundings from which on a word that says the contrary is one
COVERED = 0.6  # share of what surrounds a "not" that a sentence must take over to have to take the "not" over
# Classes in which a word without a counterpart counts from one language to the other too.
STRICT_ACROSS = frozenset({"negation"})
REPEATED = 0.7  # share of a sentence's words that a quote has in the same order for it to count as a changed quote
CHANGED = 4  # words: a longer stretch is a clause that was left out, moved or added
WORDS = 0.5  # share of a sentence's words of content that its quotes must have
WORDS_ACROSS = 0.3  # the same from one language to the other, where only cousins and the table are known
SCORE = 0.5  # below this a trained scorer overrules the rules


class Finding(NamedTuple):
    """One check: what was looked at, whether it held, what the sentence says and what the quotes say instead."""

    check: str
    held: bool
    said: str = ""
    quoted: str = ""


@dataclass(frozen=True, slots=True)
class Support:
    """The verdict on a sentence, and every check that was made for it."""

    verdict: Verdict
    findings: tuple[Finding, ...]

    @property
    def failed(self) -> tuple[Finding, ...]:
        """The checks that did not hold."""
        return tuple(f for f in self.findings if not f.held)


def support(
    claim: str,
    quotes: Sequence[str],
    *,
    frame: Sequence[str] = (),
    names: frozenset[str] = frozenset(),
    language: Language | None = None,
    scorer: Scorer | None = None,
) -> Support:
    """Judge whether the quotes carry a sentence.

    `frame` is what stands around the quotes (titles, headings, publishers): it can lend a name that they leave
    out, never a number or date. `names` are terms known to be names, for those that open a sentence; `language` is
    that of the sentence, told from its words when it is not given.

    >>> quote = "Wages in Tijuana rose 13% in 2025."
    >>> support("In 2025, pay rose by 13% in Tijuana.", [quote]).verdict
    'supported'
    >>> [(f.check, f.said, f.quoted) for f in support("Wages in Tijuana fell 13% in 2025.", [quote]).failed]
    [('direction', 'fell', 'rose')]
    """
    if any(_plain(claim) == _plain(part) for quote in quotes for part in (quote, *_sentences(quote))):
        return Support("supported", (Finding("quoted", held=True),))
    said = read(claim, language)
    pair = _Pair(said, tuple(read(q) for q in quotes), tuple(read(f) for f in frame))
    findings = [
        *_numbers(pair),
        *_turned(pair),
        *_months(pair),
        *_places(pair),
        *_names(pair, names),
        *_marks(pair),
        *_dropped(pair),
        *_edited(pair),
        _words(pair),
    ]
    if scorer is not None:
        score = scorer(claim, quotes)
        findings.append(Finding("scorer", score >= SCORE, f"{score:.2f}"))
    findings = list(dict.fromkeys(findings))
    failed = [f for f in findings if not f.held]
    against = any(f.quoted or f.check in MUST_STAY for f in failed)
    return Support("contradicted" if against else "unsupported" if failed else "supported", tuple(findings))


def _plain(text: str) -> str:
    return re.sub(r"[\s\"“”'‘’*_]+", " ", text).strip(" .").casefold()


@lru_cache(maxsize=4096)
def _sentences(text: str) -> tuple[str, ...]:
    return tuple(text[a:b] for a, b in sentences(text))


# --- surroundings --------------------------------------------------------------------------------


class _Spot(NamedTuple):
    """A place in one of the texts."""

    text: Particulars
    at: int
    until: int


@dataclass(frozen=True, slots=True)
class _Pair:
    said: Particulars
    quoted: tuple[Particulars, ...]
    frame: tuple[Particulars, ...]

    def likeness(self, one: _Spot, other: _Spot) -> float:
        """How alike two places are in what surrounds them: words in common, near ones and those on the same side
        counting more.
        """
        across = one.text.language != other.text.language
        theirs = _around(other, across=across)
        total = 0.0
        for key, offsets in _around(one, across=across).items():
            found = theirs.get(key)
            if found:
                total += (FIGURE if key[0].isdigit() and not is_year(key) else 1.0) * max(
                    (1.0 if (a > 0) == (b > 0) else 0.5) / (1 + 0.35 * (abs(a) + abs(b) - 2))
                    for a in offsets
                    for b in found
                )
        return total

    def misplaced(self, own: _Spot, same: Iterable[_Spot], others: Iterable[_Spot]) -> _Spot | None:
        """The place in the quotes whose surroundings fit better than all where the same thing is said."""
        best = max((self.likeness(own, spot) for spot in same), default=0.0)
        rival, height = None, 0.0
        for spot in others:
            likeness = self.likeness(own, spot)
            if likeness > height:
                rival, height = spot, likeness
        return rival if height > RIVAL * best + 0.25 else None


@lru_cache(maxsize=65_536)
def _around(spot: _Spot, *, across: bool) -> dict[str, tuple[int, ...]]:
    """The words of content around a place, with their distances; numbers and places by what they mean."""
    keys = _keys(spot.text, across=across)
    before = [key for at, key in keys if at < spot.at][-WINDOW:]
    after = [key for at, key in keys if at > spot.until][:WINDOW]
    found: dict[str, tuple[int, ...]] = {}
    for distance, key in enumerate(reversed(before), 1):
        found[key] = (*found.get(key, ()), -distance)
    for distance, key in enumerate(after, 1):
        found[key] = (*found.get(key, ()), distance)
    return found


@lru_cache(maxsize=16_384)
def _keys(text: Particulars, *, across: bool) -> tuple[tuple[int, str], ...]:
    places = {n.at: n.key for n in text.names if n.place}
    inside = {n.at + i for n in text.names if n.place for i in range(1, n.key.count(" ") + 1)}
    return tuple(
        (at, places.get(at) or (token.concept if across else token.stem))
        for at, token in enumerate(text.tokens)
        if token.stem and at not in inside
    )


# --- numbers and dates ---------------------------------------------------------------------------

_MONEY = {"money", "usd", "mxn", "eur"}
_Counted = tuple[Particulars, Quantity]


def _numbers(pair: _Pair) -> Iterator[Finding]:
    everything = [(text, q) for text in pair.quoted for q in text.quantities]
    computed = _computed(pair.said.text, {v for _, q in everything for v in q.values})
    for own in pair.said.quantities:
        check = "dates" if own.year else "numbers"
        same = [(text, q) for text, q in everything if _equal(own, q)]
        if not same:
            if own.values & computed:
                yield Finding("computed", held=True, said=own.written)
                continue
            rivals = [q.written for _, q in everything if q.year == own.year and _same_unit(own.unit, q.unit)]
            yield Finding(check, held=False, said=own.written, quoted=", ".join(dict.fromkeys(rivals[:3])))
            continue
        others = [(text, q) for text, q in everything if not _equal(own, q) and q.year == own.year]
        rival = pair.misplaced(
            _Spot(pair.said, own.at, own.at),
            (_Spot(text, q.at, q.at) for text, q in same),
            (_Spot(text, q.at, q.at) for text, q in others if _same_unit(own.unit, q.unit)),
        )
        written = rival.text.tokens[rival.at].raw if rival else ""
        if rival is None and not own.year:
            written = _counts_else(pair.said, own, same, [(t, q) for t, q in others if _same_unit(own.unit, q.unit)])
        yield Finding(check, held=not written, said=own.written, quoted=written)


def _counts_else(said: Particulars, own: Quantity, same: Sequence[_Counted], others: Sequence[_Counted]) -> str:
    """The number of the quotes that counts what the sentence counts with this one; "" when it is this one."""
    across = all(text.language != said.language for text, _ in same)
    counted = _after(said, own.at, across=across)[:1]
    if not counted or any(counted[0] in _after(text, q.at, across=across) for text, q in same):
        return ""
    if not all(_after(text, q.at, across=across) for text, q in same):
        return ""
    return next((q.written for text, q in others if counted[0] in _after(text, q.at, across=across)[:3]), "")


def _after(text: Particulars, at: int, *, across: bool) -> list[str]:
    """The words of content that follow a number up to the next one, in its clause: what it counts is among them."""
    found = []
    for token in text.tokens[at + 1 : at + 9]:
        if token.raw[0].isdigit() or token.clause != text.tokens[at].clause:
            break
        if token.stem and token.folded not in SCALES:
            found.append(token.concept if across else token.stem)
    return found[:5]


def _turned(pair: _Pair) -> Iterator[Finding]:
    """Numbers that stand together in the quotes the other way round: "116 of 87" for "87 of 116"."""
    quoted = {p for text in pair.quoted for p in _couples(text)}
    for first, last in _couples(pair.said):
        if first != last and (last, first) in quoted and (first, last) not in quoted:
            yield Finding("numbers", held=False, said=f"{first} … {last}", quoted=f"{last} … {first}")


def _couples(text: Particulars) -> list[tuple[str, str]]:
    near = [(a, b) for a, b in pairwise(text.quantities) if b.at - a.at <= 3 and not a.year and not b.year]
    return [(min(a.values, key=len), min(b.values, key=len)) for a, b in near]


def _equal(one: Quantity, other: Quantity) -> bool:
    return bool(one.values & other.values) and (_same_unit(one.unit, other.unit) or one.year or other.year)


def _same_unit(one: str, other: str) -> bool:
    if one == other or ({one, other} <= _MONEY and "money" in (one, other)):
        return True
    return not (one and other) and "percent" not in (one, other)


_OPERATIONS = {ast.Add: operator.add, ast.Sub: operator.sub, ast.Mult: operator.mul, ast.Div: operator.truediv}
_FORMULA = re.compile(r"([\d.,\s()+\-−–×x*/÷%$]+)=\s*[$]?\s*(\d+(?:[.,]\d+)*)")


def _computed(claim: str, known: set[str]) -> frozenset[str]:
    """Results of formulas that a sentence writes out over quoted numbers and that are right: `780 − 700 = 80`."""
    found = set()
    for match in _FORMULA.finditer(claim):
        written = re.sub(r"[%$\s]", "", match.group(1)).translate(str.maketrans("−–×x÷", "--**/"))
        inputs = figures(written)
        if not inputs <= known | {"100"} or not re.search(r"\d[-+*/(]", written):
            continue
        try:
            value = _evaluate(
                ast.parse(re.sub(r"\d+(?:[.,]\d+)*", lambda m: figure(m.group()), written), mode="eval").body
            )
        except (SyntaxError, ValueError, ZeroDivisionError, OverflowError, RecursionError):
            continue
        result = figure(match.group(2))
        decimals = len(result.partition(".")[2])
        if abs(value - float(result)) <= 0.5 * 10**-decimals + 1e-9:
            found.add(result)
    return frozenset(found)


def _evaluate(node: ast.expr) -> float:
    if isinstance(node, ast.Constant) and isinstance(node.value, int | float):
        return float(node.value)
    if isinstance(node, ast.BinOp) and type(node.op) in _OPERATIONS:
        result: float = _OPERATIONS[type(node.op)](_evaluate(node.left), _evaluate(node.right))
        return result
    raise ValueError("not a sum of numbers")


def _months(pair: _Pair) -> Iterator[Finding]:
    quoted = {n.key for text in pair.quoted for n in text.months}
    for own in pair.said.months:
        others = [n.written for text in pair.quoted for n in text.months if n.key != own.key]
        held = own.key in quoted
        if held and others:
            rival = pair.misplaced(
                _Spot(pair.said, own.at, own.at),
                (_Spot(t, n.at, n.at) for t in pair.quoted for n in t.months if n.key == own.key),
                (_Spot(t, n.at, n.at) for t in pair.quoted for n in t.months if n.key != own.key),
            )
            held = rival is None
        yield Finding("dates", held, own.written, "" if held else ", ".join(others[:3]))


# --- places and other names ----------------------------------------------------------------------

# Wholes that a statement about a part may be placed in.
_WHOLES = frozenset(
    {"mexico", "the world", "latin america", "north america", "asia", "europe", "africa", "central america"}
)
_ABROAD = frozenset(
    "united states|canada|philippines|india|colombia|costa rica|guatemala|el salvador|honduras|nicaragua|panama|"
    "dominican republic|jamaica|brazil|argentina|chile|peru|spain|china|united kingdom|south africa|belize|uruguay|"
    "ecuador|venezuela|bolivia|paraguay|cuba|puerto rico|the world|latin america|central america".split("|")
)


def _places(pair: _Pair) -> Iterator[Finding]:
    quoted = [(text, n) for text in pair.quoted for n in text.names if n.place]
    keys = {n.key for _, n in quoted}
    lent = {n.key for text in pair.frame for n in text.names if n.place}
    narrow = {k for k in keys if k not in _WHOLES}
    for own in (n for n in pair.said.names if n.place):
        if own.key not in keys:
            named = own.key in lent and not narrow
            home = own.key == "mexico" and not keys & _ABROAD and not (lent & _ABROAD and not keys)
            yield Finding("places", named or home, own.written, "" if named or home else _written(n for _, n in quoted))
            continue
        rival = (
            None
            if own.key in _WHOLES and not keys & _ABROAD - {own.key}
            else pair.misplaced(
                _spot(pair.said, own),
                (_spot(text, n) for text, n in quoted if n.key == own.key),
                (_spot(text, n) for text, n in quoted if n.key != own.key),
            )
        )
        yield Finding("places", rival is None, own.written, rival.text.tokens[rival.at].raw if rival else "")


def _names(pair: _Pair, known: frozenset[str]) -> Iterator[Finding]:
    said = [n for n in pair.said.names if not n.place]
    across = all(t.language != pair.said.language for t in pair.quoted)
    first = pair.said.tokens[0] if pair.said.tokens else None
    taken = {n.at for n in pair.said.names}
    if first is not None and 0 not in taken and first.stem in known and first.raw[0].isupper():
        said.append(Name(first.stem, place=False, at=0, written=first.raw))
    words = {
        key
        for text in (*pair.quoted, *pair.frame)
        for token in text.tokens
        for key in (token.stem, token.folded, token.concept)
        if key
    }
    quoted = [(text, n) for text in pair.quoted for n in text.names if not n.place]
    initials = {i for text in (*pair.quoted, *pair.frame) for i in _initials(text)}
    own_quoted = {n.key for _, n in quoted}
    for own in said:
        token = pair.said.tokens[own.at]
        if across and (
            _run(pair.said, own.at) & words or (own.at == 0 and not token.raw.isupper() and own.key not in known)
        ):
            continue  # "Federal Labor Law" is "Ley Federal del Trabajo"
        if not {own.key, token.folded, token.concept} & words and token.folded not in initials:
            yield Finding("names", held=False, said=own.written, quoted=_written(n for _, n in quoted))
            continue
        if own.key not in own_quoted:
            continue
        rival = pair.misplaced(
            _spot(pair.said, own),
            (_spot(text, n) for text, n in quoted if n.key == own.key),
            (_spot(text, n) for text, n in quoted if n.key != own.key),
        )
        yield Finding("names", rival is None, own.written, rival.text.tokens[rival.at].raw if rival else "")


def _run(text: Particulars, at: int) -> set[str]:
    """What the capitalised words on both sides of a name are known by: a name of several words is translated."""
    first, last = at, at
    while first > 0 and (text.tokens[first - 1].raw[0].isupper() or not text.tokens[first - 1].stem):
        first -= 1
    while last + 1 < len(text.tokens) and (text.tokens[last + 1].raw[0].isupper() or not text.tokens[last + 1].stem):
        last += 1
    run = [t for t in text.tokens[first : last + 1] if t.stem and t.raw[0].isupper()]
    return {key for t in run for key in (t.stem, t.concept)} if len(run) > 1 else set()


def _spot(text: Particulars, name: Name) -> _Spot:
    return _Spot(text, name.at, name.at + (name.key.count(" ") if name.place else 0))


def _written(names: Iterable[Name]) -> str:
    return ", ".join(list(dict.fromkeys(n.written for n in names))[:3])


def _initials(text: Particulars) -> Iterator[str]:
    """Initials of runs of capitalised words: a quote that spells a name out carries its short form."""
    run = ""
    for token in text.tokens:
        if token.raw[0].isupper():
            run += token.folded[0]
            if len(run) > 1:
                yield run
        elif token.stem:
            run = ""


# --- words that turn a statement -----------------------------------------------------------------


def _marks(pair: _Pair) -> Iterator[Finding]:
    across = all(t.language != pair.said.language for t in pair.quoted)
    for own in pair.said.marks:
        quoted = [(text, m) for text in pair.quoted for m in text.of(own.kind)]
        same = [(text, m) for text, m in quoted if m.value == own.value]
        others = [(text, m) for text, m in quoted if m.value != own.value]
        needs = own.firm and (own.kind in NEEDS_GROUND or f"{own.kind}:{own.value}" in NEEDS_GROUND)
        spot = _Spot(pair.said, own.at, own.until)
        if not same:
            against = [
                m
                for t, m in others
                if (own.firm and m.firm and not across) or pair.likeness(spot, _Spot(t, m.at, m.until)) >= ALIKE
            ]
            strict = own.kind in STRICT_ACROSS or not across
            if against or (needs and strict and (others or not _grounded(pair, own))):
                written = against[0] if against else others[0][1] if others else None
                yield Finding(own.kind, held=False, said=own.written, quoted=written.written if written else "")
            continue
        rival = pair.misplaced(
            spot,
            (_Spot(text, m.at, m.until) for text, m in same),
            (_Spot(text, m.at, m.until) for text, m in others),
        )
        near = (
            own.kind != "negation"
            or not own.firm
            or any(pair.likeness(spot, _Spot(text, m.at, m.until)) > (0.5 if across else 0) for text, m in same)
        )
        if own.firm or rival is not None:
            yield Finding(own.kind, rival is None and near, own.written, _mark_at(rival) if rival else "")


def _mark_at(spot: _Spot) -> str:
    return " ".join(t.raw for t in spot.text.tokens[spot.at : spot.until + 1])


def _grounded(pair: _Pair, own: Mark) -> bool:
    """Whether numbers say what no word says: from 11 to 14 is a rise."""
    if own.kind != "direction":
        return False
    said = [q for q in pair.said.quantities if not q.year]
    for one, other in pairwise(said):
        if one.unit == other.unit:
            first, last = (float(min(q.values, key=len)) for q in (one, other))
            if first < last if own.value == "up" else first > last:
                return True
    return False


def _dropped(pair: _Pair) -> Iterator[Finding]:
    """What the quotes deny or only expect, and the sentence states."""
    for text in pair.quoted:
        across = text.language != pair.said.language
        own_keys = {key for _, key in _keys(pair.said, across=across)}
        for mark in (m for m in text.marks if m.kind in MUST_STAY and m.firm):
            around = _around(_Spot(text, mark.at, mark.until), across=across)
            near = {key for key, offsets in around.items() if min(abs(o) for o in offsets) <= 3}
            covered = near & own_keys
            if len(covered) < 2 or len(covered) < COVERED * len(near):
                continue
            held = any(
                m.value == mark.value
                and ((not across and covered & set(_around(_Spot(pair.said, m.at, m.until), across=across))) or across)
                for m in pair.said.of(mark.kind)
            )
            yield Finding(mark.kind, bool(held), "" if held else "—", "" if held else mark.written)


# --- a quote with some words changed --------------------------------------------------------------


def _edited(pair: _Pair) -> Iterator[Finding]:
    """What a sentence changed that otherwise repeats a quote: there, one word put in or taken out is the whole lie."""
    said = [t.folded for t in pair.said.tokens]
    for text in pair.quoted:
        if text.language != pair.said.language:
            continue
        quoted = [t.folded for t in text.tokens]
        matcher = SequenceMatcher(None, quoted, said, autojunk=False)
        operations = matcher.get_opcodes()
        if sum(d - c for tag, _, _, c, d in operations if tag == "equal") < REPEATED * len(said):
            continue
        for tag, a, b, c, d in operations:
            if tag == "equal" or b - a > CHANGED or d - c > CHANGED:
                continue
            yield from _change(pair.said, text, range(a, b), range(c, d))


def _touches(mark: Mark, tokens: range) -> bool:
    return bool(tokens) and mark.at < tokens.stop and mark.until >= tokens.start


def _change(said: Particulars, text: Particulars, old: range, new: range) -> Iterator[Finding]:
    before = " ".join(text.tokens[i].raw for i in old)
    after = " ".join(said.tokens[i].raw for i in new)
    for kind in ("negation", "modality", "direction"):
        was = {m.value for m in text.of(kind) if _touches(m, old) and (m.firm or kind == "direction")}
        now = {m.value for m in said.of(kind) if _touches(m, new) and (m.firm or kind == "direction")}
        if kind == "direction":
            held = not (was and now) or bool(was & now)
        elif kind == "negation":
            held = was == now
        else:
            held = not was or bool(now)
        if not held:
            yield Finding(kind, held=False, said=after, quoted=before or "—")
    for check, was_at, now_at in (
        ("numbers", {q.at: q.values for q in text.quantities}, {q.at: q.values for q in said.quantities}),
        ("places", {n.at: {n.key} for n in text.names if n.place}, {n.at: {n.key} for n in said.names if n.place}),
    ):
        had = [values for at, values in was_at.items() if at in old]
        has = [values for at, values in now_at.items() if at in new]
        elsewhere = check == "places" and any(
            has and at not in old and values & has[0] for at, values in was_at.items()
        )
        if len(had) == len(has) == 1 and not had[0] & has[0] and len(old) == len(new) and not elsewhere:
            yield Finding(check, held=False, said=after, quoted=before)
    was_name = [i for i in old if text.tokens[i].raw[0].isupper() and text.tokens[i].stem]
    now_name = [i for i in new if said.tokens[i].raw[0].isupper() and said.tokens[i].stem]
    stems = {t.stem for t in text.tokens}
    if len(was_name) == len(now_name) == 1 and len(old) <= 2 and said.tokens[now_name[0]].stem not in stems:
        yield Finding("names", held=False, said=after, quoted=before)


# --- words ---------------------------------------------------------------------------------------


def _words(pair: _Pair) -> Finding:
    """Whether enough of the sentence's words are in the quotes at all."""
    own = [t for t in pair.said.tokens if t.stem]
    if not own:
        return Finding("words", held=False)
    across = all(t.language != pair.said.language for t in pair.quoted)
    known: set[str] = set()
    for text in (*pair.quoted, *pair.frame):
        known.update(key for token in text.tokens for key in (token.stem, token.concept) if key)
        known.update(n.key for n in text.names)
    places = {n.at: n.key for n in pair.said.names if n.place}
    found = [t for i, t in enumerate(own) if {t.stem, t.concept} & known]
    found_places = sum(
        1
        for at, key in places.items()
        if key in known and not {pair.said.tokens[at].stem, pair.said.tokens[at].concept} & known
    )
    share = (len(found) + found_places) / len(own)
    return Finding("words", share >= (WORDS_ACROSS if across else WORDS), f"{share:.2f}")
