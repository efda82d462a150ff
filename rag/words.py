"""The sentences that the product says in its own voice, one text for each language."""

from __future__ import annotations

from collections.abc import Sequence

from rag.text import MONTHS, Language

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


_OFF_TOPIC: dict[Language, str] = {
    "en": "The articles do not cover this: they are about {}.",
    "es": "Los artículos no tratan de esto; su tema es {}.",
}
_SHIPPED_TOPIC: dict[Language, str] = {
    "en": "Mexico's BPO and contact-center sector (jobs, cities, wages, law, taxes, operators)",
    "es": "el sector de BPO y centros de contacto de México (empleos, ciudades, salarios, ley, impuestos, operadores)",
}
_NOT_A_QUESTION: dict[Language, dict[str, str]] = {
    "en": {
        "instruction": "I answer questions from the articles and do nothing else: please ask one.",
        "harm": "I do not help with that.",
        "personal": "I know nothing about you or your contract: I answer from the articles alone.",
        "contact": "The articles do not give contact details.",
    },
    "es": {
        "instruction": "Respondo preguntas con los artículos y no hago otra cosa: haga una, por favor.",
        "harm": "No ayudo con eso.",
        "personal": "No sé nada de usted ni de su contrato: respondo solo con los artículos.",
        "contact": "Los artículos no dan datos de contacto.",
    },
}
_CORRECTED: dict[Language, str] = {
    "en": "Not {}: the articles say {}.",
    "es": "No es de {}: los artículos dicen {}.",
}


def off_topic(language: Language, titles: Sequence[str]) -> str:
    """A refusal of what is far from everything in the articles; `titles` name some of them, none the shipped ones."""
    about = "; ".join(f"“{title}”" for title in titles) or _SHIPPED_TOPIC[language]
    return _OFF_TOPIC[language].format(about)


_FILTERED: dict[Language, str] = {
    "en": "Nothing that your filters let through answers this. They keep out {} of the {} passages nearest to it.",
    "es": "Nada de lo que dejan pasar sus filtros responde a esto. Dejan fuera {} de los {} pasajes más cercanos.",
}


def filtered(language: Language, excluded: int, nearest: int) -> str:
    """A refusal where the asker's filters leave nothing that answers: how many of the nearest passages they exclude."""
    return _FILTERED[language].format(excluded, nearest)


def not_a_question(language: Language, why: str) -> str:
    """The reply to an instruction, a request for harm, for contact details, or for what only the asker can know."""
    return _NOT_A_QUESTION[language][why]


def corrected(language: Language, asked: str, said: str) -> str:
    """What an answer says of a year that the question took for granted."""
    return _CORRECTED[language].format(asked, said)


_OUTSIDE: dict[Language, str] = {
    "en": "What they say on this is not about {}.",
    "es": "Lo que dicen sobre esto no es de {}.",
}


_UNSAID: dict[Language, str] = {"en": "The articles also say: “{}”", "es": "Los artículos dicen también: “{}”"}


def unsaid(language: Language, quote: str) -> str:
    """What an answer adds where the articles say that no source tells just what was asked."""
    return _UNSAID[language].format(quote)


def refusal(language: Language, unknown: Sequence[str], closest: Sequence[str], outside: Sequence[str] = ()) -> str:
    """What a refusal says: that the articles do not answer, what they never mention, which of the places or years asked
    about their nearest sentences are not on, and what they say nearest.
    """
    parts = [_REFUSAL[language]]
    if unknown:
        parts.append(_UNKNOWN[language].format(", ".join(unknown)))
    elif outside:
        parts.append(_OUTSIDE[language].format(", ".join(outside)))
    if closest:
        parts.append(_CLOSEST[language].format(" ".join(f"“{quote}”" for quote in closest[:1])))
    return " ".join(parts)


_WHY: dict[Language, dict[str, str]] = {
    "en": {
        "superseded": "Superseded: a later rule or count has replaced an earlier one.",
        "year": "Different years: each statement holds for its own date.",
        "scope": "Different scope: they do not count the same thing.",
        "estimates": "Estimates differ: each source counts or estimates for itself.",
        "contradiction": "Contradiction: they cannot both be right.",
    },
    "es": {
        "superseded": "Superado: una regla o un conteo posterior sustituyó al anterior.",
        "year": "Años distintos: cada dato vale para su fecha.",
        "scope": "Alcance distinto: no cuentan lo mismo.",
        "estimates": "Las estimaciones difieren: cada fuente cuenta o estima por su lado.",
        "contradiction": "Contradicción: no pueden ser ciertos los dos.",
    },
}
_USED: dict[Language, dict[str, str]] = {
    "en": {
        "newest": "The one to use is the most recent, {}.",
        "official": "The one to use is the official source.",
        "independent": "The one to use does not come from a vendor.",
        "": "Nothing here says which one is better.",
    },
    "es": {
        "newest": "Conviene usar el más reciente, de {}.",
        "official": "Conviene usar el de la fuente oficial.",
        "independent": "Conviene usar el que no viene de un proveedor.",
        "": "Nada indica cuál es mejor.",
    },
}


def conflict(language: Language, why: str, used: str, date: str) -> str:
    """Why statements differ, and which of them to use: "newest" (of a date), "official", "independent" or ""."""
    return f"{_WHY[language][why]} {_USED[language][used].format(_spoken_date(language, date))}"


def _spoken_date(language: Language, date: str) -> str:
    """An ISO date of any precision in words: `2021-01` is "January 2021"."""
    year, *rest = date.split("-")
    if not rest:
        return year
    month = MONTHS[language][int(rest[0]) - 1]
    if language == "es":
        return f"{int(rest[1])} de {month} de {year}" if len(rest) > 1 else f"{month} de {year}"
    return f"{month} {int(rest[1])}, {year}" if len(rest) > 1 else f"{month} {year}"


_MODEL_FAILED: dict[Language, dict[str, str]] = {
    "en": {
        "timeout": "The language model did not answer in time",
        "refused": "The language model refused the key",
        "limit": "The language model takes no more questions for now",
        "unreachable": "The language model cannot be reached",
        "cut": "The language model broke off",
        "empty": "The language model wrote nothing",
        "endless": "The language model did not come to an end",
        "unsupported": "The sources do not carry what the language model wrote",
        "failed": "The language model failed",
        "quotes": "{}: these are quotes.",
        "more": "{}: the rest are quotes.",
    },
    "es": {
        "timeout": "El modelo de lenguaje no respondió a tiempo",
        "refused": "El modelo de lenguaje rechazó la clave",
        "limit": "El modelo de lenguaje no admite más preguntas por ahora",
        "unreachable": "No se pudo conectar con el modelo de lenguaje",
        "cut": "El modelo de lenguaje se interrumpió",
        "empty": "El modelo de lenguaje no escribió nada",
        "endless": "El modelo de lenguaje no terminaba",
        "unsupported": "Las fuentes no respaldan lo que escribió el modelo de lenguaje",
        "failed": "El modelo de lenguaje falló",
        "quotes": "{}: estas son citas textuales.",
        "more": "{}: lo demás son citas textuales.",
    },
}
_REPLACED: dict[Language, tuple[str, str]] = {
    "en": (
        "1 sentence of the model was replaced by the quote it rests on.",
        "{} sentences of the model were replaced by the quotes they rest on.",
    ),
    "es": (
        "1 oración del modelo se sustituyó por la cita en que se apoya.",
        "{} oraciones del modelo se sustituyeron por las citas en que se apoyan.",
    ),
}
_LEFT_OUT: dict[Language, tuple[str, str]] = {
    "en": (
        "1 sentence of the model was left out: no source carries it.",
        "{} sentences of the model were left out: no source carries them.",
    ),
    "es": (
        "1 oración del modelo se omitió: ninguna fuente la respalda.",
        "{} oraciones del modelo se omitieron: ninguna fuente las respalda.",
    ),
}


def model_failed(language: Language, reason: str, *, some: bool) -> str:
    """Why quotes are shown in place of a model's words; `some` of its sentences may stand before them."""
    say = _MODEL_FAILED[language]
    return say["more" if some else "quotes"].format(say[reason])


def checked(language: Language, replaced: int, left_out: int) -> str:
    """What became of the sentences of a model that did not pass the check; "" when all passed."""
    parts = [
        forms[language][0 if n == 1 else 1].format(n)
        for n, forms in ((replaced, _REPLACED), (left_out, _LEFT_OUT))
        if n
    ]
    return " ".join(parts)
