"""The golden questions: each against the sentences that answer it, its pair, and its split."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from rag.check.articles import short
from rag.corpus import Article, Problem
from rag.evaluate.expected import says
from rag.text import LANGUAGES

SPLITS = ("tune", "test")


def check_questions(file: Path, articles: Mapping[str, Article]) -> Iterator[Problem]:
    """Hold each question against the sentences that answer it, its pair and its split."""
    if not file.is_file():
        yield Problem(str(file), 0, "not there")
        return
    cases: list[tuple[int, dict[str, Any]]] = []
    for found in objects(file):
        if isinstance(found, Problem):
            yield found
        elif isinstance(found[1].get("tags"), dict):
            cases.append(found)
        else:
            yield Problem(str(file), found[0], "expected an object with `id`, `question`, `language` and `tags`")
    for number, case in cases:
        yield from (Problem(str(file), number, m) for m in [*_case(case, articles), *_tags(case, articles)])
        if case.get("answerable"):
            yield from (Problem(str(file), number, m) for m in _gold(case, articles))
    yield from _together(file, cases)
    yield from _sides(file, cases, articles)


def objects(file: Path) -> Iterator[tuple[int, dict[str, Any]] | Problem]:
    """The objects of a JSONL file with the numbers of their lines, and what is none."""
    for number, line in enumerate(file.read_text(encoding="utf-8-sig").split("\n"), 1):
        if not line.strip():
            continue
        try:
            found = json.loads(line)
        except json.JSONDecodeError as error:
            yield Problem(str(file), number, f"not JSON: {error.msg} at column {error.colno}")
            continue
        yield (number, found) if isinstance(found, dict) else Problem(str(file), number, "expected an object")


def _case(case: dict[str, Any], articles: Mapping[str, Article]) -> Iterator[str]:
    if not str(case.get("id") or "").strip() or not str(case.get("question") or "").strip():
        yield "expected an `id` and a `question`"
    if case.get("language") not in LANGUAGES:
        yield f"language {case.get('language')!r} is none of {', '.join(LANGUAGES)}"
    if not isinstance(case.get("answerable"), bool):
        yield "expected `answerable`: true or false"
    if not case.get("answerable") and (case.get("gold") or case.get("answer_groups")):
        yield "not answerable, but with `gold` or `answer_groups`"
    if case.get("nearest") and case["nearest"].get("doc") not in articles:
        yield f"nearest {case['nearest'].get('doc')!r}: no such article"
    for turn in case.get("history") or []:
        if turn.get("role") not in ("user", "assistant") or not str(turn.get("content") or "").strip():
            yield "history: expected turns with `role` (user or assistant) and `content`"


def _tags(case: dict[str, Any], articles: Mapping[str, Article]) -> Iterator[str]:
    tags = case["tags"]
    for name in ("kind", "topic", "article", "pair", "split"):
        if not str(tags.get(name) or "").strip():
            yield f"expected a tag {name!r}"
    if tags.get("split") not in SPLITS:
        yield f"split {tags.get('split')!r} is none of {', '.join(SPLITS)}"
    article = articles.get(f"{case.get('language')}/{tags.get('article')}")
    if article is None:
        yield f"tag article {tags.get('article')!r}: no such article"
    elif article.topic != tags.get("topic"):
        yield f"tag topic {tags.get('topic')!r}, but {article.id} is of topic {article.topic!r}"


def _gold(case: dict[str, Any], articles: Mapping[str, Article]) -> Iterator[str]:
    if not case.get("gold") or not case.get("answer_groups"):
        yield "answerable, but without `gold` or `answer_groups`"
    quotes = []
    for gold in case.get("gold") or []:
        quote = str(gold.get("quote") or "")
        quotes.append(quote)
        article = articles.get(str(gold.get("doc")))
        if article is None:
            yield f"gold {gold.get('doc')!r}: no such article"
        elif not any(article.quote(s) == quote for s in article.sentences):
            yield f"gold is no sentence of {article.id}: {short(quote)}"
        elif article.text[gold.get("start", 0) : gold.get("end", 0)] != quote:
            yield f"gold offsets {gold.get('start')}-{gold.get('end')} of {article.id} are not {short(quote)}"
        elif article.language != case.get("language"):
            yield f"gold in {article.id} for a question in {case.get('language')!r}"
    said = " ".join(quotes)
    for group in case.get("answer_groups") or []:
        if not any(says(said, str(member)) for member in group):
            yield f"no member of {group} is in the gold"


def _together(file: Path, cases: list[tuple[int, dict[str, Any]]]) -> Iterator[Problem]:
    """Hold that ids are unique and a pair is one question in each language, alike in everything else."""
    first: dict[str, int] = {}
    pairs: dict[str, list[tuple[int, dict[str, Any]]]] = defaultdict(list)
    for number, case in cases:
        if first.setdefault(str(case.get("id")), number) != number:
            yield Problem(str(file), number, f"id {case.get('id')!r} is that of line {first[str(case.get('id'))]}")
        pairs[str(case["tags"].get("pair"))].append((number, case))
    for name, members in pairs.items():
        number = members[0][0]
        if sorted(str(c.get("language")) for _, c in members) != sorted(LANGUAGES):
            yield Problem(str(file), number, f"pair {name!r}: expected one question in each of {', '.join(LANGUAGES)}")
            continue
        one, two = (c for _, c in members)
        alike = [(c.get("answerable"), c["tags"].get("kind"), c["tags"].get("article"), _docs(c)) for c in (one, two)]
        if alike[0] != alike[1]:
            yield Problem(str(file), number, f"pair {name!r}: its languages differ in answerable, kind or gold")


def _docs(case: dict[str, Any]) -> list[str]:
    return sorted(str(g.get("doc")).split("/", 1)[-1] for g in case.get("gold") or [])


def _sides(file: Path, cases: list[tuple[int, dict[str, Any]]], articles: Mapping[str, Article]) -> Iterator[Problem]:
    """Hold the rule of the split: see the package."""
    side: dict[str, str] = {}
    for number, case in cases:
        name, split = str(case["tags"].get("article")), str(case["tags"].get("split"))
        if side.setdefault(name, split) != split:
            yield Problem(str(file), number, f"split {split!r}, but other questions of {name!r} are {side[name]!r}")
    counts: dict[str, list[int]] = defaultdict(lambda: [0, 0])
    for name, split in side.items():
        article = articles.get(f"{LANGUAGES[0]}/{name}")
        if article and split in SPLITS:
            counts[article.topic][SPLITS.index(split)] += 1
    for topic, (tune, test) in sorted(counts.items()):
        if abs(tune - test) > 1:
            yield Problem(str(file), 0, f"topic {topic!r}: {tune} articles tune, {test} test: expected as many")
