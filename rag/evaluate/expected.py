"""What is expected against what is said: groups of wordings, figures, and SQuAD's two scores.

Two ways of comparing words are kept apart. SQuAD's normalisation is copied to the letter, so that its figures
can be set beside published ones. Ours folds case and accents and reads figures (`160 thousand`, `160,000`,
`160 mil` are one token), in both languages.
"""

from __future__ import annotations

import re
import string
from collections import Counter
from collections.abc import Sequence
from decimal import Decimal
from functools import lru_cache

from rag.text import figure, fold

# --- our reading of words and figures -----------------------------------------------------------

_WORD = re.compile(r"\d+(?:[.,]\d+)*|%|[^\W\d_]+", re.UNICODE)
_SCALES = {
    "thousand": 3, "mil": 3, "k": 3, "million": 6, "millions": 6, "millon": 6, "millones": 6,
    "mdp": 6, "mdd": 6, "billion": 9, "billions": 9, "bn": 9, "trillion": 12, "trillions": 12,
}  # fmt: skip
_NUMBER_WORDS = {
    word: str(value)
    for value, names in {
        1: "one", 2: "two dos", 3: "three tres", 4: "four cuatro", 5: "five cinco", 6: "six seis",
        7: "seven siete", 8: "eight ocho", 9: "nine nueve", 10: "ten diez", 11: "eleven once",
        12: "twelve doce", 13: "thirteen trece", 14: "fourteen catorce", 15: "fifteen quince",
        16: "sixteen dieciseis", 17: "seventeen diecisiete", 18: "eighteen dieciocho",
        19: "nineteen diecinueve", 20: "twenty veinte", 30: "thirty treinta", 40: "forty cuarenta",
        50: "fifty cincuenta", 60: "sixty sesenta", 70: "seventy setenta", 80: "eighty ochenta",
        90: "ninety noventa", 100: "cien", 200: "doscientos doscientas", 300: "trescientos trescientas",
    }.items()
    for word in names.split()
}  # fmt: skip
_PERCENT = {("per", "cent"), ("por", "ciento")}


@lru_cache(maxsize=65_536)
def tokens(text: str) -> tuple[str, ...]:
    """Read a text as words without case and accents and figures in one way of writing.

    >>> tokens("México: 160 thousand jobs, 3.70 per cent")
    ('mexico', '160000', 'jobs', '3.7', '%')
    >>> tokens("1.4 mil millones") == tokens("1,400 millones") == tokens("1.4 billion")
    True
    """
    found: list[str] = []
    for match in _WORD.finditer(text):
        word = match[0]
        if word[0].isdecimal():
            found.append(figure(word))
            continue
        folded = fold(word)
        if found and folded in _SCALES and found[-1][0].isdecimal():
            found[-1] = _scaled(found[-1], _SCALES[folded])
        elif folded == "percent" or (found and (found[-1], folded) in _PERCENT):
            if folded != "percent":
                found.pop()
            found.append("%")
        elif folded == "hundred" and found and found[-1].isdecimal():
            found[-1] = _scaled(found[-1], 2)
        else:
            found.append(_NUMBER_WORDS.get(folded, folded))
    return tuple(found)


def says(text: str, wording: str) -> bool:
    """Tell whether a wording stands in a text as whole words, case and accents folded, figures read.

    >>> says("It pays US$160 thousand.", "160,000"), says("a party", "art")
    (True, False)
    """
    return _within(tokens(wording), tokens(text))


def groups_met(text: str, groups: Sequence[Sequence[str]]) -> float:
    """Share of groups of which the text says a member: `groups met / groups`."""
    return sum(any(says(text, member) for member in group) for group in groups) / len(groups)


def expected_figures(groups: Sequence[Sequence[str]]) -> list[set[str]]:
    """List, for each group with a member that holds figures, the figures of which one must be said."""
    found = [{t for member in group for t in tokens(member) if t[0].isdecimal()} for group in groups]
    return [figures for figures in found if figures]


def figures_met(text: str, groups: Sequence[Sequence[str]]) -> bool:
    """Tell whether, for each group that holds figures, the text gives one of them exactly.

    >>> figures_met("about 160 mil agentes", [["160,000"], ["agents"]])
    True
    """
    said = set(tokens(text))
    return all(figures & said for figures in expected_figures(groups))


def _scaled(number: str, power: int) -> str:
    return format(Decimal(number).scaleb(power).normalize(), "f")


def _within(needle: tuple[str, ...], hay: tuple[str, ...]) -> bool:
    if not needle:
        return False
    first, length = needle[0], len(needle)
    return any(word == first and hay[i : i + length] == needle for i, word in enumerate(hay))


# --- SQuAD --------------------------------------------------------------------------------------

_ENGLISH_ARTICLES = re.compile(r"\b(a|an|the)\b", re.UNICODE)
_SPANISH_ARTICLES = re.compile(r"\b(un|una|unos|unas|el|la|los|las)\b", re.UNICODE)
_PUNCTUATION = str.maketrans("", "", string.punctuation)


def squad_normal(text: str, language: str = "en") -> str:
    """Lower-case, drop ASCII punctuation, drop articles, join with single spaces.

    `normalize_answer` of the official script (https://rajpurkar.github.io/SQuAD-explorer/, evaluate-v2.0.py);
    for Spanish the articles of MLQA (https://github.com/facebookresearch/MLQA, mlqa_evaluation_v1.py).
    """
    articles = _SPANISH_ARTICLES if language == "es" else _ENGLISH_ARTICLES
    return " ".join(articles.sub(" ", text.lower().translate(_PUNCTUATION)).split())


def exact_match(said: str, references: Sequence[str], language: str = "en") -> float:
    """Give 1 when the normalised answer equals a normalised reference, else 0 (SQuAD's `compute_exact`).

    >>> exact_match("The Eiffel Tower!", ["eiffel tower"])
    1.0
    """
    normal = squad_normal(said, language)
    return float(any(normal == reference for reference in _squad_references(references, language)))


def token_f1(said: str, references: Sequence[str], language: str = "en") -> float:
    """Give the largest F1 of the answer's words with a reference's (SQuAD's `compute_f1`).

    `2PR/(P+R)`, P and R the shares of words in common, with multiplicity; without words on either side,
    1 when both have none, else 0.

    >>> round(token_f1("the cat sat", ["a cat sat down"]), 4)
    0.8
    """
    words = squad_normal(said, language).split()
    return max(_f1(words, reference.split()) for reference in _squad_references(references, language))


def token_recall(said: str, references: Sequence[str], language: str = "en") -> float:
    """Give the largest share of a reference's words that the answer says, with multiplicity.

    For an answer in whole sentences this says more than F1, which the sentence's other words lower.
    """
    words = Counter(squad_normal(said, language).split())
    best = 0.0
    for reference in references:
        wanted = squad_normal(reference, language).split()
        if wanted:
            best = max(best, (Counter(wanted) & words).total() / len(wanted))
    return best


def _squad_references(references: Sequence[str], language: str) -> list[str]:
    """Normalise references; one of which nothing is left does not count; without any, silence is right."""
    return [normal for r in references if (normal := squad_normal(r, language))] or [""]


def _f1(said: list[str], reference: list[str]) -> float:
    if not said or not reference:
        return float(said == reference)
    common = (Counter(said) & Counter(reference)).total()
    if not common:
        return 0.0
    precision, recall = common / len(said), common / len(reference)
    return 2 * precision * recall / (precision + recall)
