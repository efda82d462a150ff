"""The article behind a mark -> HTML: the words that are cited, where they stand, and who published them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import date
from itertools import pairwise

from rag.corpus import Article
from rag.evidence import Citation
from rag.text import HEADING, Language, Span, blocks
from ui.render import interest_of, interested, origins, safe, unmarked
from ui.words import day, say

READER_CHARACTERS = 60_000
"""How much of an article the reader shows around the cited words."""


def hover_card(article: Article, span: Span, language: Language, today: str = "") -> str:
    """Show the exact words, a sentence of context on each side, and who published them when."""
    before = next((s for s in reversed(article.sentences) if s.end <= span.start), None)
    after = next((s for s in article.sentences if s.start >= span.end), None)
    quote = article.text[span.start : span.end]
    around = [unmarked(article.quote(s)) if s else "" for s in (before, after)]
    words = f"{around[0]} <mark>{unmarked(quote)}</mark> {around[1]}"
    return (
        f"{origins(article.sources_of(*span), language, today or date.today().isoformat())}"
        f"{_interest(article, span, language)}"
        f'<p class="context" lang="{article.language}">{words}</p>'
        f'<p class="article">{safe(article.title)}</p>'
    )


def reader(article: Article, span: Span, others: Sequence[Span], language: Language, today: str = "") -> str:
    """Show an article with the cited words highlighted, and the original publications behind them."""
    today = today or date.today().isoformat()
    sources = article.sources_of(*span)
    updated = f'<p class="updated">{say("updated", language, date=day(article.updated, language))}</p>'
    published = f"<h3>{say('original', language)}</h3>{origins(sources, language, today)}" if sources else ""
    published += _interest(article, span, language)
    doubt = f'<button type="button" class="doubt">{say("not_supporting", language)}</button>'
    return (
        f'<div class="origin">{published}{doubt}</div>'
        f'<article class="text" lang="{article.language}"><h2 tabindex="-1">{safe(article.title)}</h2>'
        f"{updated if article.updated else ''}{_body(article, span, others, language)}</article>"
    )


def whole_article(article: Article, asked: Sequence[str], language: Language) -> str:
    """Show an article from its beginning, with questions that it answers and all publications behind it."""
    buttons = "".join(f'<button type="button" class="ask">{safe(q)}</button>' for q in asked)
    offered = f'<div class="asks" lang="{language}"><h3>{say("asked_first", language)}</h3>{buttons}</div>'
    published = f"<h3>{say('original', language)}</h3>{origins(article.sources, language)}" if article.sources else ""
    updated = f'<p class="updated">{say("updated", language, date=day(article.updated, language))}</p>'
    return (
        f'<article class="text" lang="{article.language}"><h2 tabindex="-1">{safe(article.title)}</h2>'
        f"{updated if article.updated else ''}{offered if asked else ''}{_body(article, Span(0, 0), (), language)}"
        f'<div class="behind">{published}</div></article>'
    )


def _interest(article: Article, span: Span, language: Language) -> str:
    return interested(interest_of(Citation.of(article, *span)), language)


def _body(article: Article, span: Span, others: Sequence[Span], language: Language) -> str:
    low, high = 0, len(article.text)
    if high > READER_CHARACTERS:
        low = max(0, span.start - READER_CHARACTERS // 2)
        high = min(high, span.end + READER_CHARACTERS // 2)
    cut = f'<p class="cut">{say("cut", language)}</p>' if high - low < len(article.text) else ""
    pieces = []
    items = False
    for block in blocks(article.text[low:high]):
        tag, inside = _block(article.text, Span(low + block.start, low + block.end))
        if (tag == "li") != items:
            items = tag == "li"
            pieces.append("<ul>" if items else "</ul>")
        pieces.append(f"<{tag}>{_highlit(article.text, inside, span, others)}</{tag}>")
    return cut + "".join(pieces) + ("</ul>" if items else "")


_ITEM = re.compile(r"[ \t]*(?:[-*+•]|\d{1,3}[.)])[ \t]+")


def _block(text: str, block: Span) -> tuple[str, Span]:
    heading = HEADING.match(text, block.start, block.end)
    if heading:
        return "h3", Span(*heading.span("title"))
    item = _ITEM.match(text, block.start, block.end)
    return ("li", Span(item.end(), block.end)) if item else ("p", block)


def _highlit(text: str, block: Span, span: Span, others: Sequence[Span]) -> str:
    """Show one block of an article; the characters of a citation stay exactly those of the text."""
    edges = {min(max(edge, block.start), block.end) for cited in (block, span, *others) for edge in cited}
    pieces = []
    for start, end in pairwise(sorted(edges)):
        words = unmarked(text[start:end])
        if span.start <= start and end <= span.end:
            words = f'<mark class="hit">{words}</mark>'
        elif any(o.start <= start and end <= o.end for o in others):
            words = f'<mark class="also">{words}</mark>'
        pieces.append(words)
    return "".join(pieces)
