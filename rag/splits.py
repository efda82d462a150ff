"""Which documents are learnt from, which are fitted on, and which are only for measuring: never by question."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Literal, NamedTuple

from rag.corpus import Article

Part = Literal["train", "fit", "test"]
# Beside the golden questions of the shipped corpus: further ones with known answers to fit on, half of which have none,
# and pairs of a question that is answered and one that is not.
TUNING, NEAR_MISSES = "tuning.jsonl", "near-misses.jsonl"


def part(title: str) -> Part:
    """The use of a document, by the hash of its title.

    Seven tenths train the models, one tenth fits what decides with their scores (`rag.fit`), two tenths measure.
    The salt was taken because with it each of the sets in use has documents of all three kinds.
    """
    tenth = _hash(f"5:{title}") % 10
    return "test" if tenth < 2 else "fit" if tenth == 2 else "train"


def part_of_shipped(tags: Mapping[str, Any]) -> Part:
    """The use of a question of the shipped corpus: of the split `tune`, two articles in five are for fitting."""
    if tags.get("split") != "tune":
        return "test"
    return "fit" if _hash(str(tags["article"])) % 5 < 2 else "train"


class NearMiss(NamedTuple):
    """A sentence of the shipped corpus, a question that it answers, and one that it only seems to answer, and no other
    sentence does either: a contrast pair (Gardner et al. 2020, arXiv:2004.02709).
    """

    article: str
    quote: str
    answered: str
    missed: str

    @property
    def part(self) -> Part:
        """Its use: of four articles in five, in both languages, it trains; of the others it fits."""
        return "fit" if _hash(f"near miss:{self.article.partition('/')[2]}") % 5 == 0 else "train"


def near_misses(corpus: Path) -> Iterator[NearMiss]:
    """Those of a corpus; none where it has no such file."""
    file = corpus / NEAR_MISSES
    for line in read_lines(file) if file.is_file() else ():
        yield NearMiss(line["article"], line["quote"], line["answered"], line["missed"])


def _hash(text: str) -> int:
    return int(hashlib.sha256(text.encode()).hexdigest(), 16)


@dataclass(frozen=True)
class QuestionSet:
    """Questions with known answers on documents: a folder with `docs.jsonl` and `questions.jsonl`, or the corpus."""

    name: str
    documents: Path
    questions: Path
    folders: tuple[Path, ...] = ()  # all sets in use: where one holds the same article in another language

    @property
    def shipped(self) -> bool:
        """Whether it is the product's own."""
        return self.name == "shipped"

    def cases(self) -> Iterator[tuple[Part, dict[str, Any]]]:
        """Every question that stands alone, with its part."""
        for case in read_lines(self.questions):
            if case.get("history"):
                continue
            tags = case.get("tags") or {}
            yield part_of_shipped(tags) if self.shipped else part(self._title(case)), case
        tuning = self.documents / TUNING
        if self.shipped and tuning.is_file():
            yield from (("fit", case) for case in read_lines(tuning))

    def _title(self, case: Mapping[str, Any]) -> str:
        gold = (case.get("gold") or [{}])[0]
        tags = case.get("tags") or {}
        document = str(gold.get("doc_id") or tags.get("context_doc") or case["id"])
        own = self._titles.get(document) or document
        return self._same_article.get(own, own)

    @cached_property
    def _titles(self) -> dict[str, str]:
        return {d.get("doc_id") or d["id"]: d.get("title", "") for d in read_lines(self.documents)}

    @cached_property
    def _same_article(self) -> dict[str, str]:
        """Titles of this set -> English titles: XQuAD holds questions of the Spanish sets, by the same ids."""
        english: dict[str, str] = {}
        for folder in self.folders:
            title: dict[str, str] = {}
            for case in read_lines(folder / "questions.jsonl"):
                pair = (case.get("tags") or {}).get("pair")
                if pair and not title:
                    title = {d["doc_id"]: d["title"] for d in read_lines(folder / "docs.jsonl")}
                if pair:
                    english[pair] = title[case["gold"][0]["doc_id"]]
        return {
            self._titles[case["gold"][0]["doc_id"]]: english[case["id"]]
            for case in read_lines(self.questions)
            if case["id"] in english and case.get("gold")
        }


def question_sets(named: Mapping[str, Path], corpus: Path) -> list[QuestionSet]:
    """The shipped corpus first, then the sets named."""
    folders = tuple(named.values())
    return [
        QuestionSet("shipped", corpus, corpus / "questions.jsonl"),
        *(QuestionSet(n, f / "docs.jsonl", f / "questions.jsonl", folders) for n, f in named.items()),
    ]


def read_lines(file: Path) -> list[dict[str, Any]]:
    """Objects of a JSONL file."""
    return [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines() if line.strip()]


def gold_sentences(case: Mapping[str, Any], articles: Mapping[str, Article]) -> Iterator[tuple[Article, int]]:
    """The sentences in which the expected words begin."""
    for gold in case.get("gold") or []:
        article = articles.get(str(gold.get("doc") or gold.get("doc_id")))
        if article is None:
            continue
        quotes = strings(gold.get("quotes") or gold.get("quote") or [])
        starts = [gold["start"]] if gold.get("start") is not None else [article.text.find(q) for q in quotes]
        for start in starts:
            for number, sentence in enumerate(article.sentences):
                if sentence.start <= start < sentence.end and sentence.sources:
                    yield article, number


def strings(value: object) -> list[str]:
    """All the strings in nested lists."""
    if isinstance(value, str):
        return [value]
    return [text for part in value for text in strings(part)] if isinstance(value, list) else []
