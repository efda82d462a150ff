"""The sentences that the product says in its own voice, one text for each language."""

from __future__ import annotations

from collections.abc import Sequence

from rag.text import Language

_REFUSAL: dict[Language, str] = {
    "en": "The articles do not answer this.",
    "es": "Los artículos no responden a esto.",
}
_UNKNOWN: dict[Language, str] = {"en": "They say nothing about {}.", "es": "No dicen nada de {}."}
_CLOSEST: dict[Language, str] = {"en": "The closest they say: {}", "es": "Lo más cercano que dicen: {}"}
GREETING: dict[Language, str] = {
    "en": "Hello. Ask me about Mexico's BPO and contact-center sector: jobs, cities, wages, law, taxes, operators. "
    "I answer with quoted sentences and their sources.",
    "es": "Hola. Pregúnteme sobre el sector de BPO y centros de contacto de México: empleos, ciudades, salarios, ley, "
    "impuestos, operadores. Respondo con oraciones citadas y sus fuentes.",
}
THANKS: dict[Language, str] = {
    "en": "You are welcome. Ask another question whenever you like.",
    "es": "Con gusto. Haga otra pregunta cuando quiera.",
}
EMPTY: dict[Language, str] = {"en": "Please type a question.", "es": "Escriba una pregunta, por favor."}
TOO_LONG: dict[Language, str] = {
    "en": "That question has {:,} characters; please keep it under {:,}.",
    "es": "Esa pregunta tiene {:,} caracteres; use menos de {:,}, por favor.",
}
FOREIGN: dict[Language, str] = {
    "en": "I can answer in English and Spanish. Please ask in one of them. "
    "/ Respondo en español y en inglés. Pregunte en uno de ellos, por favor.",
    "es": "Respondo en español y en inglés. Pregunte en uno de ellos, por favor. "
    "/ I can answer in English and Spanish. Please ask in one of them.",
}


def refusal(language: Language, unknown: Sequence[str], closest: Sequence[str]) -> str:
    """What a refusal says: that the articles do not answer, what they never mention, and what they say nearest."""
    parts = [_REFUSAL[language]]
    if unknown:
        parts.append(_UNKNOWN[language].format(", ".join(unknown)))
    if closest:
        parts.append(_CLOSEST[language].format(" ".join(f"“{quote}”" for quote in closest[:1])))
    return " ".join(parts)
