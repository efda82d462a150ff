"""Cases that can no longer be right: malformed, doubled, or expecting what the corpus does not say."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from rag.corpus import Article, Corpus, Problem
from rag.evaluate import expected
from rag.evaluate.cases import Case, Gold, inspect_cases
from rag.evaluate.grounds import locate
from rag.text import words

_CLOSEST = 0.5  # share of a quote's words from which a sentence is named as what it may have become


def lint(file: Path, corpus: Corpus) -> list[Problem]:
    """List what is wrong with a file of cases, held against a corpus, by line."""
    read = inspect_cases(file)
    articles = {a.id: a for a in corpus.articles}
    problems = list(read.problems)
    problems += [Problem(str(file), 0, f"nothing reads the field {name!r}") for name in read.unknown]
    seen: dict[tuple[object, ...], int] = {}
    for case in read.cases:
        key = (case.spoken, *words(case.question), *(m.content for m in case.history))
        if key in seen:
            problems.append(Problem(str(file), case.line, f"the question of line {seen[key]} again"))
        seen.setdefault(key, case.line)
        problems += [Problem(str(file), case.line, message) for message in _wrong(case, articles)]
    return sorted(problems, key=lambda p: p.line)


def _wrong(case: Case, articles: dict[str, Article]) -> Iterator[str]:
    if case.answerable is False and (case.answers or case.answer_groups):
        yield "is not answerable and names answers"
    if case.answerable and not (case.answers or case.answer_groups or case.gold):
        yield "is answerable and names neither answers nor gold: it cannot be judged"
    quotes = []
    for gold in case.gold:
        found = _stands(gold, articles)
        if isinstance(found, str):
            yield found
        else:
            quotes.append(articles[gold.doc].text[found[0] : found[1]])
    if case.answerable is not False and quotes and all(quotes) and len(quotes) == len(case.gold):
        said = " ".join(quotes)
        for group in case.answer_groups:
            if not any(expected.says(said, member) for member in group):
                yield f"no expected sentence says {' or '.join(map(repr, group))}"


def _stands(gold: Gold, articles: dict[str, Article]) -> tuple[int, int] | str:
    """Find the characters of gold (none where it names an article only), or say why there are none."""
    article = articles.get(gold.doc)
    if article is None:
        return f"article {gold.doc!r} is not in the corpus"
    if gold.end > len(article.text):
        length = len(article.text)
        return f"range {gold.start}:{gold.end} is outside article {gold.doc!r} of {length} characters"
    if not gold.quote and gold.start < 0:
        return 0, 0
    lost = f"the expected sentence no longer stands in {gold.doc!r}: {gold.quote!r}"
    return locate(gold, article.text) or lost + _closest(gold.quote, article)


def _closest(quote: str, article: Article) -> str:
    """Name the sentence that shares most words with a quote, if it shares enough."""
    wanted = set(words(quote))
    shares = [
        (len(wanted & set(words(article.quote(s)))) / len(wanted | set(words(article.quote(s)))), s.start, s)
        for s in article.sentences
    ]
    share, start, sentence = max(shares, default=(0.0, 0, None))
    if sentence is None or share < _CLOSEST:
        return ""
    return f"; closest, at {start}: {article.quote(sentence)!r}"
