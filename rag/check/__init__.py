"""`bpo ingest --check`: is the corpus in step with itself? Every problem names its file and line.

What is checked, and where: the articles and their two languages (`articles`), the figures and terms
beside them (`tables`), the golden `questions`, the questions that are `anticipated`; what a sentence must
carry (`prose`). Apart from these, words taken over from an original (`copies`).

How the questions are split: by article, never by question. Within each topic the articles, in the order of
their names, take turns `tune` and `test`; the turn goes on from one topic (in the order of their names) to
the next. A pair's two languages stay together. An article keeps its side for ever; a new one takes the side
of which its topic has fewer. Nothing is tuned on `test`. Held here: one side per article, and within a topic
the two sides differ by one article at most.
"""

from __future__ import annotations

from pathlib import Path

from rag.anticipated import FILE as ANTICIPATED
from rag.check.anticipated import check_anticipated
from rag.check.articles import check_articles
from rag.check.copies import copied_runs
from rag.check.learning import check_learning
from rag.check.questions import check_questions
from rag.check.tables import check_figures, check_glossary
from rag.corpus import CorpusError, Problem, is_corpus_folder, read_corpus, read_references

__all__ = ["check", "copied_runs"]


def check(corpus_folder: Path) -> list[Problem]:
    """Find everything that is wrong with a corpus folder, in the order of its files; nothing when clean."""
    if not is_corpus_folder(corpus_folder):
        expected = "expected a corpus folder: `references.yaml` beside `articles/`"
        return [Problem(str(corpus_folder), 0, expected)]
    try:
        sources = read_references(corpus_folder / "references.yaml")
    except CorpusError as error:
        return [error.problem]
    corpus = read_corpus([corpus_folder])
    articles = {a.id: a for a in corpus.articles}
    problems = [
        *corpus.problems,
        *check_articles(corpus_folder, articles, sources),
        *check_figures(corpus_folder / "figures.csv", articles),
        *check_questions(corpus_folder / "questions.jsonl", articles),
        *check_anticipated(corpus_folder / ANTICIPATED, articles),
        *check_learning(corpus_folder, articles),
        *check_glossary(corpus_folder / "glossary.csv"),
    ]
    return sorted(problems, key=lambda p: (p.file, p.line))
