"""The library: what the answers come from. Its articles, the publications behind them, and what they cover."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from urllib.parse import quote as percent
from urllib.parse import urlencode

from rag.chat import Chatbot
from rag.check.prose import is_gap, states
from rag.corpus import KINDS as ALL_KINDS
from rag.corpus import Article, Source
from rag.text import HEADING, Language
from rag.text import blocks as blocks_of
from ui.render import address_of, origins, safe, unmarked
from ui.words import TOPICS, count, day, kind_name, place_name, say

SHELVES = ("articles", "publications", "coverage")
FOUND = 20
OFFERED = 4
LONGEST_LIST = 2000


def show(bot: Chatbot, query: Mapping[str, str], language: Language) -> str:
    """Show a shelf of the library, or what a search of its articles finds."""
    shelf = query.get("show", SHELVES[0])
    wanted = query.get("q", "").strip()
    tabs = "".join(
        f'<a href="#view/library?show={name}"{_current(not wanted and name == shelf)}>{say(name, language)}</a>'
        for name in SHELVES
    )
    search = (
        f'<form class="view-form search" role="search"><input type="search" name="q" value="{safe(wanted)}" '
        f'maxlength="4000" aria-label="{say("pages_search", language)}" placeholder="{say("pages_search", language)}">'
        f"<button>{say('search', language)}</button></form>"
    )
    if wanted:
        body = _found(bot, wanted, language)
    else:
        body = {"publications": _publications, "coverage": _coverage}.get(shelf, _articles)(bot, query, language)
    sources = {s.id for a in bot.articles.values() for s in a.sources}
    lead = say(
        "library_lead",
        language,
        articles=count("article_count", len(bot.articles), language),
        publications=count("publication_count", len(sources), language),
    )
    return (
        f'<div class="library"><h2 tabindex="-1">{say("view_library", language)}</h2><p class="lead">{lead}</p>{search}'
        f'<nav class="tabs" aria-label="{say("view_library", language)}">{tabs}</nav>{body}</div>'
    )


def _current(holds: bool) -> str:  # noqa: FBT001 - one fact about one link
    return ' aria-current="page"' if holds else ""


def _opener(article: Article) -> str:
    return f'<a class="read" href="#read/{percent(article.id, safe="")}">{safe(article.title)}</a>'


# --- the shelves -----------------------------------------------------------------------------------


def _articles(bot: Chatbot, _: Mapping[str, str], language: Language) -> str:
    """The articles by topic; where a corpus has both languages, those of the reader's."""
    own = [a for a in bot.articles.values() if a.language == language]
    chosen = own if own and len(own) * 2 >= len(bot.articles) else list(bot.articles.values())
    by_topic: dict[str, list[Article]] = defaultdict(list)
    for article in chosen[:LONGEST_LIST]:
        by_topic[article.topic].append(article)
    order = [*TOPICS[language], *sorted(set(by_topic) - set(TOPICS[language]))]
    return "".join(
        f"<section><h3>{safe(TOPICS[language].get(topic, topic)) or say('articles', language)}</h3>"
        f'<ul class="shelf">{"".join(_article(a, language) for a in by_topic[topic])}</ul></section>'
        for topic in order
        if by_topic[topic]
    )


def _article(article: Article, language: Language) -> str:
    facts = [count("publication_count", len(article.sources), language)]
    newest = max((s.issued for s in article.sources), default="")
    if newest:
        facts.append(say("newest", language, date=day(newest[:7], language)))
    summary = f"<p>{safe(article.summary)}</p>" if article.summary else ""
    return (
        f'<li lang="{article.language}"><h4>{_opener(article)}</h4>{summary}'
        f'<p class="quiet" lang="{language}">{" · ".join(facts)}</p></li>'
    )


def _publications(bot: Chatbot, query: Mapping[str, str], language: Language) -> str:
    """Every original publication, newest first, of one kind if one is chosen."""
    kind = query.get("kind", "")
    found = {s.id: s for a in bot.articles.values() for s in a.sources}
    there = Counter(s.kind for s in found.values())
    links = "".join(
        f'<a href="#view/library?{urlencode({"show": "publications", "kind": k})}"{_current(k == kind)}>'
        f"{kind_name(k, language) if k else say('all_kinds', language)} "
        f"<span>{there[k] if k else len(found)}</span></a>"
        for k in ("", *ALL_KINDS)
        if not k or there[k]
    )
    chosen = sorted((s for s in found.values() if kind in ("", s.kind)), key=lambda s: (s.issued, s.id), reverse=True)
    rows = "".join(f"<li>{origins([s], language)}</li>" for s in chosen[:LONGEST_LIST])
    return f'<nav class="kinds" aria-label="{say("interest", language)}">{links}</nav><ul class="shelf">{rows}</ul>'


def _coverage(bot: Chatbot, _: Mapping[str, str], language: Language) -> str:
    """What there is of each topic and place, by number of articles, sentences and publications, and how new."""
    own = [a for a in bot.articles.values() if a.language == language] or list(bot.articles.values())
    parts = []
    for key, heading, names in (
        ("topics", "topic", {a.topic for a in own if a.topic}),
        ("places", "place", {p for a in own for p in a.places}),
    ):
        rows = [
            _row(_name(name, language), [a for a in own if name == a.topic or name in a.places], language)
            for name in names
        ]
        if rows:
            parts.append(f"<h3>{say(key, language)}</h3>{_table(heading, sorted(rows, reverse=True), language)}")
    years = Counter(s.issued[:4] for s in {s.id: s for a in own for s in a.sources}.values() if s.issued)
    if years:
        parts.append(f"<h3>{say('publications', language)}</h3>{_years(years, language)}")
    stated = [(a, s) for a in own for s in states(a) if is_gap(a, s)]
    gaps = "".join(
        f'<li lang="{a.language}">{unmarked(a.quote(s))} '
        f'<a class="quiet" href="{address_of(a, s.start, s.end)}">{safe(a.title)}</a></li>'
        for a, s in stated[:LONGEST_LIST]
    )
    if gaps:
        parts.append(f'<h3>{say("gaps", language)}</h3><ul class="shelf">{gaps}</ul>')
    return "".join(parts)


def _name(name: str, language: Language) -> str:
    return TOPICS[language].get(name) or place_name(name, language)


def _row(name: str, articles: Sequence[Article], language: Language) -> tuple[int, str, str]:
    sources: dict[str, Source] = {s.id: s for a in articles for s in a.sources}
    newest = max((s.issued for s in sources.values()), default="")
    sentences = sum(len(a.sentences) for a in articles)
    cells = (f"{len(articles):,}", f"{sentences:,}", f"{len(sources):,}", safe(day(newest[:7], language)))
    return sentences, name, "".join(f"<td>{cell}</td>" for cell in cells)


def _table(heading: str, rows: Iterable[tuple[int, str, str]], language: Language) -> str:
    heads = "".join(
        f'<th scope="col">{say(key, language)}</th>'
        for key in (heading, "articles", "sentences", "publications", "thin_newest")
    )
    body = "".join(f'<tr><th scope="row">{safe(name)}</th>{cells}</tr>' for _, name, cells in rows)
    return (
        f'<div class="wide" tabindex="0" role="region" aria-label="{say(heading, language)}">'
        f"<table><thead><tr>{heads}</tr></thead><tbody>{body}</tbody></table></div>"
    )


def _years(years: Mapping[str, int], language: Language) -> str:
    most = max(years.values())
    bars = "".join(
        f'<li><span>{safe(year)}</span><span class="gauge" style="width:{100 * n / most:.1f}%"></span>'
        f"<span>{n}</span></li>"
        for year, n in sorted(years.items(), reverse=True)
    )
    return f'<ul class="years" aria-label="{say("year", language)}">{bars}</ul>'


# --- finding and asking ----------------------------------------------------------------------------


def _found(bot: Chatbot, wanted: str, language: Language) -> str:
    rows = []
    for hit in bot.search(wanted, FOUND):
        metadata = hit.passage.metadata
        article = bot.article(metadata["article"])
        start, end = metadata["start"], metadata["end"]
        if article is None or not article.sources_of(start, end):  # such as a list of related articles
            continue
        where = address_of(article, start, end)
        heading = f" · {safe(metadata['heading'])}" if metadata["heading"] else ""
        rows.append(
            f'<li lang="{article.language}"><h4><a class="read" href="{where}">{safe(article.title)}{heading}</a></h4>'
            f"<blockquote>{unmarked(_without_heading(article.text[start:end]))}</blockquote></li>"
        )
    return f'<ul class="shelf found">{"".join(rows)}</ul>' if rows else f"<p>{say('nothing_found', language)}</p>"


def _without_heading(passage: str) -> str:
    """A passage without the heading that it may begin with, which is shown above it."""
    heading = HEADING.match(passage.lstrip())
    return (passage.lstrip()[heading.end() :] if heading else passage).strip()


def questions(bot: Chatbot, article: Article) -> tuple[str, ...]:
    """Questions about an article that it answers: those its own headings ask."""
    return _questions(bot, bot.version, article.id)


@lru_cache(maxsize=1024)
def _questions(bot: Chatbot, version: str, identity: str) -> tuple[str, ...]:  # noqa: ARG001 - part of the key
    article = bot.article(identity)
    offered: list[str] = []
    for heading in _headings(article) if article else ():
        answer = bot.ask(heading, language=article.language if article else None)
        if any(c.article == identity for c in answer.citations):
            offered.append(heading)
        if len(offered) == OFFERED:
            break
    return tuple(offered)


def _headings(article: Article) -> Iterator[str]:
    for block in blocks_of(article.text):
        heading = HEADING.match(article.text, block.start, block.end)
        if heading and heading["title"].strip().endswith("?"):
            yield heading["title"].strip()
