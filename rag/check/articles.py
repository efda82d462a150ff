"""The articles: front matter, sources, figures, years, links, the two languages, sentences told twice."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from itertools import zip_longest
from pathlib import Path
from typing import NamedTuple

from rag.check.prose import has_year, is_gap, measures, related, states, states_figure
from rag.corpus import Article, Problem, Sentence, Source
from rag.language import detect
from rag.text import LANGUAGES, figures, fold, words

FRONT = ("title", "language", "summary", "topic", "places", "updated")
TOPICS = (
    "size", "operators", "cities", "pay", "cost", "talent", "conditions", "services", "quality", "law", "tax",
    "data", "calls", "trade", "competitors", "technology", "history", "infrastructure", "risk", "guide",
)  # fmt: skip
SLUG = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)*\Z")
# Two sentences that share this part of their words, all their figures and names, tell one fact alike.
SAME_WORDS = 0.8
_FEWEST_WORDS = 6


def check_articles(folder: Path, articles: Mapping[str, Article], sources: Mapping[str, Source]) -> Iterator[Problem]:
    """Check all that can be said of the articles without the tables beside them."""
    for article in articles.values():
        yield from _front_matter(article)
        yield from _sentences(article)
        yield from _links(article, articles)
    yield from _languages(folder, articles)
    yield from _unused(folder / "references.yaml", articles, sources)
    for language in LANGUAGES:
        yield from _told_twice([a for a in articles.values() if a.language == language])


def line_of(article: Article, position: int) -> int:
    """Find the line of its file on which a character of an article stands."""
    content = Path(article.file).read_text(encoding="utf-8-sig")
    before = content.count("\n") - article.text.count("\n")
    return before + article.text.count("\n", 0, position) + 1


def at(article: Article, sentence: Sentence, message: str) -> Problem:
    """Name a problem with a sentence of an article."""
    return Problem(article.file, line_of(article, sentence.start), message)


def short(text: str) -> str:
    """Quote the beginning of a sentence, enough to find it on its line."""
    return repr(text if len(text) <= 70 else text[:69].rstrip() + "…")


def _front_matter(article: Article) -> Iterator[Problem]:
    lines = Path(article.file).read_text(encoding="utf-8-sig").split("\n")
    end = next(i for i, line in enumerate(lines[1:], 1) if line.startswith("---"))
    for number, line in enumerate(lines[1:end], 2):
        key = re.match(r"([\w-]+):", line)
        if key and key[1] not in FRONT:
            yield Problem(article.file, number, f"front matter: unknown {key[1]!r}: there are {', '.join(FRONT)}")
    if article.topic not in TOPICS:
        yield Problem(article.file, 1, f"front matter: topic {article.topic!r} is none of {', '.join(TOPICS)}")
    if not article.places or not all(SLUG.match(p) for p in article.places):
        yield Problem(article.file, 1, "front matter: expected `places: [mexico]` or slugs of places")
    if not re.match(r"\d{4}-\d{2}-\d{2}\Z", article.updated):
        yield Problem(article.file, 1, f"front matter: updated {article.updated!r}: expected YYYY-MM-DD")
    if article.id.split("/")[0] != article.language:
        yield Problem(article.file, 1, f"language {article.language!r}, but it lies in {article.id.split('/')[0]}/")
    elif detect(article.text) != article.language:
        yield Problem(article.file, 1, f"language {article.language!r}, but it reads as {detect(article.text)!r}")


def _sentences(article: Article) -> Iterator[Problem]:
    for sentence in states(article):
        quote = article.quote(sentence)
        if not sentence.sources and not is_gap(article, sentence) and states_figure(quote):
            yield at(article, sentence, f"a figure or a year without a source: {short(quote)}")
        if measures(quote) and not has_year(quote):
            yield at(article, sentence, f"a figure without its year (or `undated`, `sin fecha`): {short(quote)}")


_LINK = re.compile(r"\[(?P<label>[^\]\n]*)\]\((?P<target>[^)\s]*)\)")


def _links(article: Article, articles: Mapping[str, Article]) -> Iterator[Problem]:
    for link in _LINK.finditer(article.text):
        target = link["target"].split("#")[0]
        line = line_of(article, link.start())
        other = articles.get(f"{article.language}/{target.removesuffix('.md')}")
        if "://" in target:
            yield Problem(article.file, line, f"link to {target}: an address belongs into references.yaml")
        elif not target.endswith(".md") or other is None:
            yield Problem(article.file, line, f"link to {target!r}: no such article in {article.language}/")
        elif link["label"] != other.title:
            yield Problem(article.file, line, f"link reads {link['label']!r}, the article is {other.title!r}")


def _languages(folder: Path, articles: Mapping[str, Article]) -> Iterator[Problem]:
    first, *others = LANGUAGES
    slugs = {i.split("/", 1)[1] for i in articles}
    for slug in sorted(slugs):
        original = articles.get(f"{first}/{slug}")
        for language in others:
            other = articles.get(f"{language}/{slug}")
            if original and other:
                yield from _differences(original, other)
            else:
                missing, there = (language, original) if original else (first, other)
                if there and not (folder / "articles" / missing / f"{slug}.md").exists():
                    yield Problem(there.file, 0, f"there is no articles/{missing}/{slug}.md")


def _differences(one: Article, two: Article) -> Iterator[Problem]:
    """Find what the second language says otherwise than the first."""
    where = one.id
    for name in ("topic", "places", "updated"):
        if getattr(one, name) != getattr(two, name):
            yield Problem(two.file, 1, f"`{name}` differs from {where}")
    if len(one.sections) != len(two.sections):
        yield Problem(two.file, 0, f"{len(two.sections) - 1} headings, {len(one.sections) - 1} in {where}")
        return
    for section in sorted(set(range(len(one.sections))) - related(one)):
        mine = [s for s in one.sentences if s.section == section]
        theirs = [s for s in two.sentences if s.section == section]
        for a, b in zip_longest(mine, theirs):
            if a is None or b is None:
                counts = f"{len(theirs)} sentences under {two.sections[section].heading!r}, {len(mine)} in {where}"
                yield Problem(two.file, line_of(two, two.sections[section].start), counts)
                break
            left, right = figures(one.quote(a)), figures(two.quote(b))
            if sorted(a.sources) != sorted(b.sources):
                yield at(
                    two,
                    b,
                    f"sources differ from line {line_of(one, a.start)} of {where}: {short(two.quote(b))}",
                )
            if left != right:
                apart = ", ".join(sorted(left ^ right))
                yield at(two, b, f"figures differ from line {line_of(one, a.start)} of {where}: {apart}")
    links = [[m["target"] for m in _LINK.finditer(a.text)] for a in (one, two)]
    if links[0] != links[1]:
        yield Problem(two.file, 0, f"links differ from {where}: {', '.join(sorted(set(links[0]) ^ set(links[1])))}")


def _unused(file: Path, articles: Mapping[str, Article], sources: Mapping[str, Source]) -> Iterator[Problem]:
    used = {s.id for a in articles.values() for s in a.sources}
    lines = file.read_text(encoding="utf-8-sig").split("\n")
    line = {m[1].strip("'\""): n for n, text in enumerate(lines, 1) if (m := re.match(r"\s*- id:\s*(\S+)", text))}
    addresses: dict[str, str] = {}
    for key, source in sources.items():
        if key not in used:
            yield Problem(str(file), line.get(key, 0), f"source {key!r} stands behind no sentence")
        if not source.issued and "undated" not in source.note:
            yield Problem(str(file), line.get(key, 0), f"source {key!r} has no `issued`: its note must say `undated`")
        if bool(source.note) != bool(source.note_es):
            yield Problem(str(file), line.get(key, 0), f"source {key!r}: its note must stand in `note` and `note-es`")
        known = addresses.setdefault(source.url, key)
        if known != key:
            yield Problem(str(file), line.get(key, 0), f"source {key!r} has the address of {known!r}")


class _Told(NamedTuple):
    """What a sentence says, for comparing: its words, figures and names."""

    article: Article
    sentence: Sentence
    words: frozenset[str]
    figures: frozenset[str]
    names: frozenset[str]

    def repeats(self, other: _Told) -> bool:
        """Whether it says the same of the same, in nearly the same words."""
        shared, either = len(self.words & other.words), len(self.words | other.words)
        same_names = self.names <= other.words and other.names <= self.words
        return self.figures == other.figures and same_names and shared >= SAME_WORDS * either


_NAME = re.compile(r"\b[^\W\d_a-záéíóúüñ][^\W\d_]{3,}")


def _told_twice(articles: list[Article]) -> Iterator[Problem]:
    """Find sentences that tell one fact in nearly the same words, within one language.

    Candidates share one of the rarest words of each (prefix filtering), so that thousands take a second.
    """
    told = []
    for article in articles:
        for sentence in states(article):
            quote = article.quote(sentence)
            names = frozenset(fold(n) for n in _NAME.findall(quote))
            entry = _Told(article, sentence, frozenset(words(quote)), frozenset(figures(quote)), names)
            if len(entry.words) >= _FEWEST_WORDS:
                told.append(entry)
    common = Counter(word for entry in told for word in entry.words)
    seen: dict[str, list[_Told]] = defaultdict(list)
    for entry in told:
        most = len(entry.words) - int(SAME_WORDS * len(entry.words)) + 1
        rarest = sorted(entry.words, key=lambda w: (common[w], w))[:most]
        earlier = next((e for word in rarest for e in seen[word] if entry.repeats(e)), None)
        if earlier:
            place = f"line {line_of(earlier.article, earlier.sentence.start)} of {earlier.article.id}"
            quote = short(entry.article.quote(entry.sentence))
            yield at(entry.article, entry.sentence, f"nearly the words of {place}: {quote}")
        for word in rarest:
            seen[word].append(entry)
