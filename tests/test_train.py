"""The models of our own: how they are trained, split, loaded and refused."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from safetensors.torch import load_file

from rag import models, train
from rag.app import assemble
from rag.corpus import read_corpus
from rag.errors import UserError
from rag.evidence import READ, Candidate, Evidence, reading
from rag.index import open_index
from rag.ingest import ingest
from rag.models import Embedder, Scorer
from rag.question import Question, read_question
from rag.splits import QuestionSet, near_misses, part, part_of_shipped, question_sets
from rag.text import fold
from rag.train import Group, steps_of

ROOT = Path(__file__).resolve().parent.parent


# --- split ---------------------------------------------------------------------------------------


@given(st.text())
def test_a_document_has_one_use(title: str) -> None:
    assert part(title) == part(title)
    assert part(title) in ("train", "fit", "test")


def test_no_question_of_the_split_test_is_learnt_from_and_both_languages_of_an_article_go_together() -> None:
    (shipped,) = question_sets({}, ROOT / "corpus")
    uses: dict[str, set[str]] = {}
    golden = [(use, case) for use, case in shipped.cases() if "pair" in case["tags"]]
    for use, case in golden:
        assert (case["tags"]["split"] == "test") == (use == "test")
        uses.setdefault(case["tags"]["article"], set()).add(use)
    assert all(len(found) == 1 for found in uses.values())
    assert {part_of_shipped({"split": "tune", "article": str(n)}) for n in range(40)} == {"train", "fit"}
    tested = {fold(case["question"]) for use, case in golden if use == "test"}
    pairs = list(near_misses(ROOT / "corpus"))
    assert not tested & {fold(case["question"]) for use, case in shipped.cases() if use != "test"}
    assert not tested & {fold(q) for pair in pairs for q in (pair.answered, pair.missed)}
    assert {pair.part for pair in pairs} == {"train", "fit"}
    assert len({(pair.article.partition("/")[2], pair.part) for pair in pairs}) == len(
        {pair.article.partition("/")[2] for pair in pairs}
    )


def test_an_article_and_its_translation_are_split_together(tmp_path: Path) -> None:
    """Where a set of pairs names the English title of a question of the Spanish set, that title decides."""
    both = _set(
        tmp_path / "both", [("e", "Harbor")], [{"id": "en-9", "gold": [{"doc_id": "e"}], "tags": {"pair": "9"}}]
    )
    spanish = _set(tmp_path / "es", [("s", "Puerto")], [{"id": "9", "gold": [{"doc_id": "s"}]}])
    _, first, second = question_sets({"both": both, "es": spanish}, ROOT / "corpus")
    assert [p for p, _ in first.cases()] == [p for p, _ in second.cases()] == [part("Harbor")]


def _set(folder: Path, documents: list[tuple[str, str]], questions: list[dict[str, object]]) -> Path:
    folder.mkdir()
    rows = [{"doc_id": i, "title": t, "text": "One sentence. Another one."} for i, t in documents]
    (folder / "docs.jsonl").write_text("\n".join(json.dumps(r) for r in rows), encoding="utf-8")
    (folder / "questions.jsonl").write_text("\n".join(json.dumps(q) for q in questions), encoding="utf-8")
    return folder


# --- what is learnt from -------------------------------------------------------------------------


def _group(number: int, right: int, wrong: int) -> Group:
    texts = tuple(f"sentence {number} {i}" for i in range(right + wrong))
    marks = (*([True] * right), *([False] * wrong))
    return Group("set", str(number), "en", "train", f"question {number}?", texts, marks)


@given(st.lists(st.tuples(st.integers(0, 2), st.integers(1, 9)), min_size=1, max_size=12), st.integers(1, 9))
def test_steps_put_a_right_sentence_first_and_are_the_same_for_the_same_seed(
    sizes: list[tuple[int, int]], steps: int
) -> None:
    groups = [_group(n, right, wrong) for n, (right, wrong) in enumerate(sizes)] + [_group(99, 1, 1)]
    found = steps_of(groups, steps=steps, seed=3)
    assert found == steps_of(groups, steps=steps, seed=3)
    assert len(found) == steps
    known = {g.question: dict(zip(g.texts, g.right, strict=True)) for g in groups}
    for question, texts, right in (drawn for batch in found for drawn in batch):
        assert len(texts) == len(set(texts)) == len(right)
        assert [known[question][t] for t in texts] == right
        assert not any(right[1:])
        assert right[0] == any(known[question].values())


def test_pairs_are_mined_with_the_right_sentences_marked(library: Path, tmp_path: Path) -> None:
    cases = [
        {"id": "q1", "question": "How long is the bridge?", "answers": ["310"], "answerable": True,
         "gold": [{"doc_id": "bridge", "quote": "310 meters", "start": 19}]},
        {"id": "q2", "question": "What colour is the bridge?", "answers": [], "answerable": False},
    ]  # fmt: skip
    (library / "questions.jsonl").write_text("\n".join(map(json.dumps, cases)), encoding="utf-8")
    questions = QuestionSet("own", library / "more.jsonl", library / "questions.jsonl")
    train.mine(tmp_path / "work", [questions])
    groups = {g.id: g for g in train.read_groups(tmp_path / "work", "train", "fit", "test")}
    marked = dict(zip(groups["q1"].texts, groups["q1"].right, strict=True))
    assert [t for t, right in marked.items() if right] == ["The bridge is 310 meters long. | Bridge"]
    assert not any(t.startswith("El puente mide 310") for t in marked)  # says the same: teaches nothing certain
    assert groups["q2"].texts
    assert not any(groups["q2"].right)


def test_what_is_anticipated_teaches_its_sentence_and_no_sentence_that_may_be_right_too(tmp_path: Path) -> None:
    """Not learnt as wrong: the same figure elsewhere, the other language, a sentence that is asked for alike."""
    rows = [
        {"id": "bridge", "title": "Bridge", "text": "The bridge of Alden is 310 meters long. Dr. Ames designed it.",
         "anticipated": [{"quote": "The bridge of Alden is 310 meters long.", "questions": ["How long is the bridge?"]},
                         {"quote": "Dr. Ames designed it.", "questions": ["Who designed the bridge?"]}]},
        {"id": "again", "title": "Length", "text": "The long bridge has 310 meters. The bridge was painted in May."},
        {"id": "puente", "title": "Puente", "language": "es", "text": "El puente de Alden es largo, dicen los vecinos."},
        {"id": "alike", "title": "Span", "text": "Alden's bridge is long. It carries two lanes.",
         "anticipated": [{"quote": "Alden's bridge is long.", "questions": ["how long is the bridge"]}]},
    ]  # fmt: skip
    (tmp_path / "own").mkdir()
    (tmp_path / "own" / "more.jsonl").write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
    train.mine(tmp_path / "work", [QuestionSet("shipped", tmp_path / "own", tmp_path / "none.jsonl")])
    group = next(g for g in train.read_groups(tmp_path / "work", "train") if g.question == "How long is the bridge?")
    marked = {t.partition(" | ")[0]: right for t, right in zip(group.texts, group.right, strict=True)}
    assert marked["The bridge of Alden is 310 meters long."]
    assert "The bridge was painted in May." in marked
    assert list(marked.values()).count(True) == 1
    assert not {"The long bridge has 310 meters.", "Alden's bridge is long."} & set(marked)
    assert not any("puente" in t for t in marked)


def test_a_near_miss_teaches_that_nothing_answers_and_its_twin_that_the_sentence_does(tmp_path: Path) -> None:
    rows = [
        {
            "id": "en/bridge",
            "title": "Bridge",
            "text": "The bridge of Alden is 310 meters long. Dr. Ames designed it in May.",
        },
        {"id": "en/harbor", "title": "Harbor", "text": "The harbor of Alden has a long pier. Ships come by night."},
    ]
    pairs = [
        {
            "article": f"en/{name}",
            "quote": quote,
            "answered": f"how long is the {name}?",
            "missed": f"how old the {name}?",
        }
        for name, quote in (("bridge", "The bridge of Alden is 310 meters long."), ("harbor", "Ships come by night."))
    ]
    own = tmp_path / "own"
    own.mkdir()
    (own / "more.jsonl").write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
    (own / "near-misses.jsonl").write_text("\n".join(map(json.dumps, pairs)), encoding="utf-8")
    assert [pair.part for pair in near_misses(own)] == ["train", "train"]
    train.mine(tmp_path / "work", [QuestionSet("shipped", own, tmp_path / "none.jsonl")])
    groups = {g.question: g for g in train.read_groups(tmp_path / "work", "train")}
    answered, missed = groups["how long is the bridge?"], groups["how old the bridge?"]
    assert answered.texts[0] == missed.texts[0] == "The bridge of Alden is 310 meters long. | Bridge"
    assert answered.right == (True, *[False] * (len(answered.texts) - 1))
    assert len(missed.texts) > 1
    assert not any(missed.right)
    for near in (0.5, 1.0):
        drawn = [d for step in steps_of([*groups.values(), *others()], steps=40, near=near) for d in step]
        close = [d for d in drawn if d.question in groups]
        assert len(close) == pytest.approx(near * len(drawn), abs=0.1 * len(drawn))
        assert all(d.texts[0] == groups[d.question].texts[0] for d in close)


def others() -> list[Group]:
    return [_group(n, 1, 4) for n in range(12)]


def test_a_sentence_that_leans_on_the_one_before_is_read_with_it(library: Path) -> None:
    articles = {a.id: a for a in read_corpus([library]).articles}
    harbor = articles["harbor.txt"]
    assert reading(harbor, 0).startswith(harbor.quote(harbor.sentences[0]))
    assert reading(harbor, 1).endswith(harbor.quote(harbor.sentences[0]))  # "It has 14 cranes."
    assert harbor.quote(harbor.sentences[1]) not in reading(harbor, 2)


def test_training_goes_on_from_its_checkpoint_and_its_model_loads(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Interrupted and resumed equals undisturbed: the same weights."""
    base = _tiny(tmp_path / "base", outputs=1)
    monkeypatch.setattr(train, "read_groups", lambda work, *parts: [_group(n, n % 2, 5) for n in range(9)])
    monkeypatch.setattr(train, "_CHECKPOINT", 2)
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    train.train_scorer(tmp_path / "a", str(base), tmp_path / "a" / "model", steps=4)
    monkeypatch.setattr(train, "_losses", _failing_at(3, train._losses))
    with pytest.raises(KeyboardInterrupt):
        train.train_scorer(tmp_path / "b", str(base), tmp_path / "b" / "model", steps=4)
    monkeypatch.undo()
    monkeypatch.setattr(train, "read_groups", lambda work, *parts: [_group(n, n % 2, 5) for n in range(9)])
    train.train_scorer(tmp_path / "b", str(base), tmp_path / "b" / "model", steps=4)
    weights = [(tmp_path / x / "model" / "model.safetensors").read_bytes() for x in "ab"]
    assert weights[0] == weights[1]
    scorer = Scorer.load(str(tmp_path / "a" / "model"))
    assert scorer is not None
    assert scorer.score("question?", ["one", "two words"]).shape == (2,)


def _failing_at(call: int, real):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN202
    calls = iter(range(1, 99))

    def losses(*arguments):  # type: ignore[no-untyped-def]  # noqa: ANN002, ANN202
        if next(calls) == call:
            raise KeyboardInterrupt
        return real(*arguments)

    return losses


def _tiny(folder: Path, *, outputs: int) -> Path:
    """A cross-encoder of two thousand weights, of the form that a hub would give."""
    from transformers import AutoTokenizer, BertConfig, BertForSequenceClassification

    AutoTokenizer.from_pretrained(models.model_folder(models.MINILM)).save_pretrained(folder)  # type: ignore[no-untyped-call]
    config = BertConfig(
        vocab_size=30522, hidden_size=8, num_hidden_layers=1, num_attention_heads=2, intermediate_size=8,
        num_labels=outputs,
    )  # fmt: skip
    BertForSequenceClassification(config).save_pretrained(folder)
    return folder


# --- the scorer ----------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def scorer(tmp_path_factory: pytest.TempPathFactory) -> Scorer:
    """An untrained one."""
    found = Scorer.load(str(_tiny(tmp_path_factory.mktemp("scorer"), outputs=1)))
    assert found is not None
    return found


class Ordered(NamedTuple):
    """Candidates for a question on the library, and what rereads them."""

    question: Question
    candidates: list[Candidate]
    evidence: Evidence


@pytest.fixture(scope="module")
def ordered(tmp_path_factory: pytest.TempPathFactory, scorer: Scorer, embedder: Embedder) -> Iterator[Ordered]:
    folder = tmp_path_factory.mktemp("reread")
    lines = [f"The harbor had {n} cranes in {1990 + n}, and ships came by night." for n in range(1, 9)]
    (folder / "harbor.txt").write_text("\n\n".join(lines), encoding="utf-8")
    ingest([folder / "harbor.txt"], folder / "index", embedder)
    index = open_index(folder / "index")
    _, retriever, evidence = assemble(index, embedder, scorer)
    question = read_question("How many cranes does the harbor have?", language="en")
    vector, hits = retriever.question_vector(question.text), retriever.search(question.text, 5, language="en")
    yield Ordered(question, evidence.with_scorer(None).candidates(question, vector, hits), evidence)
    index.close()


@given(gaps=st.lists(st.floats(0, 1), min_size=8, max_size=8), unstated=st.sets(st.integers(0, 7)))
def test_a_scorer_puts_in_order_what_is_near_and_nothing_else(
    ordered: Ordered, gaps: list[float], unstated: set[int]
) -> None:
    """The near ones change places among each other by score and what is read; every place keeps its score."""
    scores = [-sum(gaps[: n + 1]) for n in range(8)]
    before = [
        replace(c, score=s, sentence=c.sentence._replace(sources=() if n in unstated else c.sentence.sources))
        for n, (c, s) in enumerate(zip(ordered.candidates, scores, strict=True))
    ]
    after = ordered.evidence.reread(ordered.question, before)
    assert [c.score for c in after] == scores
    assert sorted(c.number for c in after) == sorted(c.number for c in before)
    stated = [n for n in range(8) if n not in unstated][:3]
    near = [n for n in stated if scores[n] >= scores[stated[0]] - 0.8]
    assert all(after[n] == before[n] for n in range(8) if n not in near or len(near) < 2)
    score = {c.number: c.score for c in before}
    if len(near) > 1:
        heeded = [score[after[n].number] + 2 * after[n].features[READ] for n in near]
        assert heeded == sorted(heeded, reverse=True)


def test_what_an_earlier_answer_quoted_loses_in_score(ordered: Ordered) -> None:
    first, *others = ordered.candidates
    weights = {"en": dict.fromkeys(first.features, 1.0), "es": {}}
    alone = {c.number: c.score for c in ordered.evidence.choose(ordered.question, ordered.candidates, weights)}
    told = replace(ordered.question, told=f"It was said: {first.quote} [1]")
    after = {c.number: c.score for c in ordered.evidence.choose(told, ordered.candidates, weights)}
    assert after[first.number] == pytest.approx(alone[first.number] - 1.5)
    assert all(after[c.number] == alone[c.number] for c in others)


def test_what_a_scorer_says_is_measured_and_without_one_nothing_is_reread(ordered: Ordered, scorer: Scorer) -> None:
    before = [replace(c, score=0.0) for c in ordered.candidates]
    read = [c for c in ordered.evidence.reread(ordered.question, before) if READ in c.features]
    assert len(read) == 3
    for candidate in read:
        (logit,) = scorer.score(ordered.question.text, [reading(candidate.article, candidate.number)])
        assert candidate.features[READ] == pytest.approx(float(logit) / 4, abs=0.05)
    assert ordered.evidence.with_scorer(None).reread(ordered.question, before) == before


def test_a_text_scores_the_same_alone_and_among_others(scorer: Scorer) -> None:
    texts = ["The harbor has 14 cranes.", "The harbor opened in 1884, " + "and ships came " * 20, "No."]
    together = scorer.score("How many cranes?", texts)
    alone = np.concatenate([scorer.score("How many cranes?", [t]) for t in texts])
    assert np.allclose(together, alone, atol=0.15)
    assert scorer.score("How many cranes?", []).shape == (0,)


def test_a_scorer_on_the_shared_trunk_is_what_was_trained(tmp_path: Path) -> None:
    """Only what was trained is written, and put on the trunk again it says the same; on another trunk it is refused."""
    torch.manual_seed(1)
    trained = models.new_cross_encoder("", "cpu", layers=3, frozen=2)
    assert {p.dtype for p in trained.parameters()} == {torch.float32}
    models.save_on_trunk(trained, tmp_path / "own")
    own = load_file(tmp_path / "own" / "model.safetensors")
    assert {name.split(".layer.")[1][0] for name in own if ".layer." in name} == {"2"}
    assert not any("embeddings" in name for name in own)
    loaded = Scorer.load(str(tmp_path / "own"))
    assert loaded is not None
    texts = ["The harbor has 14 cranes.", "Ships come by night."]
    said = trained.predict([("How many cranes?", t) for t in texts], activation_fn=torch.nn.Identity())
    assert np.allclose(loaded.score("How many cranes?", texts), said, atol=0.02)
    (tmp_path / "own" / "trunk.json").write_text('{"trunk": "another", "layers": 3}', encoding="utf-8")
    with pytest.raises(UserError, match="trained on another trunk"):
        Scorer.load(str(tmp_path / "own"))


def test_no_scorer_and_what_is_no_scorer(tmp_path: Path) -> None:
    assert Scorer.load("none") is None
    assert Scorer.load() is not None  # the one that comes with the product
    with pytest.raises(UserError, match=r"BPO_SCORER='\./nowhere': there is no folder"):
        Scorer.load("./nowhere")
    (tmp_path / "empty").mkdir()
    with pytest.raises(UserError, match=r"without config\.json"):
        Scorer.load(str(tmp_path / "empty"))
    with pytest.raises(UserError, match="has 3 outputs"):
        Scorer.load(str(_tiny(tmp_path / "three", outputs=3)))
