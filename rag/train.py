"""Train a scorer: `python -m rag.train pairs|scorer|figures --work=DIR [--out=DIR] [--steps=N] [NAME=FOLDER ...]`.

`pairs` mines what it learns from: for each question with a known answer the sentences that our own retrieval puts
first, the right ones marked. From the questions that the shipped corpus anticipates and its near misses (its golden
questions are for fitting and measuring), and from public sets in the layout `docs.jsonl`, `questions.jsonl`, each given
as NAME=FOLDER. `scorer` trains from them, `figures --scorer=DIR` measures. Public sets are split by document, never by
question: see `rag.splits`. `scorer` with `--base=DIR` goes on from a trained one, `--rate=R` sets the highest learning
rate, `--near=S` the share of near misses, `--seed=N` the order: how the shipped one was made stands in its card. The
same seed gives the same pairs and the same order of steps; training goes on from its last checkpoint in the
work folder, on a GPU when there is one.
"""

from __future__ import annotations

import json
import math
import random
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from operator import attrgetter
from pathlib import Path
from typing import Any, NamedTuple

from rag.app import assemble
from rag.corpus import read_corpus
from rag.evaluate.intervals import wilson
from rag.evaluate.refusals import auroc, calibration, calibration_error
from rag.evidence import Candidate, reading
from rag.features import years
from rag.fit import answers
from rag.fit import said as says
from rag.index import Index, open_index
from rag.ingest import ingest
from rag.language import detect
from rag.likeness import Likeness
from rag.models import Embedder, Scorer, autocast, new_cross_encoder, save_model, save_on_trunk, stands_on_trunk
from rag.question import read_question
from rag.settings import shipped_corpus
from rag.splits import Part, QuestionSet, gold_sentences, near_misses, question_sets, read_lines
from rag.text import Language, figures, terms

_PASSAGES = 12
_CANDIDATES = 16  # hard negatives kept for a question
_GROUP = 5  # sentences of one question in one step: the right one and four others
_GROUPS = 7  # questions in one step
_NEAR_OTHERS = 2  # sentences beside the one that answers, or seems to, of a question of a near miss
_MUCH_ALIKE = 0.84  # cosine of two questions of which one sentence may well answer both
_LAYERS, _FROZEN = 8, 3  # of the trunk: those that are kept, and how many of them, from below, stay as they are
NEAR = "near misses"
_SLICES = 3  # a step's pairs are read in slices of like length: less padding
_TOKENS = 112
_CHECKPOINT = 100  # steps from one to the next
SEED = 7


@dataclass(frozen=True)
class Group:
    """A question and the sentences that might answer it: `texts[i]` answers when `right[i]`."""

    set: str
    id: str
    language: Language
    part: Part
    question: str
    texts: tuple[str, ...]
    right: tuple[bool, ...]


# --- pairs ---------------------------------------------------------------------------------------


def mine(work: Path, sets: Sequence[QuestionSet]) -> None:
    """Write `groups.jsonl`: every question with its candidates."""
    work.mkdir(parents=True, exist_ok=True)
    embedder = Embedder.load()
    with (work / "groups.jsonl").open("w", encoding="utf-8") as out:
        for questions in sets:
            mined = _anticipated if questions.shipped else _mined
            count = 0
            for group in mined(questions, embedder, work / questions.name):
                out.write(json.dumps(asdict(group), ensure_ascii=False) + "\n")
                count += 1
            _say(f"{questions.name}: {count} questions")


def _mined(questions: QuestionSet, embedder: Embedder, root: Path) -> Iterator[Group]:
    ingest([questions.documents], root, embedder)
    index = open_index(root)
    _, retriever, evidence = assemble(index, embedder)
    for part, case in questions.cases():
        tags = case.get("tags") or {}
        if tags.get("question_lang") == "en" == tags.get("doc_lang"):
            continue  # the English side of XQuAD stands in SQuAD already
        language = tags.get("question_lang") or case.get("language") or detect(case["question"])
        question = read_question(case["question"], language=language, known_names=evidence.names[language])
        hits = retriever.search(question.text, _PASSAGES, language=language)
        texts = dict.fromkeys((reading(a, n) for a, n in gold_sentences(case, index.articles)), True)
        for candidate in evidence.survey(question, retriever.question_vector(question.text), hits):
            if answers(candidate, case):
                texts[reading(candidate.article, candidate.number)] = True
            elif len(texts) < _CANDIDATES and not _might_answer(candidate.quote, case):
                texts.setdefault(reading(candidate.article, candidate.number), False)
        right = tuple(texts.values())
        if any(right) == bool(case.get("answerable", True)) and not all(right):
            yield Group(questions.name, str(case["id"]), language, part, question.text, tuple(texts), right)


def _anticipated(questions: QuestionSet, embedder: Embedder, root: Path) -> Iterator[Group]:
    """The questions that a corpus anticipates, and the pairs of its near misses that are for training; those that no
    source answers with no right sentence.

    A sentence in the other language, one with a figure of the right one other than a year, and one that is known to
    answer much the same may be right as well: they are left out.
    """
    ingest([questions.documents], root, embedder)
    index = open_index(root)
    asking = _Asking(index, embedder)
    for row, (asked, places) in enumerate(index.anticipated.items()):
        texts = asking.with_rivals(asked, places)
        if texts and not all(texts.values()):
            yield asking.group(questions.name, f"anticipated-{row}", asked, places[0][0], texts)
    numbers = {a.id: {a.quote(s): n for n, s in enumerate(a.sentences)} for a in index.articles.values()}
    for row, pair in enumerate(p for p in near_misses(questions.documents) if p.part == "train"):
        place = (pair.article, numbers[pair.article][pair.quote])
        texts = asking.with_rivals(pair.answered, [place])
        if not all(texts.values()):
            yield asking.group(NEAR, f"answered-{row}", pair.answered, pair.article, texts)
        missed = {reading(index.articles[pair.article], place[1]): False, **asking.nearest(pair.missed, pair.article)}
        yield asking.group(NEAR, f"missed-{row}", pair.missed, pair.article, missed)


class _Asking:
    """Questions asked of the shipped corpus, each with the sentences that our own retrieval puts first."""

    def __init__(self, index: Index, embedder: Embedder) -> None:
        self._articles, self._vectors = index.articles, index.question_vectors
        self._embedder, self._likeness = embedder, Likeness(index)
        _, self._retriever, self._evidence = assemble(index, embedder)

    def with_rivals(self, asked: str, places: Sequence[tuple[str, int]]) -> dict[str, bool]:
        """The sentences that answer, and those that come near without answering."""
        articles = [(self._articles[a], n) for a, n in places]
        quotes = [a.quote(a.sentences[n]) for a, n in articles]
        told = frozenset(f for q in quotes for f in figures(q) - years(q))
        alike = self._vectors @ self._embedder.encode_question(asked)
        texts = dict.fromkeys(sorted(reading(a, n) for a, n in articles if a.sentences[n].sources), True)
        for c in self._survey(asked, articles[0][0].language):
            if (
                c.article.language == articles[0][0].language
                and (c.article.id, c.number) not in places
                and not told & figures(c.quote)
                and self._likeness.best((c.article.id, c.number), alike) < _MUCH_ALIKE
                and len(texts) < _CANDIDATES
            ):
                texts.setdefault(reading(c.article, c.number), False)
        return texts

    def nearest(self, asked: str, article: str) -> dict[str, bool]:
        """The sentences that come near a question that none answers."""
        found = self._survey(asked, self._articles[article].language)[:_CANDIDATES]
        return {reading(c.article, c.number): False for c in found}

    def group(self, name: str, identity: str, asked: str, article: str, texts: Mapping[str, bool]) -> Group:
        language = self._articles[article].language
        return Group(name, identity, language, "train", asked, tuple(texts), tuple(texts.values()))

    def _survey(self, asked: str, language: Language) -> list[Candidate]:
        question = read_question(asked, language=language, known_names=self._evidence.names[language])
        hits = self._retriever.search(asked, _PASSAGES, language=language)
        return self._evidence.survey(question, self._retriever.question_vector(asked), hits)


def _might_answer(quote: str, case: Mapping[str, Any]) -> bool:
    """Whether a sentence that is not the expected one says what is expected: then it teaches nothing certain."""
    if case.get("answer_groups"):
        return any(any(says(member, quote) for member in group) for group in case["answer_groups"])
    return any(says(member, quote) for member in case.get("answers") or [])


def read_groups(work: Path, *parts: Part) -> list[Group]:
    """The mined questions of some parts."""
    found = [
        Group(**{**line, "texts": tuple(line["texts"]), "right": tuple(line["right"])})
        for line in read_lines(work / "groups.jsonl")
    ]
    return [g for g in found if g.part in parts]


class Drawn(NamedTuple):
    """A question in a step: a few sentences, the first one right when any is."""

    question: str
    texts: list[str]
    right: list[bool]


# --- scorer --------------------------------------------------------------------------------------


def steps_of(groups: Sequence[Group], *, steps: int, seed: int = SEED, near: float = 0.0) -> list[list[Drawn]]:
    """What each step learns from: _GROUPS questions, each with at most _GROUP sentences, a right one first if any.

    Questions of public sets that nothing answers come every second time. `near` is the share of questions that are of
    near misses; 0 takes all as they are.
    """
    chance = random.Random(seed)
    pool: list[Group] = []
    close = [g for g in groups if g.set == NEAR]
    while len(pool) < steps * _GROUPS:
        again = [g for g in groups if any(g.right) or g.set in ("shipped", NEAR) or chance.random() < 0.5]
        if near and close:
            rest = [g for g in again if g.set != NEAR]
            again = close + chance.sample(rest, min(len(rest), round(len(close) * (1 - near) / near)))
        chance.shuffle(again)
        pool += again
    drawn: list[Drawn] = []
    for group in pool[: steps * _GROUPS]:
        good = [t for t, right in zip(group.texts, group.right, strict=True) if right]
        bad = [t for t, right in zip(group.texts, group.right, strict=True) if not right]
        if group.set == NEAR:  # the sentence that only seems to answer comes first
            others = [*bad[: not good], *chance.sample(bad[1:5], min(_NEAR_OTHERS, len(bad[1:5])))]
        else:  # half of the others from the very first, which are the hardest, half from anywhere
            others = chance.sample(bad[:4], min(2, len(bad[:4])))
            others += chance.sample(bad[4:], min(_GROUP - 1 - len(others), len(bad[4:])))
        texts = ([chance.choice(good)] if good else []) + others
        drawn.append(Drawn(group.question, texts, [bool(good), *([False] * (len(texts) - 1))] if texts else []))
    # Questions of like length together: less padding. Their order is shuffled again by whole steps.
    batches = []
    for at in range(0, len(drawn), 50 * _GROUPS):
        window = sorted(drawn[at : at + 50 * _GROUPS], key=lambda d: max((len(t) for t in d[1]), default=0))
        cut = [window[i : i + _GROUPS] for i in range(0, len(window), _GROUPS)]
        chance.shuffle(cut)
        batches += cut
    return batches[:steps]


def train_scorer(
    work: Path, base: str, out: Path, *, steps: int, rate: float = 8e-5, seed: int = SEED, near: float = 0.0
) -> None:
    """A cross-encoder from a folder, or where `base` is "" on the lower layers of the default embedder; a scorer that
    stands on those already is trained on. `near`: see `steps_of`.

    Loss: binary cross-entropy of every pair, for the level, and cross-entropy over the sentences of a question,
    for the order. AdamW, linear warm-up over 6 % of the steps, cosine decay; bf16 autocast where it is native.
    """
    import torch

    torch.manual_seed(seed)
    device = "cuda" if torch.cuda.is_available() else "cpu"
    encoder = new_cross_encoder(base, device, layers=_LAYERS, frozen=_FROZEN)
    model: Any = encoder.model
    learnt = [p for p in model.parameters() if p.requires_grad]
    optimizer = torch.optim.AdamW(learnt, lr=rate, weight_decay=0.01, fused=True)
    batches = steps_of(read_groups(work, "train"), steps=steps, seed=seed, near=near)
    checkpoint = work / "scorer.checkpoint"
    first = 0
    if checkpoint.exists():
        saved = torch.load(checkpoint, map_location=device, weights_only=True)
        if saved["steps"] == steps:
            model.load_state_dict(saved["model"])
            optimizer.load_state_dict(saved["optimizer"])
            first = saved["step"]
            torch.set_rng_state(saved["chance"].cpu())
            _say(f"going on from step {first}")
    model.train()
    began, seen, level, order = time.monotonic(), 0, 0.0, 0.0
    for step, batch in enumerate(batches[first:], first + 1):
        for group in optimizer.param_groups:
            group["lr"] = rate * schedule(step - 1, steps)
        own_level, own_order = _losses(model, encoder.tokenizer, batch, device)
        (own_level + own_order).backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)
        seen += sum(len(texts) for _, texts, _ in batch)
        level, order = level + own_level.item(), order + own_order.item()
        if step % 50 == 0:
            speed = seen / (time.monotonic() - began)
            _say(f"step {step}/{steps}: level {level / 50:.3f}, order {order / 50:.3f}, {speed:.0f} pairs/s")
            level = order = 0.0
        if step % _CHECKPOINT == 0:
            saved = {"model": model.state_dict(), "optimizer": optimizer.state_dict(), "step": step, "steps": steps}
            saved["chance"] = torch.get_rng_state()  # of dropout
            torch.save(saved, checkpoint.with_suffix(".new"))
            checkpoint.with_suffix(".new").replace(checkpoint)
    (save_on_trunk if stands_on_trunk(base) else save_model)(encoder, out)
    _say(f"wrote {out}")


def _losses(model: Any, tokenizer: Any, batch: Sequence[Drawn], device: str) -> tuple[Any, Any]:
    """Level and order of one step, both tensors of no dimension."""
    import torch
    from torch.nn import functional

    pairs = [(question, text) for question, texts, _ in batch for text in texts]
    by_length = sorted(range(len(pairs)), key=lambda i: len(pairs[i][0]) + len(pairs[i][1]))
    size = -(-len(pairs) // _SLICES)
    read = []
    for at in range(0, len(pairs), size):
        few = [pairs[i] for i in by_length[at : at + size]]
        rows = tokenizer(few, padding=True, truncation="only_second", max_length=_TOKENS, return_tensors="pt")
        with autocast(device):
            read.append(model(**rows.to(device)).logits[:, 0].float())
    logits = torch.cat(read)[torch.tensor(by_length, device=device).argsort()]
    labels = torch.tensor([float(r) for *_, right in batch for r in right], device=device)
    first = torch.zeros(1, dtype=torch.long, device=device)
    orders, at = [torch.zeros((), device=device)], 0
    for _, texts, right in batch:
        if any(right):
            orders.append(functional.cross_entropy(logits[at : at + len(texts)][None], first))
        at += len(texts)
    level = functional.binary_cross_entropy_with_logits(logits, labels)
    return level, torch.stack(orders).sum() / max(1, len(orders) - 1)


def schedule(step: int, steps: int) -> float:
    """Share of the learning rate: linear warm-up, then half a cosine down to 2 %."""
    warm = max(1, int(0.06 * steps))
    if step < warm:
        return (step + 1) / warm
    return 0.02 + 0.98 * 0.5 * (1 + math.cos(math.pi * (step - warm) / max(1, steps - warm)))


# --- figures for the card ------------------------------------------------------------------------


@dataclass(frozen=True)
class Reading:
    """A question on one document of the part `test`: which of its sentences answer, and what two readers made of it.

    `scorer[i]` are log-odds, `plain[i]` the default's score (cosine plus share of the question's terms).
    """

    set: str
    language: Language
    answerable: bool
    right: tuple[bool, ...]
    scorer: tuple[float, ...]
    plain: tuple[float, ...]


def read_documents(sets: Sequence[QuestionSet], embedder: Embedder, scorer: Scorer, most: int = 400) -> list[Reading]:
    """Each question of the part `test` with every sentence of the document it was asked on, at most `most` a set."""
    found = []
    for questions in (q for q in sets if not q.shipped):
        articles = {a.id: a for a in read_corpus([questions.documents]).articles}
        cases = [c for p, c in questions.cases() if p == "test"]
        for case in random.Random(SEED).sample(cases, min(most, len(cases))):
            gold = (case.get("gold") or [{}])[0]
            article = articles.get(str(gold.get("doc_id") or (case.get("tags") or {}).get("context_doc")))
            expected = {n for _, n in gold_sentences(case, articles)}
            if article is None or len(article.sentences) < 2 or bool(expected) != bool(case.get("answerable", True)):
                continue
            language = (case.get("tags") or {}).get("question_lang") or case.get("language") or detect(case["question"])
            numbers = range(len(article.sentences))
            vector = embedder.encode_question(case["question"])
            meaning = embedder.encode([article.quote(s) for s in article.sentences]) @ vector
            asked = set(terms(case["question"], language))
            shared = [
                len(asked & set(terms(article.quote(s), article.language))) / max(1, len(asked))
                for s in article.sentences
            ]
            found.append(
                Reading(
                    questions.name,
                    language,
                    bool(expected),
                    tuple(n in expected for n in numbers),
                    tuple(float(x) for x in scorer.score(case["question"], [reading(article, n) for n in numbers])),
                    tuple(float(m) + s for m, s in zip(meaning, shared, strict=True)),
                )
            )
    return found


def figures_of(readings: Sequence[Reading]) -> list[str]:
    """Lines of a Markdown table: right sentence of the right document, answerable or not, calibration."""
    lines = ["| set (questions) | figure | default | scorer (95 % interval) |", "|---|---|---|---|"]
    for name in dict.fromkeys(r.set for r in readings):
        own = [r for r in readings if r.set == name]
        good = [r for r in own if r.answerable]
        bad = [r for r in own if not r.answerable]
        plain, scored = (sum(_first_is_right(r.right, scores(r)) for r in good) for scores in (_PLAIN, _SCORED))
        low, high = wilson(scored, len(good))[-2:]
        lines.append(
            f"| {name} ({len(good)}) | right sentence of the right document | {plain / len(good):.3f} "
            f"| {scored / len(good):.3f} ({low:.3f}-{high:.3f}) |"
        )
        if bad:
            areas = [
                auroc([max(scores(r)) for r in good], [max(scores(r)) for r in bad]) or 0.0
                for scores in (_PLAIN, _SCORED)
            ]
            lines.append(f"| {name} ({len(own)}) | answerable or not, AUROC | {areas[0]:.3f} | {areas[1]:.3f} |")
    pairs = [
        (1 / (1 + math.exp(-x)), float(right)) for r in readings for x, right in zip(r.scorer, r.right, strict=True)
    ]
    error = calibration_error(pairs) or 0.0
    lines.append(f"| all ({len(pairs)} pairs) | expected calibration error, 10 bins | | {error:.3f} |")
    lines += [
        f"| | of those given {p:.2f} are right | | {share:.2f} ({n} pairs) |" for p, share, n in calibration(pairs) if n
    ]
    return lines


_PLAIN, _SCORED = attrgetter("plain"), attrgetter("scorer")


def _first_is_right(right: Sequence[bool], scores: Sequence[float]) -> bool:
    return right[max(range(len(scores)), key=lambda i: scores[i])]


def main(arguments: Sequence[str]) -> None:
    """Read the command line."""
    options = dict(a[2:].split("=", 1) for a in arguments if a.startswith("--"))
    words = [a for a in arguments if not a.startswith("--")]
    work = Path(options["work"])
    sets = question_sets({n: Path(f) for n, _, f in (w.partition("=") for w in words[1:])}, shipped_corpus())
    if words[0] == "pairs":
        mine(work, sets)
    elif words[0] == "scorer":
        train_scorer(
            work,
            options.get("base", ""),
            Path(options["out"]),
            steps=int(options["steps"]),
            rate=float(options.get("rate", 8e-5)),
            near=float(options.get("near", 0)),
            seed=int(options.get("seed", SEED)),
        )
    elif words[0] == "figures":
        scorer = Scorer.load(options["scorer"])
        assert scorer is not None, "figures are of a scorer"
        sys.stdout.write("\n".join(figures_of(read_documents(sets, Embedder.load(), scorer))) + "\n")


def _say(text: str) -> None:
    sys.stderr.write(text + "\n")
    sys.stderr.flush()


if __name__ == "__main__":
    main(sys.argv[1:])
