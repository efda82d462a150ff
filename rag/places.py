"""Which places a text is on, and which of them lie in one another."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from functools import lru_cache

from rag.markers import AT_HOME, PLACES, WIDE
from rag.particulars import places_in

HOME = "mexico"
# Where a place lies: what is said of the one is said of a part, or of a whole, of the other.
_WITHIN: dict[str, tuple[str, ...]] = {
    "baja california": ("tijuana", "mexicali", "ensenada", "tecate", "rosarito"),
    "northern border": (
        "tijuana", "mexicali", "tecate", "nogales", "ciudad juarez", "reynosa", "nuevo laredo", "matamoros",
    ),
    "chihuahua": ("ciudad juarez",),
    "nuevo leon": ("monterrey",),
    "jalisco": ("guadalajara", "zapopan"),
    "yucatan": ("merida",),
    "sonora": ("hermosillo", "nogales", "ciudad obregon"),
    "tamaulipas": ("reynosa", "matamoros", "nuevo laredo", "tampico"),
    "coahuila": ("saltillo", "torreon"),
    "guanajuato": ("leon", "celaya", "irapuato"),
    "bajio": ("leon", "celaya", "irapuato", "queretaro", "guanajuato", "aguascalientes", "san luis potosi"),
    "state of mexico": ("toluca",),
    "valley of mexico": ("mexico city",),
    "hidalgo": ("pachuca",),
    "quintana roo": ("cancun",),
    "sinaloa": ("culiacan", "mazatlan"),
    "michoacan": ("morelia",),
    "philippines": ("manila", "cebu"),
    "colombia": ("bogota", "medellin"),
    "argentina": ("buenos aires",),
    "peru": ("lima",),
    "texas": ("el paso", "houston", "dallas"),
    "california": ("san diego", "los angeles"),
}  # fmt: skip

_SPELLINGS = {row.partition("|")[0]: tuple(row.split("|")) for row in PLACES}


@lru_cache(maxsize=65_536)
def places_of(text: str) -> frozenset[str]:
    """The keys of the places that a text names."""
    return frozenset(places_in(text))


def spellings(place: str) -> tuple[str, ...]:
    """Every way in which a place is written, by its key.

    >>> spellings("northern border")
    ('northern border', 'frontera norte')
    """
    return _SPELLINGS.get(place, (place,))


def meet(some: Iterable[str], others: Iterable[str]) -> bool:
    """Whether a place of the one is, holds or lies in one of the other.

    >>> meet({"tijuana"}, {"baja california"}), meet({"tijuana"}, {"mexicali"})
    (True, False)
    """
    other = frozenset(others)
    return any(p in other or any(q in _WITHIN.get(p, ()) or p in _WITHIN.get(q, ()) for q in other) for p in some)


def is_home(sample: Iterable[frozenset[str]]) -> bool:
    """Whether texts, given by the places that each names, are on Mexico: most of those that name a place name it."""
    named = Counter(bool(places & AT_HOME) for places in sample if places)
    return named[True] > named[False]


def is_elsewhere(here: frozenset[str], asked: frozenset[str]) -> bool:
    """Whether a text on some places is not on those asked about; Mexico is asked about where none is named.

    A text on Mexico is on all of its places; with Mexico, the United States are whom it serves.
    """
    narrow = asked - WIDE - ({"united states"} if asked & AT_HOME else set())
    if not here or meet(narrow, here):
        return False
    if narrow:
        return here != {HOME}
    return not here & AT_HOME and not here & asked
