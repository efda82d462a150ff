"""Every word of the page that does not come from a document, in English and in Spanish."""

from __future__ import annotations

from collections.abc import Mapping

from rag.filter import Filter
from rag.text import MONTHS, Language

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
        "cell_missing": "Not in the sources",
        "compared": "Compared",
        "comparison": "Side by side",
        "cut": "This long article is shown around the cited sentence.",
        "dark": "Dark or light",
        "disagree": "Sources disagree",
        "eval_about": "About {n}, some of every kind",
        "eval_against": "Compared with",
        "eval_all": "All",
        "eval_before": "Before",
        "eval_better": "better",
        "eval_cases": "Questions",
        "eval_change": "Change",
        "eval_changed": "{worse} questions got worse, {better} better",
        "eval_continue": "Continue",
        "eval_download": "Download:",
        "eval_facts": "{n} questions, index {index}",
        "eval_failed": "An error, written in the terminal where bpo runs, kept this run from being finished.",
        "eval_feedback": "From feedback",
        "eval_figure": "Figure",
        "eval_file": "File (JSONL or CSV)",
        "eval_golden": "The golden questions",
        "eval_interval": "95% interval",
        "eval_labels": "What became of each question",
        "eval_lead": "Questions with known answers are put to the chatbot, and what it says is scored. "
        "Press a figure to see what it means.",
        "eval_n": "Questions",
        "eval_nothing": "nothing",
        "eval_now": "Now",
        "eval_nowhere": "Runs are kept only where bpo chat runs with a folder of its own.",
        "eval_number": "How many",
        "eval_question": "Question",
        "eval_read": "Read the full report",
        "eval_run": "Run",
        "eval_same": "no difference found",
        "eval_show": "Show",
        "eval_shown": "Run",
        "eval_stop": "Stop",
        "eval_told": "{done} of {total} · {rate} a second · {left} left · {failed} failed",
        "eval_unfinished": "Unfinished runs",
        "eval_upload": "A file of yours",
        "eval_value": "Value",
        "eval_worse": "worse",
        "failed": "An error, written in the terminal where bpo runs, kept this question from being answered.",
        "filter_about": "They hold for what you ask next in this conversation.",
        "filter_any": "Any",
        "filter_en": "English",
        "filter_es": "Spanish",
        "filter_from": "Published from",
        "filter_kinds": "Kind of source",
        "filter_language": "Language of the publication",
        "filter_since": "from {date}",
        "filter_to": "Published until",
        "filter_until": "until {date}",
        "filtered": "Filtered: {filter}",
        "filters": "Filters",
        "followups": "Ask next",
        "gone": "This passage is no longer in the sources, or has changed.",
        "handle": "Larger or smaller",
        "kind_other": "other",
        "language": "Language",
        "loading": "Loading models",
        "loading_more": "The first answer takes a few seconds after the start.",
        "missing": "Without an answer",
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
        "searching": "Searching {articles}",
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
        "all_kinds": "All kinds",
        "article_count": "{n} articles",
        "article_count_1": "1 article",
        "articles": "Articles",
        "asked_first": "Ask about this article",
        "bad": "Wrong",
        "cancel": "Cancel",
        "chat": "Chat",
        "checking": "Checking the next sentence",
        "conversations": "Conversations",
        "copied": "Copied.",
        "copy": "Copy with sources",
        "copy_link": "Copy a link that asks this again",
        "coverage": "Coverage",
        "delete": "Delete",
        "deleted": "Deleted.",
        "export": "Export",
        "export_csv": "Table of claims (CSV)",
        "export_html": "Web page (HTML)",
        "export_md": "Text (Markdown)",
        "feedback": "What is wrong with this answer?",
        "feedback_cite": "Why does this quote not support the answer?",
        "feedback_expected": "What should it say? (optional)",
        "feedback_failed": "Your feedback could not be kept.",
        "feedback_good": "What was good about this answer?",
        "feedback_note": "In your words (optional)",
        "feedback_sent": "Thank you. Your feedback is kept on this machine.",
        "gaps": "What no source was found to say",
        "good": "Right",
        "halt": "Stop",
        "halted": "Stopped.",
        "interest": "Kind",
        "interest_own": "a vendor, about itself",
        "interest_vendor": "only a vendor says so",
        "library_lead": "All answers come from here: {articles} and {publications}.",
        "make_case": "Make it a test case for bpo eval",
        "no_conversations": "Your conversations are kept in this browser only.",
        "no_conversations_shared": "Your conversations are kept on the server, for you alone.",
        "not_kept": "The server could not save this change.",
        "not_shown": "This view could not be shown. The terminal where bpo runs says why.",
        "not_supporting": "Does not support this",
        "nothing_found": "Nothing found.",
        "open_menu": "Conversations and views",
        "over_time": "Over time",
        "passage_count": "{n} passages",
        "passage_count_1": "1 passage",
        "pages_search": "Search the articles",
        "place": "Place",
        "places": "Places",
        "publication_count": "{n} publications",
        "publication_count_1": "1 publication",
        "publications": "Publications",
        "read_trace": "Read: {passages} of {articles}",
        "reason": "Reason",
        "reason_lacks": "something is missing",
        "reason_language": "wrong language",
        "reason_link": "wrong source",
        "reason_number": "wrong number",
        "reason_old": "out of date",
        "reason_other": "something else",
        "rename": "Rename",
        "retry": "Ask again",
        "search": "Search",
        "search_conversations": "Search conversations",
        "send": "Send",
        "sentences": "Sentences",
        "thin_newest": "Newest source",
        "today": "Today",
        "too_long": "This conversation is too long to keep more of it: begin a new one.",
        "topic": "Topic",
        "topics": "Topics",
        "understood": "Understood as: {question}",
        "worded_at": "{model} words the answers, and each sentence is checked against its quotes. To {where} go the "
        "question, up to four earlier turns of the conversation and the sentences that were found.",
        "worded_here": "{model} words the answers on this machine, and each sentence is checked against its quotes.",
        "worded_trace": "{model}: {n} calls, {m} tokens",
        "undo": "Undo",
        "unfilter": "Clear filters",
        "unfiltered": "Ask again without filters",
        "value": "Value",
        "view_evaluation": "Evaluation",
        "view_library": "Library",
        "views": "Views",
        "year": "Year",
        "yesterday": "Yesterday",
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
        "cell_missing": "No está en las fuentes",
        "compared": "Se compara",
        "comparison": "Lado a lado",
        "cut": "Este artículo largo se muestra alrededor de la oración citada.",
        "dark": "Oscuro o claro",
        "disagree": "Las fuentes no coinciden",
        "eval_about": "Unas {n}, de todos los tipos",
        "eval_against": "Comparada con",
        "eval_all": "Todas",
        "eval_before": "Antes",
        "eval_better": "mejor",
        "eval_cases": "Preguntas",
        "eval_change": "Cambio",
        "eval_changed": "{worse} preguntas empeoraron y {better} mejoraron",
        "eval_continue": "Continuar",
        "eval_download": "Descargar:",
        "eval_facts": "{n} preguntas, índice {index}",
        "eval_failed": "Un error, escrito en la terminal donde corre bpo, impidió terminar esta evaluación.",
        "eval_feedback": "De los comentarios",
        "eval_figure": "Indicador",
        "eval_file": "Archivo (JSONL o CSV)",
        "eval_golden": "Las preguntas de referencia",
        "eval_interval": "Intervalo de 95%",
        "eval_labels": "Qué pasó con cada pregunta",
        "eval_lead": "Se le hacen al chatbot preguntas con respuesta conocida y se califica lo que contesta. "
        "Pulse un indicador para ver qué significa.",
        "eval_n": "Preguntas",
        "eval_nothing": "ninguna",
        "eval_now": "Ahora",
        "eval_nowhere": "Las evaluaciones solo se guardan donde bpo chat tiene una carpeta propia.",
        "eval_number": "Cuántas",
        "eval_question": "Pregunta",
        "eval_read": "Leer el informe completo",
        "eval_run": "Evaluar",
        "eval_same": "sin diferencia",
        "eval_show": "Mostrar",
        "eval_shown": "Evaluación",
        "eval_stop": "Detener",
        "eval_told": "{done} de {total} · {rate} por segundo · faltan {left} · {failed} con error",
        "eval_unfinished": "Evaluaciones sin terminar",
        "eval_upload": "Un archivo suyo",
        "eval_value": "Valor",
        "eval_worse": "peor",
        "failed": "Un error, escrito en la terminal donde corre bpo, impidió responder esta pregunta.",
        "filter_about": "Se aplican a lo que pregunte después en esta conversación.",
        "filter_any": "Cualquiera",
        "filter_en": "inglés",
        "filter_es": "español",
        "filter_from": "Publicado desde",
        "filter_kinds": "Tipo de fuente",
        "filter_language": "Idioma de la publicación",
        "filter_since": "desde {date}",
        "filter_to": "Publicado hasta",
        "filter_until": "hasta {date}",
        "filtered": "Con filtro: {filter}",
        "filters": "Filtros",
        "followups": "Siga preguntando",
        "gone": "Este pasaje ya no está en las fuentes, o cambió.",
        "handle": "Más grande o más pequeño",
        "kind_other": "otro",
        "language": "Idioma",
        "loading": "Cargando modelos",
        "loading_more": "La primera respuesta tarda unos segundos después del arranque.",
        "missing": "Sin respuesta",
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
        "searching": "Buscando en {articles}",
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
        "all_kinds": "Todos los tipos",
        "article_count": "{n} artículos",
        "article_count_1": "1 artículo",
        "articles": "Artículos",
        "asked_first": "Pregunte sobre este artículo",
        "bad": "Incorrecta",
        "cancel": "Cancelar",
        "chat": "Chat",
        "checking": "Verificando la oración siguiente",
        "conversations": "Conversaciones",
        "copied": "Copiado.",
        "copy": "Copiar con fuentes",
        "copy_link": "Copiar un enlace que vuelve a preguntar",
        "coverage": "Cobertura",
        "delete": "Eliminar",
        "deleted": "Eliminada.",
        "export": "Exportar",
        "export_csv": "Tabla de afirmaciones (CSV)",
        "export_html": "Página web (HTML)",
        "export_md": "Texto (Markdown)",
        "feedback": "¿Qué está mal en esta respuesta?",
        "feedback_cite": "¿Por qué esta cita no respalda la respuesta?",
        "feedback_expected": "¿Qué debería decir? (opcional)",
        "feedback_failed": "No se pudo guardar su opinión.",
        "feedback_good": "¿Qué estuvo bien en esta respuesta?",
        "feedback_note": "En sus palabras (opcional)",
        "feedback_sent": "Gracias. Su opinión se guarda en esta computadora.",
        "gaps": "Lo que ninguna fuente consultada dice",
        "good": "Correcta",
        "halt": "Detener",
        "halted": "Detenida.",
        "interest": "Tipo",
        "interest_own": "un proveedor, sobre sí mismo",
        "interest_vendor": "solo lo dice un proveedor",
        "library_lead": "De aquí salen todas las respuestas: {articles} y {publications}.",
        "make_case": "Convertir en caso de prueba para bpo eval",
        "no_conversations": "Sus conversaciones se guardan solo en este navegador.",
        "no_conversations_shared": "Sus conversaciones se guardan en el servidor, solo para usted.",
        "not_kept": "El servidor no pudo guardar este cambio.",
        "not_shown": "Esta vista no se pudo mostrar. La terminal donde corre bpo dice por qué.",
        "not_supporting": "No respalda esto",
        "nothing_found": "No se encontró nada.",
        "open_menu": "Conversaciones y vistas",
        "over_time": "A lo largo del tiempo",
        "passage_count": "{n} pasajes",
        "passage_count_1": "1 pasaje",
        "pages_search": "Buscar en los artículos",
        "place": "Lugar",
        "places": "Lugares",
        "publication_count": "{n} publicaciones",
        "publication_count_1": "1 publicación",
        "publications": "Publicaciones",
        "read_trace": "Se leyeron {passages} de {articles}",
        "reason": "Motivo",
        "reason_lacks": "falta algo",
        "reason_language": "idioma equivocado",
        "reason_link": "fuente equivocada",
        "reason_number": "cifra equivocada",
        "reason_old": "desactualizada",
        "reason_other": "otra cosa",
        "rename": "Cambiar nombre",
        "retry": "Preguntar de nuevo",
        "search": "Buscar",
        "search_conversations": "Buscar conversaciones",
        "send": "Enviar",
        "sentences": "Oraciones",
        "thin_newest": "Fuente más reciente",
        "today": "Hoy",
        "too_long": "Esta conversación es demasiado larga para guardar más: empiece una nueva.",
        "topic": "Tema",
        "topics": "Temas",
        "understood": "Se entendió como: {question}",
        "worded_at": "{model} redacta las respuestas, y cada oración se verifica con sus citas. A {where} van la "
        "pregunta, hasta cuatro turnos anteriores de la conversación y las oraciones encontradas.",
        "worded_here": "{model} redacta las respuestas en este equipo, y cada oración se verifica con sus citas.",
        "worded_trace": "{model}: {n} llamadas, {m} tokens",
        "undo": "Deshacer",
        "unfilter": "Quitar filtros",
        "unfiltered": "Preguntar de nuevo sin filtros",
        "value": "Valor",
        "view_evaluation": "Evaluación",
        "view_library": "Biblioteca",
        "views": "Vistas",
        "year": "Año",
        "yesterday": "Ayer",
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

TOPICS: Mapping[Language, Mapping[str, str]] = {
    "en": {
        "size": "Size",
        "operators": "Operators",
        "cities": "Cities",
        "pay": "Pay",
        "cost": "Cost",
        "talent": "Talent",
        "conditions": "Working conditions",
        "services": "Services",
        "quality": "Quality",
        "law": "Law",
        "tax": "Tax",
        "data": "Data protection",
        "calls": "Calls",
        "trade": "Trade",
        "competitors": "Competitors",
        "technology": "Technology",
        "history": "History",
        "infrastructure": "Infrastructure",
        "risk": "Risk",
        "guide": "Guides",
    },
    "es": {
        "size": "Tamaño",
        "operators": "Operadores",
        "cities": "Ciudades",
        "pay": "Salarios",
        "cost": "Costos",
        "talent": "Talento",
        "conditions": "Condiciones de trabajo",
        "services": "Servicios",
        "quality": "Calidad",
        "law": "Ley",
        "tax": "Impuestos",
        "data": "Protección de datos",
        "calls": "Llamadas",
        "trade": "Comercio",
        "competitors": "Competidores",
        "technology": "Tecnología",
        "history": "Historia",
        "infrastructure": "Infraestructura",
        "risk": "Riesgos",
        "guide": "Guías",
    },
}

PLACES: Mapping[Language, Mapping[str, str]] = {
    "en": {"merida": "Mérida", "cancun": "Cancún", "usa": "United States", "state-of-mexico": "State of Mexico"},
    "es": {
        "mexico": "México",
        "mexico-city": "Ciudad de México",
        "state-of-mexico": "Estado de México",
        "usa": "Estados Unidos",
        "philippines": "Filipinas",
        "merida": "Mérida",
        "cancun": "Cancún",
    },
}
# Written with their accents in both languages.
_ACCENTED = {
    "ciudad-juarez": "Ciudad Juárez",
    "ciudad-obregon": "Ciudad Obregón",
    "leon": "León",
    "nuevo-leon": "Nuevo León",
    "queretaro": "Querétaro",
    "san-luis-potosi": "San Luis Potosí",
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


def place_name(place: str, language: Language) -> str:
    """Name a place of the corpus.

    >>> place_name("usa", "es"), place_name("san-luis-potosi", "en"), place_name("baja-california", "es")
    ('Estados Unidos', 'San Luis Potosí', 'Baja California')
    """
    return PLACES[language].get(place) or _ACCENTED.get(place) or place.replace("-", " ").title()


def kind_name(kind: str, language: Language) -> str:
    """Name a kind of source, every one."""
    return KINDS[language][kind] or say("kind_other", language)


def filter_words(chosen: Filter, language: Language) -> str:
    """Say what a filter lets through.

    >>> filter_words(Filter(kinds=("press",), since="2020", place="mexico-city"), "es")
    'prensa · desde 2020 · Ciudad de México'
    """
    dates = [
        say(f"filter_{k}", language, date=day(d, language)) for k in ("since", "until") if (d := getattr(chosen, k))
    ]
    parts = [
        ", ".join(kind_name(k, language) for k in chosen.kinds),
        *dates,
        say(f"filter_{chosen.language}", language) if chosen.language else "",
        place_name(chosen.place, language) if chosen.place else "",
    ]
    return " · ".join(filter(None, parts))


def day(issued: str, language: Language) -> str:
    """Write an ISO date of any precision in words; "undated" for none.

    >>> day("2012-07-08", "en"), day("2012-07", "es"), day("2012", "en"), day("", "es")
    ('July 8, 2012', 'julio de 2012', '2012', 'sin fecha')
    """
    if not issued:
        return say("undated", language)
    year, *rest = issued.split("-")
    if not rest or not rest[0].isdecimal() or not 1 <= int(rest[0]) <= 12:
        return year
    month = MONTHS[language][int(rest[0]) - 1]
    exact = str(int(rest[1])) if len(rest) > 1 and rest[1].isdecimal() else ""
    if language == "es":
        return " de ".join(filter(None, (exact, month, year)))
    return f"{month} {exact}, {year}" if exact else f"{month} {year}"


def ago(issued: str, today: str, language: Language) -> str:
    """Say how long before `today` something was issued, as far as its date tells; "" when undated.

    >>> ago("2012-07-08", "2026-11-22", "en"), ago("2026-08", "2026-11-22", "es")
    ('14 years ago', 'hace 3 meses')
    """
    if not issued or not issued[:4].isdecimal():
        return ""
    years = int(today[:4]) - int(issued[:4])
    if len(issued) < 7:
        return count("ago_years", years, language) if years > 0 else ""
    months = years * 12 + int(today[5:7]) - int(issued[5:7])
    months -= len(issued) >= 10 and issued[8:10] > today[8:10]
    if months >= 12:
        return count("ago_years", months // 12, language)
    return count("ago_months", months, language) if months > 0 else say("ago_days", language)


# Figures of an evaluation: what each is called and how it is computed; the English is in `rag.evaluate.definitions`.
FIGURES_ES: dict[str, tuple[str, str]] = {
    "utility": (
        "Utilidad",
        "Media de 1 por acertar o por abstenerse con razón, 0 por abstenerse en vano, −1 por un error o una falla, y "
        "la parte cumplida de una respuesta incompleta; según la veracidad de CRAG (Yang et al. 2024).",
    ),
    "right": (
        "Aciertos",
        "Parte de las preguntas que se respondieron o se declinaron bien; una falla cuenta como error.",
    ),
    "sentence.recall@10": ("Oraciones en 10", "Oraciones esperadas en los primeros 10 pasajes / oraciones esperadas."),
    "cited.precision": ("Precisión de las citas", "Oraciones citadas que se esperaban / oraciones citadas."),
    "cited.recall": ("Cobertura de las citas", "Oraciones esperadas que se citan / oraciones esperadas."),
    "quotes_exact": ("Citas exactas", "Citas idénticas al texto de su artículo / citas."),
    "supported": ("Con respaldo", "Oraciones cuyas palabras y cifras están en lo que citan / oraciones."),
    "refusal.precision": ("Precisión al declinar", "Veces que se declinó con razón / veces que se declinó."),
    "refusal.recall": ("Cobertura al declinar", "Preguntas sin respuesta que se declinaron / preguntas sin respuesta."),
    "confidence.auroc": (
        "AUROC de la confianza",
        "Probabilidad de que un acierto tenga más confianza que un error (Mann–Whitney).",
    ),
    "followup.right": ("Aciertos al dar seguimiento", "Parte de aciertos en las preguntas que siguen a otras."),
    "language.gap": (
        "Inglés − español",
        "Media, en las preguntas de ambos idiomas, de aciertos en inglés − en español.",
    ),
    "latency.p95": ("Latencia p95 (ms)", "Percentil 95 por rango más cercano, desde 40 preguntas."),
}
# What can have happened to a question; the English is in `rag.evaluate.scoring`.
LABELS_ES: dict[str, str] = {
    "right": "acierto",
    "right but uncited": "acierto, con otra cita",
    "right refusal": "declinada con razón",
    "incomplete": "incompleta",
    "should have answered": "debió responder",
    "not retrieved": "no se encontró",
    "retrieved, not used": "se encontró y no se usó",
    "wrong sentence": "otra oración",
    "wrong": "error",
    "wrong value": "valor equivocado",
    "not in the corpus": "no está en el acervo",
    "should have refused": "debió declinar",
    "error": "falla",
    "not judged": "sin calificar",
}


def figure(name: str, title: str, meaning: str, language: Language) -> tuple[str, str]:
    """A figure's title and meaning in a language, given those in English."""
    return FIGURES_ES.get(name, (title, meaning)) if language == "es" else (title, meaning)


def verdict(label: str, language: Language) -> str:
    """What happened to a question, in a language."""
    return LABELS_ES.get(label, label) if language == "es" else label
