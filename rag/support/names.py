"""Whether the places and other names of a sentence are those of its quotes, said of the same thing."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from rag.particulars import Name, Particulars
from rag.support.alignment import Finding, Pair, Spot

# Wholes that a statement about a part may be placed in.
_WHOLES = frozenset(
    {"mexico", "the world", "latin america", "north america", "asia", "europe", "africa", "central america"}
)
_ABROAD = frozenset(
    "united states|canada|philippines|india|colombia|costa rica|guatemala|el salvador|honduras|nicaragua|panama|"
    "dominican republic|jamaica|brazil|argentina|chile|peru|spain|china|united kingdom|south africa|belize|uruguay|"
    "ecuador|venezuela|bolivia|paraguay|cuba|puerto rico|the world|latin america|central america".split("|")
)


def places(pair: Pair) -> Iterator[Finding]:
    """A place must be in the quotes, or around them where they name no narrower one; Mexico goes without saying."""
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


def other_names(pair: Pair, known: frozenset[str]) -> Iterator[Finding]:
    """Any other name must be in the quotes or around them; `known` terms are names even where they open a sentence."""
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


def _spot(text: Particulars, name: Name) -> Spot:
    return Spot(text, name.at, name.at + (name.key.count(" ") if name.place else 0))


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
