"""Whether the numbers, sums and dates of a sentence are those of its quotes, said of the same thing."""

from __future__ import annotations

import ast
import operator
import re
from collections.abc import Iterator, Sequence
from itertools import pairwise

from rag.markers import SCALES
from rag.particulars import Particulars, Quantity
from rag.support.alignment import Finding, Pair, Spot
from rag.text import figure, figures

_MONEY = {"money", "usd", "mxn", "eur"}
_Counted = tuple[Particulars, Quantity]


def numbers(pair: Pair) -> Iterator[Finding]:
    """A number or year must be in the quotes, of the same unit and said of the same thing, or follow from them."""
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
            Spot(pair.said, own.at, own.at),
            (Spot(text, q.at, q.at) for text, q in same),
            (Spot(text, q.at, q.at) for text, q in others if _same_unit(own.unit, q.unit)),
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
