"""Anticipated questions: read, located, kept with their vectors, and never more than a way to a sentence."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag.anticipated import FILE, Anticipated, located
from rag.app import open_chatbot
from rag.chat import Chatbot
from rag.check.anticipated import check_anticipated
from rag.corpus import read_corpus
from rag.index import Index, open_index
from rag.ingest import ingest
from rag.likeness import Likeness
from rag.models import Embedder
from rag.settings import read_settings

words = st.text("ab \n", min_size=1, max_size=4).filter(str.strip)


@given(st.lists(st.tuples(words, st.lists(words, max_size=3)), max_size=6), st.lists(words, max_size=6))
def test_every_question_stays_with_the_words_it_was_written_for(
    pairs: list[tuple[str, list[str]]], quotes: list[str]
) -> None:
    found = located(pairs, quotes)
    for sentence, questions in found:
        same = [q for quote, q in pairs if quote.split() == quotes[sentence].split()]
        assert set(questions) == {q for own in same for q in own}
        assert len(set(questions)) == len(questions)
    assert [sentence for sentence, _ in found] == sorted({sentence for sentence, _ in found})
    standing = {" ".join(q.split()) for q in quotes}
    assert len(found) == len({" ".join(quote.split()) for quote, _ in pairs} & standing)


# --- reading -------------------------------------------------------------------------------------

CRANES = "The harbor of Alden has 14 cranes."


def write(folder: Path, *lines: object) -> Path:
    file = folder / FILE
    file.write_text("".join((line if isinstance(line, str) else json.dumps(line)) + "\n" for line in lines))
    return file


def line(article: str, quote: str, *questions: str) -> dict[str, object]:
    return {"article": article, "quote": quote, "questions": list(questions)}


@pytest.fixture
def harbor(tmp_path: Path) -> Path:
    folder = tmp_path / "docs"
    folder.mkdir()
    (folder / "harbor.md").write_text(f"# Harbor\n\n{CRANES} Ships pay by weight.\n")
    (folder / "own.jsonl").write_text(
        json.dumps(
            {
                "id": "museum",
                "text": "Visitors are charged six crowns. Children enter free.",
                "anticipated": [{"quote": "Children enter free.", "questions": ["Do kids pay?"]}],
            }
        )
        + "\n"
    )
    return folder


def test_a_folder_and_a_document_say_which_questions_they_answer(harbor: Path) -> None:
    write(harbor, line("harbor", CRANES, "How many lifting machines are there?", "What lifts the cargo?"))
    corpus = read_corpus([harbor])
    assert corpus.problems == ()
    by_name = {a.id: a for a in corpus.articles}
    assert set(by_name) == {"harbor", "museum"}
    (own,) = by_name["harbor"].anticipated
    assert by_name["harbor"].quote(by_name["harbor"].sentences[own.sentence]) == CRANES
    assert own.questions == ("How many lifting machines are there?", "What lifts the cargo?")
    assert by_name["museum"].anticipated == (Anticipated(1, ("Do kids pay?",)),)
    for article in corpus.articles:
        assert type(article).from_json(json.loads(json.dumps(article.to_json()))) == article


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("{", "not JSON"),
        ("[]", "expected an object with `article`"),
        ("[" * 100_000, "nested too deeply"),
        ({"quote": "x", "questions": []}, "expected an object with `article`"),
        ({"article": "harbor", "questions": ["x"]}, "expected `quote`"),
        ({"article": "harbor", "quote": " ", "questions": ["x"]}, "expected `quote`"),
        ({"article": "harbor", "quote": CRANES, "questions": "x"}, "expected `questions`"),
        ({"article": "harbor", "quote": CRANES, "questions": [""]}, "expected `questions`"),
    ],
)
def test_a_malformed_line_is_named_and_the_others_are_read(harbor: Path, written: object, expected: str) -> None:
    file = write(harbor, line("harbor", CRANES, "What lifts?"), written)
    corpus = read_corpus([harbor])
    ((where, number, message),) = corpus.problems
    assert (where, number) == (str(file), 2)
    assert expected in message
    assert next(a for a in corpus.articles if a.id == "harbor").anticipated


def test_half_a_character_is_replaced(harbor: Path) -> None:
    write(harbor, json.dumps(line("harbor", CRANES, "What \ud800 lifts?")))
    own = next(a for a in read_corpus([harbor]).articles if a.id == "harbor")
    assert own.anticipated[0].questions == ("What ? lifts?",)


def test_a_malformed_list_in_a_document_is_named(tmp_path: Path) -> None:
    file = tmp_path / "d.jsonl"
    file.write_text(json.dumps({"id": "a", "text": "It rains.", "anticipated": ["Is it wet?"]}) + "\n")
    (problem,) = read_corpus([file]).problems
    assert (problem.line, "document 'a'" in problem.message, "`anticipated`" in problem.message) == (1, True, True)


def test_what_no_longer_stands_is_left_out_and_named_by_the_check(harbor: Path) -> None:
    file = write(
        harbor,
        line("harbor", CRANES.replace("14", "15"), "How many?"),
        line("lighthouse", "It shines.", "Does it shine?"),
        line("harbor", CRANES, "What lifts?", "what lifts?"),
        line("harbor", "Ships pay by  weight.", "Who pays?"),
    )
    corpus = read_corpus([harbor])
    assert corpus.problems == ()
    articles = {a.id: a for a in corpus.articles}
    assert [a.questions for a in articles["harbor"].anticipated] == [("What lifts?", "what lifts?"), ("Who pays?",)]
    found = list(check_anticipated(file, articles))
    assert [p.line for p in found] == [1, 2, 3]
    for problem, said in zip(found, ("no sentence of 'harbor'", "no such article", "twice"), strict=True):
        assert said in problem.message


# --- in the index --------------------------------------------------------------------------------


def opened(folder: Path, root: Path, embedder: Embedder) -> Index:
    assert ingest([folder], root, embedder).problems == ()
    return open_index(root)


def test_a_new_question_embeds_no_passage_and_keeps_the_vectors_of_the_others(
    harbor: Path, tmp_path: Path, embedder: Embedder
) -> None:
    root = tmp_path / "index"
    write(harbor, line("harbor", CRANES, "What lifts the cargo?"))
    before = opened(harbor, root, embedder)
    kept = dict(zip(before.anticipated, before.question_vectors, strict=True))
    assert list(kept) == ["What lifts the cargo?", "Do kids pay?"]
    before.close()
    assert not ingest([harbor], root, embedder).published
    write(harbor, line("harbor", CRANES, "Is there a crane?", "What lifts the cargo?"))
    changes = ingest([harbor], root, embedder)
    assert (changes.published, changes.added) == (True, 0)
    after = open_index(root)
    for question, vector in zip(after.anticipated, after.question_vectors, strict=True):
        if question in kept:
            assert np.array_equal(vector, kept[question])
        else:
            assert np.allclose(vector, embedder.encode_question(question), atol=0.01)
    assert len(after.anticipated) == 3
    after.close()


def test_likeness_is_of_nothing_0_and_of_itself_1(harbor: Path, tmp_path: Path, embedder: Embedder) -> None:
    questions = ["What lifts the cargo?", "Who was king of Alden?", "When do ships leave?", "Is the water deep?"]
    write(harbor, line("harbor", CRANES, *questions))
    index = opened(harbor, tmp_path / "index", embedder)
    known = Likeness(index)
    for row, question in enumerate(known.questions):
        likeness = known.of(index.question_vectors[row])
        assert np.all(likeness <= 1.01)
        assert likeness[row] == pytest.approx(1.0, abs=0.01)
        sentence = index.anticipated[question][0]
        assert question in known.answered_by(sentence)
        assert known.best(sentence, likeness) == likeness[row]
        assert known.of_passages(likeness).max() == likeness.max()
    assert known.answered_by(("harbor", 2)) == []
    assert known.best(("harbor", 2), likeness) == -np.inf
    index.close()


# --- in an answer --------------------------------------------------------------------------------


def bot(folder: Path, root: Path) -> Chatbot:
    return open_chatbot(read_settings(corpus=folder, index=root))


def test_a_question_in_other_words_finds_its_sentence_and_is_never_quoted(harbor: Path, tmp_path: Path) -> None:
    asked = "Can I bring my six-year-old without a ticket?"
    (harbor / "own.jsonl").write_text(
        json.dumps(
            {
                "id": "museum",
                "text": "The house opened in 1901. Visitors are charged six crowns. Minors enter gratis. It has a shop.",
                "anticipated": [
                    {"quote": "Minors enter gratis.", "questions": ["Can children come without a ticket?"]}
                ],
            }
        )
        + "\n"
    )
    answer = bot(harbor, tmp_path / "index").ask(asked)
    assert answer.answered
    assert answer.claims[0].text == "Minors enter gratis."
    assert "ticket" not in answer.text
    for citation in answer.citations:
        assert citation.quote in (harbor / "own.jsonl").read_text()


def test_what_the_articles_say_that_no_source_tells_is_said_in_those_words(chatbot: Chatbot) -> None:
    unsaid = [
        (article.language, questions[0], article.quote(article.sentences[sentence]))
        for article in chatbot.articles.values()
        for sentence, questions in article.anticipated
        if not article.sentences[sentence].sources
        and article.quote(article.sentences[sentence]).startswith(("No ", "Ninguna fuente"))
    ]
    assert len(unsaid) > 100
    some = unsaid[:: len(unsaid) // 30]
    answers = [chatbot.ask(question, language=language) for language, question, _ in some]
    told = [
        quote in answer.note or quote in [c.quote for c in answer.closest]
        for answer, (*_, quote) in zip(answers, some, strict=True)
    ]
    assert sum(told) >= 0.85 * len(some)
    for answer in answers:
        assert all(c.sources for c in answer.citations)


def test_what_is_anticipated_is_answered_with_its_sentence(chatbot: Chatbot) -> None:
    expected: dict[tuple[str, str], set[tuple[str, int]]] = {}
    for article in chatbot.articles.values():
        for number, questions in article.anticipated:
            if article.sentences[number].sources:
                for question in questions:
                    place = (article.id, article.sentences[number].start)
                    expected.setdefault((article.language, question), set()).add(place)
    assert len(expected) > 7_500
    some = list(expected.items())[:: len(expected) // 40]
    cited = []
    for (language, question), places in some:
        answer = chatbot.ask(question, language=language)  # type: ignore[arg-type]
        cited.append(any((c.article, c.start) in places for c in answer.citations))
    assert sum(cited) >= 0.9 * len(some)
