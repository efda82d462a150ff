"""Every word of the page that does not come from a document, in English and in Spanish."""

from __future__ import annotations

from collections.abc import Mapping

from rag.text import Language

WORDS: Mapping[Language, Mapping[str, str]] = {
    "en": {
        "about": "Mexico’s BPO and contact-center sector, from the sources",
        "ago_days": "this month",
        "ago_months": "{n} months ago",
        "ago_months_1": "1 month ago",
        "ago_years": "{n} years ago",
        "ago_years_1": "1 year ago",
        "answer_ready": "Answer ready: {sentences}, {sources}.",
        "as_of": "As of",
        "back": "Back to the sources",
        "close": "Close",
        "closest": "Closest in the sources",
        "ask": "Ask",
        "cut": "This long article is shown around the cited sentence.",
        "dark": "Dark or light",
        "disagree": "Sources disagree",
        "failed": "An error, written in the terminal where bpo runs, kept this question from being answered.",
        "followups": "Ask next",
        "gone": "This passage is no longer in the sources, or has changed.",
        "handle": "Larger or smaller",
        "language": "Language",
        "loading": "Loading models",
        "loading_more": "The first answer takes a few seconds after the start.",
        "missing": "Not found in the sources",
        "new": "New conversation",
        "newest": "newest {date}",
        "next": "Next cited sentence",
        "not_in_sources": "Not in these sources",
        "not_opened": "An error, written in the terminal where bpo runs, kept the chatbot from starting.",
        "original": "Original publications",
        "partly": "partly supported",
        "placeholder": "Ask a question",
        "previous": "Previous cited sentence",
        "publication": "Publication",
        "quoted": "{n} of {m} sentences quoted",
        "quoted_1": "1 of 1 sentence quoted",
        "checked": "{n} of {m} sentences checked",
        "checked_1": "1 of 1 sentence checked",
        "refusal_ready": "Not in these sources.",
        "searching": "Searching the sources",
        "skip": "Skip to the question",
        "source": "Source",
        "sources": "{n} sources",
        "sources_1": "1 source",
        "sources_title": "Sources",
        "source_count": "{n} independent sources",
        "source_count_1": "1 independent source",
        "statement": "Statement",
        "undated": "undated",
        "updated": "Article updated {date}",
        "welcome": "Ask about Mexico’s call centers and BPO.",
        "welcome_facts": "Answers come from {articles} articles that cite {sources} publications "
        "from {oldest} to {newest}, in English and Spanish. "
        "Each sentence is quoted, and its number opens the place it comes from.",
        "welcome_facts_undated": "Answers come from {articles} articles that cite {sources} publications, "
        "in English and Spanish. Each sentence is quoted, and its number opens the place it comes from.",
        "you": "You asked",
    },
    "es": {
        "about": "El sector de BPO y centros de contacto de México, según las fuentes",
        "ago_days": "este mes",
        "ago_months": "hace {n} meses",
        "ago_months_1": "hace 1 mes",
        "ago_years": "hace {n} años",
        "ago_years_1": "hace 1 año",
        "answer_ready": "Respuesta lista: {sentences}, {sources}.",
        "as_of": "Fecha",
        "back": "Volver a las fuentes",
        "close": "Cerrar",
        "closest": "Lo más cercano en las fuentes",
        "ask": "Preguntar",
        "cut": "Este artículo largo se muestra alrededor de la oración citada.",
        "dark": "Oscuro o claro",
        "disagree": "Las fuentes no coinciden",
        "failed": "Un error, escrito en la terminal donde corre bpo, impidió responder esta pregunta.",
        "followups": "Siguiente pregunta",
        "gone": "Este pasaje ya no está en las fuentes, o cambió.",
        "handle": "Más grande o más pequeño",
        "language": "Idioma",
        "loading": "Cargando modelos",
        "loading_more": "La primera respuesta tarda unos segundos después del arranque.",
        "missing": "No está en las fuentes",
        "new": "Conversación nueva",
        "newest": "la más reciente: {date}",
        "next": "Siguiente oración citada",
        "not_in_sources": "No está en estas fuentes",
        "not_opened": "Un error, escrito en la terminal donde corre bpo, impidió que arrancara el chatbot.",
        "original": "Publicaciones originales",
        "partly": "respaldo parcial",
        "placeholder": "Escriba su pregunta",
        "previous": "Oración citada anterior",
        "publication": "Publicación",
        "quoted": "{n} de {m} oraciones son citas textuales",
        "quoted_1": "1 oración, cita textual",
        "checked": "{n} de {m} oraciones verificadas",
        "checked_1": "1 oración verificada",
        "refusal_ready": "No está en estas fuentes.",
        "searching": "Buscando en las fuentes",
        "skip": "Ir a la pregunta",
        "source": "Fuente",
        "sources": "{n} fuentes",
        "sources_1": "1 fuente",
        "sources_title": "Fuentes",
        "source_count": "{n} fuentes independientes",
        "source_count_1": "1 fuente independiente",
        "statement": "Afirmación",
        "undated": "sin fecha",
        "updated": "Artículo actualizado el {date}",
        "welcome": "Pregunte sobre los call centers y el BPO de México.",
        "welcome_facts": "Las respuestas salen de {articles} artículos que citan {sources} publicaciones "
        "de {oldest} a {newest}, en español e inglés. "
        "Cada oración es una cita y su número abre el lugar de donde viene.",
        "welcome_facts_undated": "Las respuestas salen de {articles} artículos que citan {sources} "
        "publicaciones, "
        "en español e inglés. Cada oración es una cita y su número abre el lugar de donde viene.",
        "you": "Su pregunta",
    },
}

KINDS: Mapping[Language, Mapping[str, str]] = {
    "en": {
        "government": "government",
        "statistics": "statistics",
        "law-firm": "law firm",
        "press": "press",
        "analyst": "analyst",
        "association": "association",
        "vendor": "vendor",
        "job-board": "job board",
        "other": "",
    },
    "es": {
        "government": "gobierno",
        "statistics": "estadística",
        "law-firm": "despacho jurídico",
        "press": "prensa",
        "analyst": "analista",
        "association": "asociación",
        "vendor": "proveedor",
        "job-board": "bolsa de trabajo",
        "other": "",
    },
}

MONTHS: Mapping[Language, tuple[str, ...]] = {
    "en": (
        *("January", "February", "March", "April", "May", "June"),
        *("July", "August", "September", "October", "November", "December"),
    ),
    "es": (
        *("enero", "febrero", "marzo", "abril", "mayo", "junio"),
        *("julio", "agosto", "septiembre", "octubre", "noviembre", "diciembre"),
    ),
}


def say(key: str, language: Language, **values: object) -> str:
    """Give a word or sentence of the page.

    >>> say("updated", "es", date="2026")
    'Artículo actualizado el 2026'
    """
    return WORDS[language][key].format(**values)


def count(key: str, n: int, language: Language, **values: object) -> str:
    """Count a thing, in the singular for one.

    >>> count("sources", 1, "en"), count("sources", 1200, "es")
    ('1 source', '1,200 fuentes')
    """
    one = f"{key}_1"
    return say(one if n == 1 and one in WORDS[language] else key, language, n=f"{n:,}", **values)


def day(issued: str, language: Language) -> str:
    """Write an ISO date of any precision in words; "undated" for none.

    >>> day("2012-07-08", "en"), day("2012-07", "es"), day("2012", "en"), day("", "es")
    ('July 8, 2012', 'julio de 2012', '2012', 'sin fecha')
    """
    if not issued:
        return say("undated", language)
    year, *rest = issued.split("-")
    if not rest or not rest[0].isdigit() or not 1 <= int(rest[0]) <= 12:
        return year
    month = MONTHS[language][int(rest[0]) - 1]
    exact = str(int(rest[1])) if len(rest) > 1 and rest[1].isdigit() else ""
    if language == "es":
        return " de ".join(filter(None, (exact, month, year)))
    return f"{month} {exact}, {year}" if exact else f"{month} {year}"


def ago(issued: str, today: str, language: Language) -> str:
    """Say how long before `today` something was issued, as far as its date tells; "" when undated.

    >>> ago("2012-07-08", "2026-11-22", "en"), ago("2026-08", "2026-11-22", "es")
    ('14 years ago', 'hace 3 meses')
    """
    if not issued or not issued[:4].isdigit():
        return ""
    years = int(today[:4]) - int(issued[:4])
    if len(issued) < 7:
        return count("ago_years", years, language) if years > 0 else ""
    months = years * 12 + int(today[5:7]) - int(issued[5:7])
    months -= len(issued) >= 10 and issued[8:10] > today[8:10]
    if months >= 12:
        return count("ago_years", months // 12, language)
    return count("ago_months", months, language) if months > 0 else say("ago_days", language)
