"""Whether the numbers, sums and dates of a sentence are those of its quotes, said of the same thing."""

from __future__ import annotations

import ast
import operator
import re
from collections.abc import Iterator, Sequence
from itertools import pairwise

from rag.markers import COUNTED, SCALES
from rag.particulars import Particulars, Quantity
from rag.support.alignment import Finding, Pair, Spot
from rag.text import figure, figures

_MONEY = {"money", "usd", "mxn", "eur"}
_Counted = tuple[Particulars, Quantity]


def numbers(pair: Pair) -> Iterator[Finding]:
    """A number or year must be in the quotes, of the same unit and said of the same thing, or follow from them."""
    everything = [(text, q) for text in pair.quoted for q in text.quantities]
    computed, formulas = _computed(pair.said, {v for _, q in everything for v in q.values})
    for own in pair.said.quantities:
        check = "dates" if own.year else "numbers"
        if own.at in formulas:
            yield Finding("computed", held=True, said=own.written)
            continue
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
            Spot(pair.said, own.at, own.at),
            (Spot(text, q.at, q.at) for text, q in same),
            (Spot(text, q.at, q.at) for text, q in others if _same_unit(own.unit, q.unit)),
        )
        written = rival.text.tokens[rival.at].raw if rival else ""
        if rival is None and not own.year:
            written = _counts_else(pair.said, own, same, [(t, q) for t, q in others if _same_unit(own.unit, q.unit)])
        yield Finding(check, held=not written, said=own.written, quoted=written)


def _counts_else(said: Particulars, own: Quantity, same: Sequence[_Counted], others: Sequence[_Counted]) -> str:
    """The number of the quotes that counts what the sentence counts with this one, or else what this one counts in
    the quotes, where that is of another kind (people, places of work); "" when the number is the right one.
    """
    across = all(text.language != said.language for text, _ in same)
    counted = _after(said, own.at, across=across)
    ways = [_after(text, q.at, across=across) for text, q in same]
    if not counted or not all(ways):
        return ""
    near = {key for text, q in same for key in _around(text, q.at, across=across)}
    if counted[0] not in near:
        rival = next((q.written for text, q in others if counted[0] in _after(text, q.at, across=across)[:3]), "")
        if rival:
            return rival
    apart = [key for key in counted if key not in near]
    for text, q in others:
        if any(key in _after(text, q.at, across=across) for key in apart):
            return q.written
    kind = _kind_counted(said, own.at)
    kinds = [_kind_counted(text, q.at) for text, q in same]
    if kind and all(kinds) and kind not in kinds:
        text, q = same[0]
        return " ".join(t.raw for t in text.tokens[q.at : q.at + 4])
    return ""


def _around(text: Particulars, at: int, *, across: bool) -> set[str]:
    """The words of content of a number's clause that stand before it, and those after it up to the next one."""
    clause = text.tokens[at].clause
    before = {t.concept if across else t.stem for t in text.tokens[:at] if t.clause == clause and t.stem}
    return before | set(_after(text, at, across=across))


def _kind_counted(text: Particulars, at: int) -> str:
    """Which kind of thing a number counts, by the first such word after it in its clause, up to the next number; in
    English by the last of a row of them: "20,000 call center jobs" counts jobs.
    """
    found = ""
    for token in text.tokens[at + 1 : at + 7]:
        kind = next((kind for kind, words in COUNTED.items() if token.folded in words), "")
        if token.raw[0].isdecimal() or token.clause != text.tokens[at].clause or (found and not kind):
            break
        found = kind or found
        if found and text.language == "es":
            break
    return found


def _after(text: Particulars, at: int, *, across: bool) -> list[str]:
    """The words of content that follow a number up to the next one, in its clause: what it counts is among them."""
    found = []
    for token in text.tokens[at + 1 : at + 9]:
        if token.raw[0].isdecimal() or token.clause != text.tokens[at].clause:
            break
        if token.stem and token.folded not in SCALES:
            found.append(token.concept if across else token.stem)
    return found[:5]


def turned(pair: Pair) -> Iterator[Finding]:
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
_OPERATOR = r"\s*[+\-−–×x*/÷]\s*"
_OPERAND = r"[$]?\d+(?:[.,]\d+)*%?"
_GROUP = rf"(?:{_OPERAND}|\({_OPERAND}(?:{_OPERATOR}{_OPERAND})+\))"
_FORMULA = re.compile(rf"({_GROUP}(?:{_OPERATOR}{_GROUP})+)\s*[=≈]\s*({_OPERAND})")


def _computed(said: Particulars, known: set[str]) -> tuple[frozenset[str], frozenset[int]]:
    """Results of formulas that a sentence writes out over quoted numbers and that are right, `780 − 700 = 80`, and
    the places of the numbers in them: what these speak of is said elsewhere.
    """
    found: set[str] = set()
    inside: set[int] = set()
    for match in _FORMULA.finditer(said.text):
        written = re.sub(r"[%$\s]", "", match.group(1)).translate(str.maketrans("−–×x÷", "--**/"))
        if not figures(written) <= known | {"100"}:
            continue
        try:
            value = _evaluate(
                ast.parse(re.sub(r"\d+(?:[.,]\d+)*", lambda m: figure(m.group()), written), mode="eval").body
            )
        except (SyntaxError, ValueError, ZeroDivisionError, OverflowError, RecursionError):
            continue
        result = figure(match.group(2).strip("$%"))
        decimals = len(result.partition(".")[2])
        if abs(value - float(result)) <= 0.5 * 10**-decimals + 1e-9:
            found.add(result)
            inside.update(_places(said.quantities, [figure(n) for n in re.findall(r"\d+(?:[.,]\d+)*", match.group())]))
    return frozenset(found), frozenset(inside)


def _places(quantities: Sequence[Quantity], formula: Sequence[str]) -> Iterator[int]:
    """Where the numbers of a formula stand, which follow one another without a word between."""
    for first in range(len(quantities) - len(formula) + 1):
        run = quantities[first : first + len(formula)]
        together = run[-1].at - run[0].at == len(run) - 1
        if together and all(n in q.values for n, q in zip(formula, run, strict=True)):
            yield from (q.at for q in run)


def _evaluate(node: ast.expr) -> float:
    if isinstance(node, ast.Constant) and isinstance(node.value, int | float):
        return float(node.value)
    if isinstance(node, ast.BinOp) and type(node.op) in _OPERATIONS:
        result: float = _OPERATIONS[type(node.op)](_evaluate(node.left), _evaluate(node.right))
        return result
    raise ValueError("not a sum of numbers")


_ABOUT = frozenset("about around roughly approximately nearly almost unos unas casi aproximadamente".split())
_EXACTLY = frozenset("exactly precisely exactamente precisamente".split())


def bounds(pair: Pair) -> Iterator[Finding]:
    """A number that the quotes only bound is not about it, and one that they only bound or round is not exact."""
    everything = [(text, q) for text in pair.quoted for q in text.quantities if not q.year]
    for own in pair.said.quantities:
        word = pair.said.tokens[own.at - 1] if own.at else None
        if own.year or word is None or word.folded not in _ABOUT | _EXACTLY:
            continue
        same = [_bound(text, q) for text, q in everything if _equal(own, q)]
        loose = [b for b in same if b and (word.folded in _EXACTLY or b not in _ABOUT)]
        if same and len(loose) == len(same):
            yield Finding("bound", held=False, said=f"{word.raw} {own.written}", quoted=loose[0])


def _bound(text: Particulars, quantity: Quantity) -> str:
    """What a number is bounded or rounded by; "" when it is stated as it is."""
    marks = (m.written for m in text.of("bound") if m.firm and m.until == quantity.at - 1)
    before = text.tokens[quantity.at - 1].folded if quantity.at else ""
    return next(marks, before if before in _ABOUT else "")


def months(pair: Pair) -> Iterator[Finding]:
    """A month must be in the quotes, said of the same thing."""
    quoted = {n.key for text in pair.quoted for n in text.months}
    for own in pair.said.months:
        others = [n.written for text in pair.quoted for n in text.months if n.key != own.key]
        held = own.key in quoted
        if held and others:
            rival = pair.misplaced(
                Spot(pair.said, own.at, own.at),
                (Spot(t, n.at, n.at) for t in pair.quoted for n in t.months if n.key == own.key),
                (Spot(t, n.at, n.at) for t in pair.quoted for n in t.months if n.key != own.key),
            )
            held = rival is None
        yield Finding("dates", held, own.written, "" if held else ", ".join(others[:3]))
