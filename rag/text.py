"""What the product knows of two languages: their function words, sentences, terms and figures.

Everything here is a pure function of the text: no model, no file, no state beyond caches.
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache
from typing import Literal, NamedTuple, get_args

import Stemmer

Language = Literal["en", "es"]
LANGUAGES: tuple[Language, ...] = get_args(Language)
MONTHS: dict[Language, tuple[str, ...]] = {
    "en": tuple("January February March April May June July August September October November December".split()),
    "es": tuple("enero febrero marzo abril mayo junio julio agosto septiembre octubre noviembre diciembre".split()),
}


class Span(NamedTuple):
    """A half-open range of characters (code points)."""

    start: int
    end: int


# --- folding ------------------------------------------------------------------------------------


@lru_cache(maxsize=65_536)
def fold(text: str) -> str:
    """Lower-case and without accents: `México` and `mexico` are one word. Length may change."""
    if text.isascii():
        return text.lower()
    decomposed = unicodedata.normalize("NFKD", text.casefold())
    return "".join(c for c in decomposed if not unicodedata.combining(c))


# --- words --------------------------------------------------------------------------------------

FUNCTION_WORDS: dict[Language, frozenset[str]] = {
    "en": frozenset(
        """a about above after again all also am an and any are as at be because been before being below between both
        but by can could did do does doing down during each few for from further had has have having he her
        here hers him his how i if in into is it its itself just me more most my no nor not of off on once
        only or other our out over own same she should so some such than that the their them then there
        these they this those through to too under until up very was we were what when where which while who
        whom whose why will with would you your yours please tell know let us get got give many much there's
        what's i'm don't isn't it's""".split()
    ),
    "es": frozenset(
        """a al algo algun alguna algunas alguno algunos ante antes aquel aquella como con contra cual cuales cuando
        cuanta cuantas cuanto cuantos de del desde donde dos durante e el ella ellas ello ellos en entre era
        eran es esa esas ese eso esos esta estaba estado estan estar estas este esto estos fue fueron ha
        haber habia han has hasta hay he la las le les lo los mas me mi mis muy nada ni no nos nosotros o os
        otra otras otro otros para pero poco por porque que quien quienes se sea ser si sin sobre son su sus
        tambien tanto te tener tiene tienen toda todas todo todos tu tus u un una uno unos unas y ya yo
        favor dime dame sabe saber oye pues cada segun soy eres somos son sera seran seria puede pueden""".split()
    ),
}
# Words that frame a question and name nothing in it: they would match wherever somebody counts or lists.
_FRAMING: dict[Language, frozenset[str]] = {
    "en": frozenset(
        """number amount quantity total kind kinds sort sorts type types thing things way ways exactly roughly
        approximately actually anything something someone somebody anybody""".split()
    ),
    "es": frozenset(
        """numero cantidad total tipo tipos clase clases cosa cosas forma formas manera maneras exactamente realmente
        aproximadamente entonces verdad alguien algo nomas""".split()
    ),
}
WORD = re.compile(r"[^\W_]+(?:['’][^\W\d_]+)?", re.UNICODE)


def words(text: str) -> list[str]:
    """Folded words of a text, in order."""
    return [fold(w) for w in WORD.findall(text)]


@lru_cache(maxsize=4)
def _without_content(language: Language) -> frozenset[str]:
    return FUNCTION_WORDS[language] | _FRAMING[language]


# --- terms --------------------------------------------------------------------------------------

# Spellings that differ and words that buyers and sources use for one another. Each group is one term,
# in the index and in the question alike. Kept tight: a group must be interchangeable in most sentences.
_EQUIVALENTS: dict[Language, tuple[str, ...]] = {
    "en": (
        "center centre",
        "labor labour",
        "program programme",
        "organization organisation",
        "wage salary pay paid earn earnings paycheck remuneration compensation",
        "employee worker staff personnel staffer workforce headcount",
        "company firm",
        "vendor provider supplier",
        "customer client",
        "agent rep representative",
        "attrition turnover churn quit",
        "telework telecommuting wfh remote",
        "returnee deportee",
        "dismiss dismissal fire sack layoff",
        "hire recruit",
        "cost price",
        "fine penalty sanction",
        "growth grow rise increase",
        "ban prohibit forbid",
        "required mandatory obligatory",
        "employer boss",
        "jail prison",
        "hour hr hrs",
        "cheap inexpensive affordable",
        "leak breach",
        "sue lawsuit",
        "bilingual bilingualism",
        "phone telephone",
        "vacation holiday",
        "biggest largest",
    ),
    "es": (
        "centro center centre",
        "salario sueldo paga pago remuneracion ganar percibir lana",
        "empleo chamba",
        "empleado trabajador personal",
        "empresa compania firma",
        "proveedor prestador",
        "despido despedir",
        "contratar reclutar contratacion reclutamiento",
        "costo precio tarifa costar",
        "multa sancion",
        "aumento incremento alza crecimiento crecer",
        "retornado deportado repatriado",
        "obligatorio requerido",
        "patron empleador jefe",
        "carcel prision",
        "hora hr hrs",
        "barato economico",
        "filtracion filtrar vulneracion",
        "luz electricidad",
        "proporcion porcentaje",
        "telefono fono",
        "rotacion renuncia",
        "teletrabajo remoto",
    ),
}
# What people type for a name that sources spell out, and who comes from there: they count as the name.
_SHORT_NAMES: dict[Language, dict[str, str]] = {
    "en": {
        "cdmx": "mexico city", "us": "united states", "usa": "united states", "uk": "united kingdom",
        "gdl": "guadalajara", "mty": "monterrey", "tj": "tijuana", "qro": "queretaro", "mx": "mexico",
        "cusma": "usmca", "tmec": "usmca", "ai": "artificial intelligence",
        "tp": "teleperformance", "lft": "federal labor law", "hr": "human resources", "scjn": "supreme court",
        "rrm": "labor mechanism",
        "american": "united states", "americans": "united states", "mexican": "mexico", "mexicans": "mexico",
        "canadian": "canada", "canadians": "canada", "colombian": "colombia", "colombians": "colombia",
        "indian": "india", "indians": "india", "filipino": "philippines", "filipinos": "philippines",
        "philippine": "philippines", "asian": "asia", "british": "united kingdom",
    },
    "es": {
        "cdmx": "ciudad de mexico", "df": "ciudad de mexico", "eu": "estados unidos", "eua": "estados unidos",
        "eeuu": "estados unidos", "usa": "estados unidos", "gdl": "guadalajara", "mty": "monterrey",
        "tj": "tijuana", "qro": "queretaro", "nl": "nuevo leon", "mx": "mexico", "edomex": "estado de mexico",
        "usmca": "tmec", "ia": "inteligencia artificial", "tp": "teleperformance", "lft": "ley federal trabajo",
        "rh": "recursos humanos", "scjn": "suprema corte", "mlrr": "mecanismo laboral",
        "estadounidense": "estados unidos", "estadounidenses": "estados unidos",
        "norteamericano": "estados unidos", "norteamericanos": "estados unidos", "gringo": "estados unidos",
        "gringos": "estados unidos", "gringa": "estados unidos", "gringas": "estados unidos",
        "mexicano": "mexico", "mexicanos": "mexico", "mexicana": "mexico", "mexicanas": "mexico",
        "canadiense": "canada", "canadienses": "canada", "colombiano": "colombia", "colombiana": "colombia",
        "colombianos": "colombia", "filipino": "filipinas", "filipinos": "filipinas", "asiatico": "asia",
        "asiaticos": "asia",
    },
}  # fmt: skip
# "Latin American" is not about the United States.
_NOT_ALONE = {"american": "latin", "americans": "latin"}
_ALSO_WORDS = frozenset({"us", "usa", "eu"})  # pronoun or verb unless written in capitals


@lru_cache(maxsize=4)
def _stemmer(language: str) -> Stemmer.Stemmer:
    return Stemmer.Stemmer({"en": "english", "es": "spanish"}[language])


@lru_cache(maxsize=200_000)
def _stem(word: str, language: Language) -> str:
    stem: str = _stemmer(language).stemWord(word)
    return _equivalents(language).get(stem, stem)


@lru_cache(maxsize=4)
def _equivalents(language: Language) -> dict[str, str]:
    table = {}
    for group in _EQUIVALENTS[language]:
        stems = [_stemmer(language).stemWord(fold(w)) for w in re.sub(r"[.\-]", "", group).split()]
        table.update(dict.fromkeys(stems, stems[0]))
    return table


# What has several names that all say the same, each as it is counted: as its first name.
_PHRASES: dict[Language, tuple[tuple[str, str], ...]] = {
    "en": (
        (r"(?:call|contact)[ -]?cent(?:er|re)s?", "call center"),
        (r"work(?:s|ed|ing)?[ -](?:from|at)[ -]home|home[ -]office", "telework"),
    ),
    "es": (
        (
            r"(?:call|contact)[ -]?cent(?:er|re)s?|centros? de (?:contactos?|llamadas?|atenci[oó]n telef[oó]nica)",
            "centro llamadas",
        ),
        (r"trabaj\w+ (?:desde|en) (?:su |la |mi |tu )?casa|home[ -]?office|trabajo a distancia", "teletrabajo"),
    ),
}
_SHORTEST_PHRASE = 10
_PHRASE = {
    language: tuple((re.compile(pattern, re.IGNORECASE), spelled.split()) for pattern, spelled in rows)
    for language, rows in _PHRASES.items()
}
# Tokens: figures keep their separators, dotted initials (U.S., EE. UU., a.m.) become one word.
_TOKENS = {
    language: re.compile(
        "|".join(
            (
                *(rf"(?i:\b(?:{pattern})\b)" for pattern, _ in rows),
                r"\d+(?:[.,]\d+)*|[Tt]-[Mm][Ee][Cc]|(?:[^\W\d_]\.\s?){2,}|EE\.?\s?UU\.?|[^\W_]+(?:['’][^\W\d_]+)?",
            )
        )
    )
    for language, rows in _PHRASES.items()
}


def terms(text: str, language: Language) -> list[str]:
    """Content terms of a text for matching words: folded, stemmed, without function words.

    Figures are normalised (`85,000` and `85.000` are one term).

    >>> terms("The wages of 85,000 workers in Mérida", "en")
    ['wage', '85000', 'employe', 'merida']
    """
    stop = _without_content(language)
    found = []
    for token in _TOKENS[language].findall(text):
        if token[0].isdecimal():
            found.append(figure(token))
            continue
        if len(token) >= _SHORTEST_PHRASE and (phrase := _phrase(token, language)):
            found += phrase
            continue
        word = fold(re.sub(r"[.\s-]", "", token) if "." in token or "-" in token else token)
        word = re.sub(r"['’]s?$", "", word.replace("’", "'")).replace("'", "")
        plain = (word in _ALSO_WORDS and not token.isupper()) or found[-1:] == [_NOT_ALONE.get(word)]
        spelled = word if plain else _SHORT_NAMES[language].get(word, word)
        for part in spelled.split():
            if part not in stop:
                found.append(_stem(part, language))
    return found


@lru_cache(maxsize=4096)
def _phrase(token: str, language: Language) -> tuple[str, ...]:
    """Terms of a token that is a phrase with other names; () for any other."""
    for pattern, spelled in _PHRASE[language]:
        if pattern.fullmatch(token):
            return tuple(_stem(word, language) for word in spelled)
    return ()


# --- figures ------------------------------------------------------------------------------------

_FIGURE = re.compile(r"\d+(?:[.,]\d+)*")


def figure(token: str) -> str:
    """One way of writing a number: no thousands separators, a point for decimals, no trailing zeros.

    A separator followed by exactly three digits groups thousands, otherwise it marks decimals.

    >>> figure("85,000"), figure("85.000"), figure("1.5"), figure("3,70"), figure("1,234.50")
    ('85000', '85000', '1.5', '3.7', '1234.5')
    """
    parts = re.split(r"[.,]", token)
    separators = re.findall(r"[.,]", token)
    if not separators:
        return token.lstrip("0") or "0"
    grouped = all(len(p) == 3 for p in parts[1:]) and len(parts[0]) <= 3 and parts[0] != "0"
    if grouped and len(set(separators)) == 1:
        return "".join(parts).lstrip("0") or "0"
    whole, decimals = "".join(parts[:-1]).lstrip("0") or "0", parts[-1].rstrip("0")
    return f"{whole}.{decimals}" if decimals else whole


def figures(text: str) -> set[str]:
    """All figures of a text, normalised."""
    return {figure(m) for m in _FIGURE.findall(text)}


# --- sentences ----------------------------------------------------------------------------------

_ABBREVIATIONS = frozenset(
    fold(a)
    for a in """
    mr mrs ms dr prof sr jr st inc ltd co corp llc vs etc e.g i.e approx no nos fig vol pp p art arts sec ch est
    dept jan feb mar apr jun jul aug sep sept oct nov dec u.s u.k u.n d.c ph.d a.m p.m sra srta dra lic ing
    arq ud uds vd s.a s.a.b c.v s.c r.l s.de av col edo núm num pág pag cap frac párr op cit aprox ene abr may
    ago dic ee uu ee.uu e.u e.u.a d.f p.ej ej gob gral mtro mtra ltda cía cia tel ext máx mín prom
    """.split()
)
# Abbreviations only before a number: `No. 5`, but `He said no.`
_BEFORE_NUMBERS = frozenset(
    fold(a)
    for a in """
    no nos fig vol p pp art arts sec num núm cap
    """.split()
)
_BREAK = re.compile(r"[.!?…]+[\"'”’»)\]]*(?=\s|$)")
_LAST_WORD = re.compile(r"[^\s(\[\"“«]*$")
_LONGEST_ABBREVIATION = 12
_OPENING = re.compile(r"(?:The|A|An|In|It|El|La|Los|Las|En|Un|Una|Su|Se|This|That|These|But)\b")
_BLOCK_BREAK = re.compile(r"\r?\n[ \t]*\r?\n|\r?\n(?=[ \t]*(?:#{1,6}\s|[-*+]\s|\d{1,3}[.)]\s|\||```|>))")
_MARKER = re.compile(r"[ \t]*(?:(?:[-*+•]|\d{1,3}[.)]|>)[ \t]+)")
HEADING = re.compile(r"[ \t]{0,3}#{1,6}[ \t]+(?P<title>[^\n]*?)[ \t]*#*[ \t]*(?:\n|$)")


def blocks(text: str) -> list[Span]:
    """Paragraphs, list items and headings of a Markdown or plain text, without outer white space."""
    spans, start = [], 0
    for cut in [*(m.span() for m in _BLOCK_BREAK.finditer(text)), (len(text), len(text))]:
        piece = Span(start, cut[0])
        start = cut[1]
        heading = HEADING.match(text, piece.start, piece.end)
        if heading and heading.end() < piece.end:  # text follows the heading without an empty line
            spans.append(_trim(text, Span(piece.start, heading.end())))
            piece = Span(heading.end(), piece.end)
        spans.append(_trim(text, piece))
    return [s for s in spans if s.start < s.end]


def sentences(text: str) -> list[Span]:
    """Spans of the sentences of a Markdown or plain text: headings, list markers and space left out.

    Abbreviations of both languages, initials and decimals do not end a sentence.

    >>> t = "Sitel S.A. de C.V. opera en EE. UU. y México. Paga 1.5 veces más."
    >>> [t[a:b] for a, b in sentences(t)]
    ['Sitel S.A. de C.V. opera en EE. UU. y México.', 'Paga 1.5 veces más.']
    """
    spans: list[Span] = []
    for block in blocks(text):
        if HEADING.match(text, block.start, block.end):
            continue
        marker = _MARKER.match(text, block.start, block.end)
        start = marker.end() if marker else block.start
        for ending in _BREAK.finditer(text, start, block.end):
            if _ends_sentence(text, start, ending.start(), ending.end(), block.end):
                spans.append(_trim(text, Span(start, ending.end())))
                start = ending.end()
        spans.append(_trim(text, Span(start, block.end)))
    return [s for s in spans if any(c.isalnum() for c in text[s.start : s.end])]


def _ends_sentence(text: str, start: int, stop: int, after: int, limit: int) -> bool:
    following = after
    while following < limit and text[following].isspace():
        following += 1
    if following >= limit:
        return True
    opener = text[following]
    while opener in "\"'“‘«([¿¡*_" and following + 1 < limit:
        following += 1
        opener = text[following]
    if text[stop] in "!?" or (after - stop > 1 and text[stop : stop + 2] == ".."):
        return not opener.islower()
    if opener.islower():
        return False
    # Look back over one word only, so that a megabyte without a sentence end stays linear.
    token = _LAST_WORD.search(text, max(start, stop - _LONGEST_ABBREVIATION), stop)
    last = fold(token.group()) if token else ""
    if last in _BEFORE_NUMBERS:
        return not opener.isdecimal()
    if last in _ABBREVIATIONS:
        # "EE. UU. El sector": an abbreviation may close a sentence when a new one clearly opens.
        return last in {"uu", "ee.uu", "u.s", "e.u", "c.v", "inc", "a.m", "p.m", "d.c", "etc"} and bool(
            _OPENING.match(text, following)
        )
    return not (len(last) == 1 and last.isalpha() and text[stop - 1].isupper())


def _trim(text: str, span: Span) -> Span:
    start, end = span
    while start < end and text[start].isspace():
        start += 1
    while end > start and text[end - 1].isspace():
        end -= 1
    return Span(start, end)
