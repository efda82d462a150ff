"""Questions drafted from the corpus, without a language model, for a person to reword."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Mapping, Sequence
from itertools import zip_longest

from rag.corpus import Article, Sentence
from rag.evaluate.cases import Case, Gold
from rag.text import HEADING, Language

# An amount as it stands: sign, figure, scale, percent. Years and small bare numbers (days) are left out.
_AMOUNT = re.compile(
    r"(?:(?:US|MX)?\$\s?)?\d+(?:[.,]\d+)*\s?(?:%|(?:mil(?:\s+millones)?|millones|thousand|million|billion|percent)\b)?"
)
_BARE = re.compile(r"(?:(?:19|20)\d{2}|\d{1,2})\Z")
_ASKS: Mapping[Language, tuple[str, str]] = {
    "en": ("Which figure is missing: “{}”?", "What is said about {} ({})?"),
    "es": ("¿Qué cifra falta: «{}»?", "¿Qué se dice sobre {} ({})?"),
}


def draft(articles: Sequence[Article], number: int) -> list[Case]:
    """Draft up to `number` cases, article by article in turn: figures left out, and headings asked about.

    Each has the sentence it was drafted from as its gold, and the tag `draft`. The same corpus gives the same
    drafts.
    """
    rounds = zip_longest(*(_of(article) for article in articles))
    cases = (case for turn in rounds for case in turn if case is not None)
    return [case for case, _ in zip(cases, range(number), strict=False)]


def _of(article: Article) -> Iterator[Case]:
    figures = [c for s in article.sentences if s.sources for c in _figure(article, s)]
    headings = [c for n, section in enumerate(article.sections) if section.heading for c in _heading(article, n)]
    for pair in zip_longest(figures, headings):
        yield from (case for case in pair if case is not None)


def _figure(article: Article, sentence: Sentence) -> Iterator[Case]:
    """Leave the first amount of a sentence out and ask for it."""
    quote = article.quote(sentence)
    for match in _AMOUNT.finditer(quote):
        amount = match[0].strip()
        if not _BARE.match(amount):
            gap = f"{quote[: match.start()]}___{quote[match.start() + len(amount) :]}"
            ask = _ASKS[article.language][0].format(gap)
            yield _case(article, ask, sentence, "figure", (amount,))
            return


def _heading(article: Article, number: int) -> Iterator[Case]:
    """Ask what a section says; its first sentence is expected."""
    first = next((s for s in article.sentences if s.section == number), None)
    if first is not None and not HEADING.match(article.quote(first)):
        ask = _ASKS[article.language][1].format(article.sections[number].heading, article.title)
        yield _case(article, ask, first, "heading", ())


def _case(article: Article, ask: str, sentence: Sentence, kind: str, answer: tuple[str, ...]) -> Case:
    return Case(
        id="draft-" + hashlib.sha256(f"{article.id}\0{ask}".encode()).hexdigest()[:10],
        question=ask,
        language=article.language,
        answerable=True,
        answer_groups=(answer,) if answer else (),
        gold=(Gold(article.id, article.quote(sentence), sentence.start, sentence.end),),
        tags={"kind": kind, "draft": "true", "article": article.id},
    )
