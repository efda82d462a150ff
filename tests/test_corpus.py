"""Reading articles: what is accepted, and which line is named when it is not."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rag.corpus import Article, Corpus, Source, read_corpus
from rag.passages import place, split

REFERENCES = """references:
- id: imt-2022
  publisher: IMT
  title: Size of the sector
  issued: "2022-06"
  URL: https://imt.example/size
  kind: association
- id: inegi
  publisher: INEGI
  title: DENUE
  issued: {date-parts: [[2019, 9, 10]]}
  URL: https://inegi.example
  kind: statistics
"""
FRONT = "---\ntitle: Size\nlanguage: en\nsummary: How big.\nupdated: 2026-11-22\n---\n"


def folder(top: Path, body: str, *, references: str = REFERENCES, front: str = FRONT) -> Path:
    (top / "articles" / "en").mkdir(parents=True)
    (top / "references.yaml").write_text(references, encoding="utf-8")
    (top / "articles" / "en" / "size.md").write_text(front + body, encoding="utf-8")
    return top


def test_citation_marks_leave_the_text_and_name_the_sources_of_their_sentence(tmp_path: Path) -> None:
    body = "\nJobs were 780,000 in 2022 [@imt-2022]. Both agree [@imt-2022; @inegi].\n\n## More\n\nNo fact here.\n"
    corpus = read_corpus([folder(tmp_path, body)])
    assert corpus.problems == ()
    (article,) = corpus.articles
    assert article.id == "en/size"
    assert "[@" not in article.text
    assert [article.quote(s) for s in article.sentences] == [
        "Jobs were 780,000 in 2022.", "Both agree.", "No fact here.",
    ]  # fmt: skip
    assert [s.sources for s in article.sentences] == [("imt-2022",), ("imt-2022", "inegi"), ()]
    assert {s.id: s.issued for s in article.sources} == {"imt-2022": "2022-06", "inegi": "2019-09-10"}
    assert [s.heading for s in article.sections] == ["", "More"]


@pytest.mark.parametrize(
    ("body", "line", "words"),
    [
        ("\nA fact [@nobody].\n", 8, "'nobody' is not in references.yaml"),
        ("\nOne.\n\nA fact [imt-2022; @].\n\nB [@imt-2022; inegi].\n", 12, "expected [@key]"),
        ("\nA fact [@imt-2022\nand more].\n", 8, "closing bracket"),
        ("\n[@imt-2022] A fact.\n", 8, "outside a sentence"),
        ("\n\n", 7, "no text"),
    ],
)
def test_a_malformed_article_is_named_by_file_and_line(tmp_path: Path, body: str, line: int, words: str) -> None:
    corpus = read_corpus([folder(tmp_path, body)])
    (problem,) = corpus.problems
    assert problem.file.endswith("size.md")
    assert problem.line == line
    assert words in problem.message
    assert corpus.articles == ()


@pytest.mark.parametrize(
    ("front", "words"),
    [
        ("---\ntitle: [broken\n---\n", "front matter"),
        ("---\ntitle: A\nlanguage: en\nsummary: B\n---\n", "no `updated`"),
        (FRONT.replace("en", "fr", 1), "'fr' is none of en, es"),
        (FRONT.replace("---\ntitle", "---\nplaces: tijuana\ntitle"), "expected a list"),
    ],
)
def test_front_matter_that_does_not_fit_is_refused(tmp_path: Path, front: str, words: str) -> None:
    front = front.replace("language: fr", "language: fr")
    (problem,) = read_corpus([folder(tmp_path, "\nText.\n", front=front)]).problems
    assert words in problem.message


@pytest.mark.parametrize(
    ("references", "line", "words"),
    [
        ("references: [\n", 2, "not YAML"),
        ("- id: a\n  title: b\n", 1, "no `publisher`"),
        (REFERENCES + "- id: inegi\n  publisher: I\n  title: D\n  URL: u\n  kind: press\n", 14, "twice"),
        (REFERENCES.replace("kind: association", "kind: blog"), 2, "'blog' is none of"),
        (REFERENCES.replace('"2022-06"', '"June 2022"'), 2, "expected YYYY"),
    ],
)
def test_a_bad_reference_names_its_line(tmp_path: Path, references: str, line: int, words: str) -> None:
    (problem,) = read_corpus([folder(tmp_path, "\nText.\n", references=references)]).problems
    assert problem.file.endswith("references.yaml")
    assert problem.line == line
    assert words in problem.message


def test_jsonl_lines_are_read_one_by_one_and_bad_ones_named(tmp_path: Path) -> None:
    file = tmp_path / "docs.jsonl"
    file.write_text(
        '{"id": "a", "text": "Good one.", "publisher": "P", "issued": "2020", "url": "http://x"}\n'
        "{broken\n"
        '["list"]\n'
        '{"text": "no id"}\n'
        '{"doc_id": 7, "text": ""}\n'
        "\n"
        '{"doc_id": 8, "text": "Bien. Está en México.", "meta": {"issued": "2021-13"}}\n'
        '{"doc_id": 9, "text": "Lone \\ud800 surrogate."}\n'
        '{"id": "a", "text": "Again."}\n',
        encoding="utf-8",
    )
    corpus = read_corpus([file])
    assert [a.id for a in corpus.articles] == ["a", "9"]
    assert corpus.articles[0].sources == (Source("a", "P", "a", "2020", "http://x"),)
    assert corpus.articles[1].text == "Lone \ufffd surrogate."
    assert [p.line for p in corpus.problems] == [2, 3, 4, 5, 7, 0]
    assert all(str(file) in p.file for p in corpus.problems)


def test_documents_of_a_user_are_their_own_source(library: Path) -> None:
    corpus = read_corpus([library])
    articles = {a.id: a for a in corpus.articles}
    assert set(articles) == {"harbor.txt", "museum", "bridge", "puente"}
    assert articles["museum"].sources[0].issued == "2019-05"
    assert articles["puente"].language == "es"
    for article in articles.values():
        assert all(article.sources_of(s.start, s.end) for s in article.sentences)


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("latin.txt", b"caf\xe9", "not UTF-8"),
        ("empty.md", b"", "no text"),
        ("dashes.txt", b"--- ... ---", "no text"),
    ],
)
def test_an_unusable_file_is_named_and_the_others_are_read(
    library: Path, name: str, content: bytes, words: str
) -> None:
    (library / name).write_bytes(content)
    corpus = read_corpus([library])
    (problem,) = corpus.problems
    assert problem.file.endswith(name)
    assert words in problem.message
    assert len(corpus.articles) == 4


def test_nothing_there_is_a_problem_not_an_exception(tmp_path: Path) -> None:
    assert "no such file" in read_corpus([tmp_path / "nowhere"]).problems[0].message
    assert "no article" in read_corpus([tmp_path]).problems[0].message


PIECES = st.sampled_from(
    [
        "# Head\n",
        "\n\n",
        "Mexico has 300 centers. ",
        "EE. UU. crece 1.5%. ",
        "- item one\n",
        "\n## Sub heading\n",
        "word ",
        "\n",
        "¿Sí? ",
        "x" * 800 + ". ",
        "\t",
        "\u00a0",
    ]
)


@settings(max_examples=200)
@given(st.one_of(st.text(max_size=500), st.lists(PIECES, max_size=40).map("".join)))
def test_passages_joined_are_the_article(text: str) -> None:
    """Law 3: splitting loses no character, and every passage is whole sentences of one section."""
    article = _article(text)
    if article is None:
        return
    passages = split(article, max_characters=120)
    assert "".join(p.page_content for p in passages) == article.text
    at = [place(p) for p in passages]
    assert [n for p in at for n in range(p.first, p.last + 1)] == list(range(len(article.sentences)))
    for p, passage in zip(at, passages, strict=True):
        assert article.text[p.start : p.end] == passage.page_content
        assert len({article.sentences[n].section for n in range(p.first, p.last + 1)}) == 1
        assert all(
            p.start <= article.sentences[n].start < article.sentences[n].end <= p.end
            for n in range(p.first, p.last + 1)
        )
    assert len({p.id for p in passages}) == len(passages)


def _article(text: str) -> Article | None:
    import json
    import tempfile

    with tempfile.TemporaryDirectory() as top:
        file = Path(top) / "one.jsonl"
        file.write_text(json.dumps({"id": "one", "text": text}) + "\n", encoding="utf-8")
        corpus: Corpus = read_corpus([file])
    return corpus.articles[0] if corpus.articles else None


def test_an_article_survives_being_written_down(library: Path) -> None:
    for article in read_corpus([library]).articles:
        assert Article.from_json(article.to_json()) == article
