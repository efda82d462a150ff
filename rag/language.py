"""Which language a text is in, told from its words: function words first, then what endings and marks show.

Two questions are answered apart: which of our two languages a text is nearer to (`detect`), and whether it is in a
third one (`is_foreign`). Pure functions of the text: no model, no file, no state beyond caches.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from functools import lru_cache

from rag.text import FUNCTION_WORDS, LANGUAGES, WORD, Language, fold, words

# Enough of the neighbours to tell that a question is in none of our two languages.
_NEIGHBOURS: dict[str, frozenset[str]] = {
    "fr": frozenset(
        """combien quel quelle quels quelles est sont les des dans pour avec vous nous une du au aux qui pourquoi ou et
        je il elle sur par pas plus cette ces ont de la le en un que y a se tu me te d l c s n il ils elles
        on ce qu""".split()
    ),
    "pt": frozenset(
        """quantos quantas qual quais sao nao em do da dos das uma um com voce onde porque mais pelo pela isso este tem
        foi os ao de que e o a se para por como no na""".split()
    ),
    "de": frozenset(
        """wie viele was ist sind der die das den dem ein eine und oder nicht mit fur von zu auf wo wer warum gibt es
        im""".split()
    ),
    "it": frozenset(
        """quanti quante quale quali sono il gli dei delle nella nel che per con una uno dove perche non ci di piu la
        le e i a in del un si""".split()
    ),
}
_VOCABULARIES: dict[str, frozenset[str]] = {**_NEIGHBOURS, **{x: FUNCTION_WORDS[x] for x in LANGUAGES}}
# Frequent content words of the domain and of short questions, where function words are missing.
_CONTENT_WORDS: dict[Language, frozenset[str]] = {
    "es": frozenset(
        """centros centro llamadas salario salarios sueldo sueldos empleo empleos trabajo trabajadores empresas empresa
        ciudad ciudades rotacion idiomas ley horas jornada costo costos precio agentes impuesto impuestos
        minimo gracias hola buenos buenas dias tardes industria mercado crecimiento servicios canales sillas
        norma vacaciones aguinaldo despido teletrabajo sindicato datos personales cobranza frontera mexicano
        mexicana cuales crecio gana ganan paga pagan definicion ingles sector seguridad pandemia historia""".split()
    ),
    "en": frozenset(
        """centre centres calls wage wages salary salaries pay job jobs employees workers company
        companies city cities attrition turnover language languages law hours week cost costs price rate
        rates agents tax taxes minimum thanks hello hi growth market size services channels seats telework
        remote vacation severance union data debt collection border mexican english security history
        average compare versus size industry bilingual""".split()
    ),
}
# English words that the trade uses in Spanish too, and what everything is about: they tell nothing.
_SHARED_WORDS = frozenset(
    """call center centers contact outsourcing offshoring offshore nearshoring nearshore onshore home office back front
    help desk marketing software hardware chatbot chatbots bot bots chat chats internet email emails online web coaching
    training feedback ranking rankings leasing staff freelance clusters cluster startup startups boom mexico""".split()
)
# How words look that stand in no list: English adds -s to consonants and doubles most of them, Spanish does not, and
# none of its words end in the consonants that come first here. Endings that both have (-al, -or, -e) tell nothing.
_LOOKS: dict[Language, re.Pattern[str]] = {
    "en": re.compile(
        r"(?:[bcfghkmpqtvw]|[bcdfghjklmnpqrtvwxyz]s|ing|ed|ness|less|[lrt]y)$|[kw]|th|sh|ee|oo|([bdfgmpstz])\1"
    ),
    "es": re.compile(r"(?:[ao]s?|[cs]ion(?:es)?|dad(?:es)?|[ai]r(?:se|lo)?|ntes?|ieron|a(?:ba|ro)?n|iendo|eza|ores)$"),
}
_SHORTEST = 4  # letters of a word from which on its looks tell something
_FEWEST = 3  # words of a text from which on looks count
_OF_CONTENT, _OF_LOOKS, _OF_ACCENT, _OF_MARK = 0.6, 0.3, 0.5, 2.0  # what each counts, a function word counting one

_ACCENTS = re.compile(r"[ñáéíóúü]")
_MARKS = re.compile(r"[¿¡]")
# "de" inside a name says nothing of the text around it.
_OF_NAME = re.compile(r"(?<=\s)[A-ZÁÉÍÓÚÑ][\w&-]*(?: (?:de|del|la|las|los|y|of|the|and))+ (?=[A-ZÁÉÍÓÚÑ])")
_ENOUGH = 4000  # characters


def is_function_word(word: str) -> bool:
    """Whether a folded word is one of those that carry no content, in any language we can tell apart."""
    return word in _sharers()


def detect(text: str, default: Language = "en") -> Language:
    """English or Spanish, whichever the text is nearer to; `default` when nothing tells.

    >>> detect("¿Cuántos centros hay?"), detect("How many centers are there?"), detect("Telvista")
    ('es', 'en', 'en')
    >>> detect("sueldo de supervisor en call center"), detect("call center", "es")
    ('es', 'es')
    """
    evidence = _evidence(text[:_ENOUGH])
    if evidence["en"] == evidence["es"]:
        return default
    return "en" if evidence["en"] > evidence["es"] else "es"


def _evidence(text: str) -> dict[Language, float]:
    """What speaks for each of our languages: function words above all, names and loan words not at all."""
    found: dict[Language, float] = {"en": 0.0, "es": _OF_MARK * bool(_MARKS.search(text))}
    written = WORD.findall(_OF_NAME.sub(" ", text))
    titled = all(w[0].isupper() for w in written if len(w) >= _SHORTEST)
    looks = _OF_LOOKS if len(written) >= _FEWEST and not titled else 0.0  # else it may be all names
    for place, raw in enumerate(written):
        word, named = fold(raw), raw[0].isupper() and place > 0 and not titled
        spoken = [x for x in LANGUAGES if word in FUNCTION_WORDS[x]]
        content = [x for x in LANGUAGES if word in _CONTENT_WORDS[x]]
        if spoken:
            if len(spoken) == 1:
                found[spoken[0]] += 1
        elif content and not named:
            found[content[0]] += _OF_CONTENT
        elif not named and word not in _SHARED_WORDS:
            for language in _looks(word):
                found[language] += looks
        if not named and _ACCENTS.search(raw.lower()):
            found["es"] += _OF_ACCENT
    return found


@lru_cache(maxsize=65_536)
def _looks(word: str) -> tuple[Language, ...]:
    """The languages that a folded word looks like."""
    known = word.isalpha() and len(word) >= _SHORTEST
    return tuple(x for x in LANGUAGES if known and _LOOKS[x].search(word))


def language_scores(text: str) -> dict[str, float]:
    """How much of a text is typical of each language we can tell apart (0..1).

    A function word that several languages share counts a part for each of them.
    """
    found = words(text)
    if not found:
        return {}
    scores = {
        language: sum(1 / _sharers()[w] for w in found if w in vocabulary) / len(found)
        for language, vocabulary in _VOCABULARIES.items()
    }
    for language in LANGUAGES:
        scores[language] += sum(w in _CONTENT_WORDS[language] for w in found) / len(found)
    if _MARKS.search(text) or _ACCENTS.search(text.lower()):
        scores["es"] += 0.15
    return scores


@lru_cache(maxsize=1)
def _sharers() -> Counter[str]:
    """In how many languages a function word occurs."""
    return Counter(w for vocabulary in _VOCABULARIES.values() for w in vocabulary)


def is_foreign(text: str) -> bool:
    """Whether a question is clearly in neither English nor Spanish.

    >>> is_foreign("Combien de centres d'appels sont au Mexique ?"), is_foreign("REPSE?")
    (True, False)
    """
    letters = [c for c in text if c.isalpha()]
    if letters and sum(_is_latin(c) for c in letters) < len(letters) / 2:
        return True
    scores = language_scores(text)
    ours = max((scores.get(language, 0.0) for language in LANGUAGES), default=0.0)
    theirs = max((s for name, s in scores.items() if name not in LANGUAGES), default=0.0)
    return len(words(text)) >= 3 and theirs >= 0.25 and theirs > ours


@lru_cache(maxsize=4096)
def _is_latin(character: str) -> bool:
    return unicodedata.name(character, "").startswith(("LATIN", "MODIFIER", "FEMININE", "MASCULINE"))
