"""Whether a sentence states what its quotes state: not denied, only expected, turned round or changed by a word."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from difflib import SequenceMatcher
from itertools import pairwise

from rag.markers import MUST_STAY, NEEDS_GROUND, NEUTRAL
from rag.particulars import Mark, Particulars, read
from rag.support.alignment import Finding, Pair, Spot, content_keys, surroundings

ALIKE = 1.2  # likeness of surroundings from which on a word that says the contrary is one
COVERED = 0.6  # share of what surrounds a "not" that a sentence must take over to have to take the "not" over
# Classes in which a word without a counterpart counts from one language to the other too.
STRICT_ACROSS = frozenset({"negation"})
REPEATED = 0.7  # share of a sentence's words that a quote has in the same order for it to count as a changed quote
NEARLY_ALL = 0.8  # share of a quote's words that a sentence repeats for one other word in it to be looked at
CHANGED = 4  # words: a longer stretch is a clause that was left out, moved or added
WORDS = 0.5  # share of a sentence's words of content that its quotes must have
WORDS_WITH_FIGURES = 0.35  # the same where it gives figures, each of which is looked for by itself
WORDS_ACROSS = 0.3  # the same from one language to the other, where only cousins and the table are known


# --- words that turn a statement -----------------------------------------------------------------


def marks(pair: Pair) -> Iterator[Finding]:
    """A word that turns a statement (not, fell, must) must be in the quotes, and nothing contrary in its place."""
    across = all(t.language != pair.said.language for t in pair.quoted)
    for own in pair.said.marks:
        quoted = [(text, m) for text in pair.quoted for m in text.of(own.kind)]
        same = [(text, m) for text, m in quoted if m.value == own.value]
        others = [(text, m) for text, m in quoted if m.value != own.value]
        needs = own.firm and (own.kind in NEEDS_GROUND or f"{own.kind}:{own.value}" in NEEDS_GROUND)
        spot = Spot(pair.said, own.at, own.until)
        if not same:
            against = [
                m
                for t, m in others
                if (own.firm and m.firm and not across) or pair.likeness(spot, Spot(t, m.at, m.until)) >= ALIKE
            ]
            strict = own.kind in STRICT_ACROSS or not across
            if against or (needs and strict and (others or not _grounded(pair, own))):
                written = against[0] if against else others[0][1] if others else None
                yield Finding(own.kind, held=False, said=own.written, quoted=written.written if written else "")
            continue
        rival = pair.misplaced(
            spot,
            (Spot(text, m.at, m.until) for text, m in same),
            (Spot(text, m.at, m.until) for text, m in others),
        )
        near = (
            own.kind != "negation"
            or not own.firm
            or any(pair.likeness(spot, Spot(text, m.at, m.until)) > (0.5 if across else 0) for text, m in same)
        )
        if own.firm or rival is not None:
            yield Finding(own.kind, rival is None and near, own.written, _mark_at(rival) if rival else "")


def _mark_at(spot: Spot) -> str:
    return " ".join(t.raw for t in spot.text.tokens[spot.at : spot.until + 1])


def _grounded(pair: Pair, own: Mark) -> bool:
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


_SPEAKERS = (
    re.compile(r"\b(?:according to|seg[uú]n|de acuerdo con)\s+([^,.;:()]{3,60})", re.IGNORECASE),
    re.compile(
        r"(?:^|, )((?!it |they |he |she )[^,.;:()]{3,60}?)\s+"
        r"(?:says?|said|claims?|claimed|estimates?|estimated|reports?|reported|warns?|warned|dicen?|dijo|dijeron|afirman?|afirm[oó]|se[nñ]ala|se[nñ]al[oó]|asegura|asegur[oó]|inform[oó]|advierte|"
        r"advirti[oó]|estim[oó]|report[oó]|states?|stated|dio a conocer),?\s+(?:[^.;:]{0,50}?\s)?(?:that|que)\b",
        re.IGNORECASE,
    ),
)


def speakers(pair: Pair) -> Iterator[Finding]:
    """Whoever is said to say it must be named in the quotes or around them, by half of the words at least."""
    if all(t.language != pair.said.language for t in pair.quoted):
        return
    known = {token.stem for text in (*pair.quoted, *pair.frame) for token in text.tokens if token.stem}
    for pattern in _SPEAKERS:
        for match in pattern.finditer(pair.said.text):
            own = {token.stem for token in read(match[1], pair.said.language).tokens if token.stem}
            if own:
                yield Finding("speaker", 2 * len(known & own) >= len(own), match[1].strip())


def dropped(pair: Pair) -> Iterator[Finding]:
    """What the quotes deny or only expect, and the sentence states."""
    for text in pair.quoted:
        across = text.language != pair.said.language
        own_keys = {key for _, key in content_keys(pair.said, across=across)}
        for mark in (m for m in text.marks if m.kind in MUST_STAY and m.firm):
            around = surroundings(Spot(text, mark.at, mark.until), across=across)
            near = {key for key, offsets in around.items() if min(abs(o) for o in offsets) <= 3}
            covered = near & own_keys
            if len(covered) < 2 or len(covered) < COVERED * len(near):
                continue
            held = any(
                m.value == mark.value
                and (
                    (not across and covered & set(surroundings(Spot(pair.said, m.at, m.until), across=across)))
                    or across
                )
                for m in pair.said.of(mark.kind)
            )
            yield Finding(mark.kind, bool(held), "" if held else "—", "" if held else mark.written)


# --- a quote with some words changed --------------------------------------------------------------


def edited(pair: Pair) -> Iterator[Finding]:
    """What a sentence changed that otherwise repeats a quote: there, one word put in or taken out is the whole lie."""
    said = [t.folded for t in pair.said.tokens]
    for text in pair.quoted:
        if text.language != pair.said.language:
            continue
        quoted = [t.folded for t in text.tokens]
        matcher = SequenceMatcher(None, quoted, said, autojunk=False)
        operations = matcher.get_opcodes()
        repeated = sum(d - c for tag, _, _, c, d in operations if tag == "equal")
        if repeated >= NEARLY_ALL * len(quoted):
            changes = [(range(a, b), range(c, d)) for tag, a, b, c, d in operations if tag != "equal"]
            yield from _other_word(pair, text, changes)
        if repeated < REPEATED * len(said):
            continue
        for tag, a, b, c, d in operations:
            if tag == "equal" or b - a > CHANGED or d - c > CHANGED:
                continue
            yield from _change(pair.said, text, range(a, b), range(c, d))


def _other_word(pair: Pair, text: Particulars, changes: Sequence[tuple[range, range]]) -> Iterator[Finding]:
    """The one word of content that stands in the place of another, where that is all that is new: schools for homes."""
    known = {key for t in (*pair.quoted, *pair.frame) for token in t.tokens for key in (token.stem, token.concept)}
    named = {n.at for n in pair.said.names}
    own = {key for token in pair.said.tokens for key in (token.stem, token.concept)}
    new = [
        (at, old)
        for old, fresh in changes
        for at in fresh
        if (token := pair.said.tokens[at]).stem
        and not {token.stem, token.concept} & known
        and at not in named
        and token.folded not in NEUTRAL
        and not token.raw[0].isdecimal()
    ]
    if len(new) != 1:
        return
    at, old = new[0]
    if any(m.kind in MUST_STAY or m.kind == "direction" for m in pair.said.marks if m.at <= at <= m.until):
        return  # looked at as what it is
    gone = [t for i in old if (t := text.tokens[i]).stem and not {t.stem, t.concept} & own and t.folded not in NEUTRAL]
    if len(gone) == 1 and not gone[0].raw[0].isdecimal():
        yield Finding("other word", held=False, said=pair.said.tokens[at].raw, quoted=gone[0].raw)


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


def words(pair: Pair) -> Finding:
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
    told = WORDS_WITH_FIGURES if any(not q.year for q in pair.said.quantities) else WORDS
    return Finding("words", share >= (WORDS_ACROSS if across else told), f"{share:.2f}")
