"""Right sentences made wrong, and made differently right: what a support check must tell apart.

Sentences come from `corpus/figures.csv`, in both languages. The tables here are not those of `rag.support`.
`half` splits the articles by their hash: the rules of `rag.support` were developed on half 0, figures are those
of half 1.
"""

from __future__ import annotations

import hashlib
import random
import re
from collections.abc import Callable, Mapping, Sequence

from rag.text import Language

Random = random.Random
Mutation = Callable[[str, Language, Random], str]  # "" where a sentence has nothing to change


def half(article: str) -> int:
    """0: the rules were developed on it; 1: held out."""
    return int(hashlib.sha256(article.encode()).hexdigest(), 16) % 2


PLACES: Mapping[Language, Sequence[str]] = {
    "en": (
        "Tijuana", "Monterrey", "Guadalajara", "Mexico City", "Puebla", "Pachuca", "Hermosillo", "Mérida", "Querétaro",
        "Mexicali", "Reynosa", "Colombia", "Guatemala", "India", "the Philippines", "Costa Rica", "the United States",
        "Mexico", "Brazil", "Jalisco", "Sonora", "Baja California", "Honduras", "El Salvador", "Canada",
    ),
    "es": (
        "Tijuana", "Monterrey", "Guadalajara", "Ciudad de México", "Puebla", "Pachuca", "Hermosillo", "Mérida", "Querétaro",
        "Mexicali", "Reynosa", "Colombia", "Guatemala", "India", "Filipinas", "Costa Rica", "Estados Unidos",
        "México", "Brasil", "Jalisco", "Sonora", "Baja California", "Honduras", "El Salvador", "Canadá",
    ),
}  # fmt: skip
DIRECTIONS: Mapping[Language, Sequence[tuple[str, str]]] = {
    "en": (
        ("rose", "fell"), ("grew", "shrank"), ("grown", "shrunk"), ("increased", "decreased"), ("increase", "decrease"),
        ("growth", "decline"), ("growing", "shrinking"), ("fell", "rose"), ("dropped", "increased"), ("higher", "lower"),
        ("lower", "higher"), ("more than", "less than"), ("over", "under"), ("up", "down"), ("down", "up"), ("raised", "cut"),
        ("rise", "fall"), ("gained", "lost"), ("above", "below"), ("at least", "at most"), ("more", "less"),
        ("increases", "decreases"), ("reduced", "raised"), ("declined", "climbed"), ("fall", "rise"), ("lost", "gained"),
        ("largest", "smallest"), ("highest", "lowest"), ("raises", "lowers"), ("doubled", "halved"),
    ),
    "es": (
        ("subió", "bajó"), ("creció", "cayó"), ("aumentó", "disminuyó"), ("aumento", "descenso"), ("crecimiento", "caída"),
        ("cayó", "creció"), ("bajó", "subió"), ("mayor", "menor"), ("menor", "mayor"), ("más de", "menos de"), ("más", "menos"),
        ("menos", "más"), ("al menos", "a lo mucho"), ("incremento", "recorte"), ("crecía", "caía"), ("aumentar", "reducir"),
        ("sube", "baja"), ("subieron", "bajaron"), ("redujo", "elevó"), ("alza", "baja"), ("por encima", "por debajo"),
        ("crecer", "caer"), ("duplicó", "redujo a la mitad"), ("aumenta", "disminuye"), ("elevó", "redujo"),
        ("crecieron", "cayeron"), ("aumentaron", "disminuyeron"), ("supera", "no alcanza"),
    ),
}  # fmt: skip
VERBS: Mapping[Language, str] = {
    "en": r"\b(is|are|was|were|has|have|had|can|may|must|will)\b",
    "es": r"\b(es|son|era|fue|fueron|tiene|tienen|tenía|puede|pueden|debe|deben|hay|había|está|están|paga|permite|exige"
    r"|incluye|emplea|empleaba|gana|dice|opera|ofrece|calculó|reportó|crece|da|cuesta|abrió|obliga)\b",
}
COMPANIES = (
    "Atento", "Konecta", "Teleperformance", "Telvista", "Concentrix", "IMT", "CallZent", "Foundever", "Statista", "TaskUs",
    "INEGI", "El Economista", "Sitel",
)  # fmt: skip
MODALITIES: Mapping[Language, Sequence[tuple[str, str]]] = {
    "en": (
        (r"\b(was|were|is|are) expected to\b", "did"), (r"\bcould (reach|grow|be|employ)\b", r"did \1"), (r"\bexpected\b", "saw"),
        (r"\bforecast\b", "recorded"), (r"\bprojected\b", "recorded"), (r"\bplanned to\b", "managed to"),
    ),
    "es": (
        (r"\bse esperaba que\b", "se confirmó que"), (r"\besperaba\b", "registró"), (r"\bpronosticó\b", "registró"),
        (r"\bproyectó\b", "registró"), (r"\bpodría\b", "logró"), (r"\bpreveía\b", "logró"), (r"\bplaneaba\b", "logró"),
    ),
}  # fmt: skip
UNITS: Mapping[Language, Sequence[tuple[str, str]]] = {
    "en": (
        ("million", "billion"), ("billion", "million"), ("pesos", "dollars"), ("dollars", "pesos"), ("a month", "a week"),
        ("per hour", "per day"), ("an hour", "a day"), ("a week", "a month"), ("percent", "people"),
    ),
    "es": (
        ("mil millones", "millones"), ("millones", "mil millones"), ("pesos", "dólares"), ("dólares", "pesos"),
        ("al mes", "a la semana"), ("por hora", "por día"), ("por semana", "por mes"),
    ),
}  # fmt: skip
SYNONYMS: Mapping[Language, Sequence[tuple[str, str]]] = {
    "en": (
        ("about", "around"), ("employees", "workers"), ("workers", "employees"), ("companies", "firms"), ("vendor", "provider"),
        ("wages", "pay"), ("wage", "salary"), ("employed", "had on its payroll"), ("percent", "%"), ("an average of", "on average"),
        ("customers", "clients"), ("more than", "over"), ("call centers", "call centres"), ("law", "act"),
    ),
    "es": (
        ("según", "de acuerdo con"), ("cerca de", "alrededor de"), ("empleados", "trabajadores"), ("trabajadores", "empleados"),
        ("empresas", "compañías"), ("proveedor", "prestador"), ("salario", "sueldo"), ("empleaba", "tenía en su plantilla a"),
        ("clientes", "usuarios"), ("más de", "arriba de"), ("por ciento", "%"),
    ),
}  # fmt: skip
_FIGURE = re.compile(r"\d+(?:[.,]\d+)*")
_YEAR = re.compile(r"\b(?:19|20)\d\d\b")
_NAMED = re.compile(r"[A-Z]-?$|NOM-|COVID-")  # before a figure that is a part of a name


def _figures(sentence: str) -> list[re.Match[str]]:
    return [
        m
        for m in _FIGURE.finditer(sentence)
        if not _YEAR.fullmatch(m.group()) and not _NAMED.search(sentence[max(0, m.start() - 4) : m.start()])
    ]


def number(sentence: str, language: Language, by: Random) -> str:
    """Change a digit of a figure."""
    found = _figures(sentence)
    if not found:
        return ""
    match = by.choice(found)
    old = match.group()
    at = by.choice([i for i, c in enumerate(old) if c.isdigit()][:2])
    new = old[:at] + str((int(old[at]) + by.randint(1, 8)) % 10) + old[at + 1 :]
    if new[0] == "0" and new[1:2].isdigit():
        new = "9" + new[1:]
    return sentence[: match.start()] + new + sentence[match.end() :] if new != old else ""


def year(sentence: str, language: Language, by: Random) -> str:
    """Move a year by up to three."""
    found = list(_YEAR.finditer(sentence))
    if not found:
        return ""
    match = by.choice(found)
    moved = int(match.group()) + by.choice([-3, -2, -1, 1, 2, 3])
    return sentence[: match.start()] + str(moved) + sentence[match.end() :]


def place(sentence: str, language: Language, by: Random) -> str:
    """Name another place."""
    found = [p for p in PLACES[language] if re.search(rf"\b{re.escape(p)}\b", sentence)]
    if not found:
        return ""
    old = by.choice(found)
    new = by.choice([p for p in PLACES[language] if p not in sentence and old not in p and p not in old])
    return re.sub(rf"\b{re.escape(old)}\b", new, sentence)


def organisation(sentence: str, language: Language, by: Random) -> str:
    """Name another company."""
    found = [c for c in COMPANIES if re.search(rf"\b{c}\b", sentence)]
    if not found:
        return ""
    return re.sub(rf"\b{by.choice(found)}\b", by.choice([c for c in COMPANIES if c not in sentence]), sentence)


def negation(sentence: str, language: Language, by: Random) -> str:
    """Put a "not" in, or leave one out."""
    there = re.search(r" (?:not|never|no longer) " if language == "en" else r" (?:no|nunca) ", sentence)
    if there and by.random() < 0.6:
        return f"{sentence[: there.start()]} {sentence[there.end() :]}"
    found = [
        m
        for m in re.finditer(VERBS[language], sentence)
        if "not " not in sentence[m.end() : m.end() + 5]
        and not re.search(r"\bno $", sentence[max(0, m.start() - 3) : m.start()])
    ]
    if not found:
        return ""
    match = by.choice(found)
    at, word = (match.end(), " not") if language == "en" else (match.start(), "no ")
    return sentence[:at] + word + sentence[at:]


def swap(sentence: str, language: Language, by: Random) -> str:
    """Let two figures change places."""
    found = _figures(sentence)
    if len(found) < 2:
        return ""
    a, b = sorted(by.sample(found, 2), key=lambda m: m.start())
    between = sentence[a.end() : b.start()]
    return (
        sentence[: a.start()] + b.group() + between + a.group() + sentence[b.end() :] if a.group() != b.group() else ""
    )


def _one_of(table: Mapping[Language, Sequence[tuple[str, str]]], *, words: bool) -> Mutation:
    def change(sentence: str, language: Language, by: Random) -> str:
        pairs = [(rf"\b{a}\b" if words else a, b) for a, b in table[language]]
        found = [(a, b) for a, b in pairs if re.search(a, sentence)]
        return re.sub(*by.choice(found), sentence, count=1) if found else ""

    return change


MUTATIONS: Mapping[str, Mutation] = {
    "number": number,
    "year": year,
    "place": place,
    "direction": _one_of(DIRECTIONS, words=True),
    "negation": negation,
    "organisation": organisation,
    "modality": _one_of(MODALITIES, words=False),
    "swap": swap,
    "unit": _one_of(UNITS, words=False),
}


def honest(sentence: str, language: Language) -> list[str]:
    """Other ways to say the same, or less: synonyms, the source first or left out, a last clause left out."""
    found = [re.sub(rf"\b{a}\b", b, sentence) for a, b in SYNONYMS[language] if re.search(rf"\b{a}\b", sentence)]
    if m := re.search(r"^(.*), (according to|según) ([^,]*)\.$", sentence):
        found += [f"{m[1]}.", f"{m[2].capitalize()} {m[3]}, {m[1]}."]
    if (m := re.match(r"^(.{40,}), [^,]{15,}\.$", sentence)) and sentence.count("(") == sentence.count(")"):
        found.append(f"{m[1]}.")
    if m := re.search(r"\b(\d{1,3}),000\b", sentence):
        found.append(sentence.replace(m[0], f"{m[1]} {'thousand' if language == 'en' else 'mil'}", 1))
    return list(dict.fromkeys(f for f in found if f != sentence))
