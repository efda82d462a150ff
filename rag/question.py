"""What a question asks for: its kind, its terms, the names and years that an answer must be about."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

from rag.text import Language, detect, fold, terms

Kind = Literal["figure", "fact", "yesno", "definition", "list", "reason", "manner", "comparison"]
Wanted = Literal["number", "money", "percent", "date", "who", "where", ""]

_PATTERNS: dict[Language, tuple[tuple[str, Kind, Wanted], ...]] = {
    # The first that matches decides; on folded text, so without accents.
    "en": (
        (
            r"\b(compare|comparison|versus|vs\.?|difference between|better .* or|cheaper .* or|more .* than)\b",
            "comparison",
            "",
        ),
        (
            r"\b(what|which)\s+(percent|percentage|share|proportion)|\bwhat part of|\bpercent(age)?\b.*\?|\battrition rate",
            "figure",
            "percent",
        ),
        (
            r"\bhow (much|high|low|big) (is|are|was|were|does|do|did|would|will|should|can)?.*\b(cost|pay|earn|wage|salar|fine|price|rate|make|charge|invest|revenue|worth|spend|tax|minimum)",
            "figure",
            "money",
        ),
        (
            r"\b(salary|wage|pay|price|cost|rate|revenue|fine|penalty)s?\b.*\b(of|for|in|per|range|average)\b|\bhow much\b",
            "figure",
            "money",
        ),
        (
            r"\bhow (many|old|long|often|large|big|far|fast)\b|\bnumber of\b|\bheadcount\b|\bhow many\b|\bcount of\b",
            "figure",
            "number",
        ),
        (
            r"\b(what (is|was) the )?(size|growth|rate|share|minimum|maximum|average|total)\b",
            "figure",
            "number",
        ),
        (
            r"^\W*when\b|\b(what|which|in what|since what|since when|from what) (year|date|month|day)\b|\buntil when\b|\bsince when\b|\bdeadline\b",
            "fact",
            "date",
        ),
        (
            r"\bwhy\b|\breasons?\b|\bwhat (makes|drives|causes|explains)\b|\bcauses? of\b|\bhow come\b",
            "reason",
            "",
        ),
        (
            r"^\W*(and |so )?who\b|\bwhich (company|firm|operator|union|association|agency|authority|vendor)\b",
            "fact",
            "who",
        ),
        (r"^\W*where\b|\bwhich (city|state|country|place|region)\b|\bin what city\b", "fact", "where"),
        (
            r"\b(which|what|name|list|tell me|give me|all)\b.*\b(cities|states|countries|companies|firms|operators|vendors|channels|languages|services|certifications|benefits|advantages|disadvantages|risks|challenges|problems|requirements|obligations|steps|types|kinds|examples|places|regions|hubs|areas|standards|kpis|metrics|indicators|unions|associations|reasons|factors|rules|ways|sectors|industries|rights|options|policies|incentives|technologies|tools|measures|programs|initiatives|days|holidays|deductions|contributions|hours)\b|\blist\b|\bwhat are (the|some|its|their)\b",
            "list",
            "",
        ),
        (
            r"\bhow (do|does|did|can|could|is|are|was|were|has|have|should|would|to)\b|\bwhat (is|are|was|were) (being )?done\b|\bsteps?\b|\bprocess\b|\bwhat (do|does|did|can|should) \w+ .*\bdo\b",
            "manner",
            "",
        ),
        (
            r"^\W*(what (is|are|does|do)|define|meaning of|definition of|what's)\b(?=[^,]{0,40}\??\s*$)|\bmean(s|ing)?\b|\bstand for\b|\bdefin",
            "definition",
            "",
        ),
        (
            r"^\W*(and |so |but )?(is|are|was|were|do|does|did|has|have|had|can|could|will|would|should|must|may|isn't|aren't|am i)\b",
            "yesno",
            "",
        ),
    ),
    "es": (
        (
            r"\b(compara|comparar|comparacion|comparado|versus|vs\.?|diferencia entre|mejor .* o|mas barat\w+ .* o|frente a)\b",
            "comparison",
            "",
        ),
        (
            r"\b(que|cual|cuanto)\b.*\b(porcentaje|por ciento|proporcion)\b|\btasa de rotacion\b",
            "figure",
            "percent",
        ),
        (
            r"\bcuanto\b.*\b(cuesta|cuestan|gana|ganan|paga|pagan|cobra|cobran|vale|invirt|multa|salario|sueldo|costo|factur|ingres)|\b(salario|sueldo|costo|precio|tarifa|multa|tasa|ingreso)s?\b.*\b(de|por|en|promedio|minimo)\b",
            "figure",
            "money",
        ),
        (r"\bcuant[oa]s?\b|\bnumero de\b|\bque tan (grande|largo|alto)|\bque edad", "figure", "number"),
        (r"\b(tamano|crecimiento|tasa|participacion|minimo|maximo|promedio|total)\b", "figure", "number"),
        (
            r"^\W*(y |desde |hasta )?cuando\b|\b(que|cual) (ano|fecha|mes|dia)\b|\bdesde cuando\b|\bhasta cuando\b|\bplazo\b",
            "fact",
            "date",
        ),
        (r"\bpor que\b|\bporque\b|\brazon(es)?\b|\bmotivos?\b|\bcausas?\b|\ba que se debe\b", "reason", ""),
        (
            r"^\W*(y |a )?quien(es)?\b|\bque (empresa|operador|sindicato|asociacion|autoridad|institucion|proveedor|dependencia)\b",
            "fact",
            "who",
        ),
        (r"^\W*(y |en |a |de )?donde\b|\b(que|cual) (ciudad|estado|pais|region|lugar)\b", "fact", "where"),
        (
            r"\b(que|cuales|menciona|lista|dime|todas?|todos?|enumera)\b.*\b(ciudades|estados|paises|empresas|operadores|proveedores|canales|idiomas|lenguas|servicios|certificaciones|beneficios|ventajas|desventajas|riesgos|retos|problemas|requisitos|obligaciones|pasos|tipos|ejemplos|lugares|regiones|areas|normas|indicadores|kpi|metricas|sindicatos|asociaciones|razones|factores|reglas|formas|sectores|derechos|opciones|politicas|incentivos|tecnologias|herramientas|medidas|programas|prestaciones|dias|deducciones|cuotas|horarios)\b|\blista\b|\bcuales son\b|\bque (hay|ofrecen)\b",
            "list",
            "",
        ),
        (
            r"\bcomo\b|\bque (se hace|hacen|se esta haciendo)\b|\bpasos\b|\bde que (manera|forma)\b",
            "manner",
            "",
        ),
        (
            r"^\W*(que (es|son|significa|quiere decir)|define|definicion)\b|\bsignifica\b|\bdefin",
            "definition",
            "",
        ),
        (
            r"^\W*(y |pero )?(es|son|esta|estan|hay|tiene|tienen|puede|pueden|debe|deben|existe|existen|se (puede|debe|permite)|fue|fueron|hubo|ha|han|sirve|conviene|aplica|paga|pagan)\b",
            "yesno",
            "",
        ),
    ),
}
_COMPILED = {
    language: tuple((re.compile(p), kind, wanted) for p, kind, wanted in rows) for language, rows in _PATTERNS.items()
}
_YEAR = re.compile(r"\b(?:19|20)\d{2}\b")
_CAPITAL = re.compile(r"[^\W\d_][\w&.'’-]*", re.UNICODE)
_LATEST = re.compile(
    r"\b(latest|newest|most recent|current(ly)?|today|now|nowadays|this year|actual(es|mente)?|hoy|ahora|mas reciente|ultim[oa]s?|vigente|este ano)\b"
)


@dataclass(frozen=True, slots=True)
class Question:
    """A question, read: `terms` are its content terms, `names` the terms that name something, `years` the
    years it mentions; `background` are terms carried over from earlier turns, which count for less.
    """

    text: str
    language: Language
    kind: Kind
    wanted: Wanted
    terms: tuple[str, ...]
    names: frozenset[str]
    years: frozenset[str]
    latest: bool = False


def read_question(
    text: str, *, language: Language | None = None, known_names: frozenset[str] = frozenset()
) -> Question:
    """Read a question. `known_names` are terms that the corpus writes with a capital: people rarely do.

    >>> q = read_question("How many people worked in Tijuana in 2021?")
    >>> q.kind, q.wanted, sorted(q.names), sorted(q.years)
    ('figure', 'number', ['tijuana'], ['2021'])
    """
    spoken = language or detect(text)
    folded = fold(text)
    kind, wanted = _kind(folded, spoken)
    content = tuple(dict.fromkeys(terms(text, spoken)))
    return Question(
        text=text,
        language=spoken,
        kind=kind,
        wanted=wanted,
        terms=content,
        names=frozenset(_written_names(text, spoken) | (known_names & set(content))) - set(_YEAR.findall(text)),
        years=frozenset(_YEAR.findall(text)),
        latest=bool(_LATEST.search(folded)),
    )


def _kind(folded: str, language: Language) -> tuple[Kind, Wanted]:
    for pattern, kind, wanted in _COMPILED[language]:
        if pattern.search(folded):
            return kind, wanted
    return "fact", ""


def _written_names(text: str, language: Language) -> set[str]:
    """Terms written with a capital where a common word would have none. A text all in capitals has no names."""
    letters = [c for c in text if c.isalpha()]
    if not letters or (sum(c.isupper() for c in letters) > 0.6 * len(letters) and len(text.split()) > 2):
        return set()
    found: set[str] = set()
    for match in _CAPITAL.finditer(text):
        word = match.group()
        opens = not text[: match.start()].rstrip(" ¿¡\"'“(").strip() or text[: match.start()].rstrip()[-1:] in ".?!:"
        acronym = len(word) > 1 and word.isupper()
        if word[0].isupper() and (acronym or not opens):
            found.update(terms(word, language))
    return found
