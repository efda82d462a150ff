"""Speed and memory beside what a user would otherwise build in an afternoon: same documents, same questions,
same process, in turns.

The plain pipeline: `RecursiveCharacterTextSplitter(1000, 200)`, `HuggingFaceEmbeddings` on the same model,
`Chroma.from_documents`, `similarity_search(k=4)`. It lives here, not in the product.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from rag.app import assemble, quoting
from rag.chat import Chatbot
from rag.corpus import Article, read_corpus
from rag.errors import UserError
from rag.evidence import reading
from rag.index import open_index
from rag.ingest import ingest
from rag.models import MINILM, Embedder, Scorer, model_folder
from rag.retrieve import forget_vectors
from rag.settings import Settings, shipped_corpus
from rag.text import sentences

Say = Callable[[str], None]
_ROUNDS = 3
_MOST_QUESTIONS = 200


class PlainPipeline:
    """The afternoon's pipeline over some articles; builds its index when constructed."""

    def __init__(self, articles: Sequence[Article], folder: Path) -> None:
        from langchain_chroma import Chroma
        from langchain_core.documents import Document
        from langchain_huggingface import HuggingFaceEmbeddings
        from langchain_text_splitters import RecursiveCharacterTextSplitter

        splitter = RecursiveCharacterTextSplitter(chunk_size=1000, chunk_overlap=200)
        documents = [Document(page_content=a.text, metadata={"article": a.id}) for a in articles]
        self._store = Chroma.from_documents(
            splitter.split_documents(documents),
            HuggingFaceEmbeddings(model_name=str(model_folder(MINILM)), model_kwargs={"device": "cpu"}),
            persist_directory=str(folder),
        )

    def search(self, question: str, k: int = 4) -> list[Any]:
        """Its best passages, as LangChain documents."""
        return self._store.similarity_search(question, k=k)

    def answer(self, question: str) -> str:
        """The first sentence of its first passage that shares most words with the question."""
        found = self.search(question)
        if not found:
            return ""
        text = found[0].page_content
        asked = set(question.lower().split())
        cuts = [text[a:b] for a, b in sentences(text)]
        return max(cuts, key=lambda s: len(asked & set(s.lower().split())), default="")


def run(
    settings: Settings,
    *,
    documents: Path | None,
    questions: Path | None,
    say: Say = lambda line: None,  # noqa: ARG005
) -> dict[str, Any]:
    """Measure both pipelines on the same documents and questions; see `to_text` for what it returns."""
    paths = [documents or settings.corpus or shipped_corpus()]
    corpus = read_corpus(paths)
    if not corpus.articles:
        raise UserError(f"No article could be read from {paths[0]}.")
    asked = _questions(questions or shipped_corpus() / "questions.jsonl")
    embedder, scorer = Embedder.load(settings.embedder), Scorer.load(settings.scorer)
    characters = sum(len(a.text) for a in corpus.articles)
    ours_ingest: list[float] = []
    plain_ingest: list[float] = []
    ours_latency: list[float] = []
    plain_latency: list[float] = []
    with tempfile.TemporaryDirectory(prefix="bpo-bench-") as top:
        for number in range(_ROUNDS):
            say(f"round {number + 1} of {_ROUNDS}: {len(corpus.articles)} articles, {len(asked)} questions")
            root = Path(top) / f"ours-{number}"
            began = time.perf_counter()
            ingest(paths, root, embedder)
            ours_ingest.append(time.perf_counter() - began)
            began = time.perf_counter()
            plain = PlainPipeline(corpus.articles, Path(top) / f"plain-{number}")
            plain_ingest.append(time.perf_counter() - began)
            index = open_index(root)
            engine = assemble(index, embedder, scorer)
            bot = Chatbot(index, engine.retriever, engine.evidence, quoting(engine, index, paths))
            for question in asked[:20]:  # warm
                bot.ask(question)
                plain.answer(question)
            forget_vectors()  # a question already asked would cost nothing
            for question in asked:
                ours_latency.append(_timed(bot.ask, question))
                plain_latency.append(_timed(plain.answer, question))
            index.close()
            if number + 1 < _ROUNDS:
                shutil.rmtree(root, ignore_errors=True)
        fresh = _start_up(Path(top) / f"ours-{_ROUNDS - 1}", asked[0])
    return {
        "documents": len(corpus.articles),
        "characters": characters,
        "questions": len(asked),
        "dtype": embedder.dtype,
        "ingest_characters_per_s": _pair(characters / min(ours_ingest), characters / min(plain_ingest)),
        "answer_ms_p50": _pair(_percentile(ours_latency, 50), _percentile(plain_latency, 50)),
        "answer_ms_p95": _pair(_percentile(ours_latency, 95), _percentile(plain_latency, 95)),
        "score_50_pairs_ms": round(_pairs_ms(scorer, corpus.articles, asked), 1) if scorer else None,
        "ask_from_nothing_s": round(fresh["seconds"], 2),
        "resident_mb_after_100_questions": round(fresh["resident_mb"]),
    }


def _pairs_ms(scorer: Scorer, articles: Sequence[Article], asked: Sequence[str]) -> float:
    """Median time in which the scorer reads 50 sentences of the documents against a question."""
    texts = [reading(a, n) for a in articles for n in range(min(3, len(a.sentences)))][:50]
    return _percentile([_timed(lambda q: scorer.score(q, texts), q) for q in asked[:20]], 50)


def to_text(result: dict[str, Any]) -> str:
    """The result as a small table."""
    lines = [
        f"{result['documents']} documents, {result['characters']:,} characters, {result['questions']} questions, "
        f"embedder in {result['dtype']}",
        f"{'':32}{'bpo':>12}{'plain':>12}{'ratio':>8}",
    ]
    for name in ("ingest_characters_per_s", "answer_ms_p50", "answer_ms_p95"):
        row = result[name]
        lines.append(f"{name:32}{row['bpo']:>12,.1f}{row['plain']:>12,.1f}{row['ratio']:>8.2f}")
    lines.append(f"{'score_50_pairs_ms':32}{result['score_50_pairs_ms'] or '-':>12}")
    lines.append(f"{'ask_from_nothing_s':32}{result['ask_from_nothing_s']:>12}")
    lines.append(f"{'resident_mb_after_100_questions':32}{result['resident_mb_after_100_questions']:>12}")
    return "\n".join(lines)


_FRESH = """
import sys, time
began = time.perf_counter()
from pathlib import Path
from rag.app import open_chatbot
from rag.settings import read_settings
bot = open_chatbot(read_settings(index=Path(sys.argv[1])))
bot.ask(sys.argv[2])
seconds = time.perf_counter() - began
for n in range(100):
    bot.ask(f"{sys.argv[2]} {n}")
import json, psutil
print(json.dumps({"seconds": seconds, "resident_mb": psutil.Process().memory_info().rss / 1e6}))
"""


def _start_up(index: Path, question: str) -> dict[str, float]:
    """A fresh process: from the start to the first answer, and its memory after 100 questions."""
    run_ = subprocess.run(
        [sys.executable, "-c", _FRESH, str(index), question], capture_output=True, text=True, check=False
    )
    if run_.returncode:
        raise UserError(f"The fresh process failed: {run_.stderr.strip().splitlines()[-1:]}")
    found: dict[str, float] = json.loads(run_.stdout.strip().splitlines()[-1])
    return found


def start(settings: Settings, *, rounds: int = 3, say: Say = lambda line: None) -> dict[str, Any]:  # noqa: ARG005
    """Seconds, and seconds of processor time, that `bpo chat` takes until its page can be reached and until it has
    answered, and that `bpo ask` takes in all: fresh processes, in turns, over an index that is ready and current.

    Raises UserError when one of them fails. Returns lists of figures, one a round, after one that is not counted.
    """
    question = _questions(shipped_corpus() / "questions.jsonl")[0]
    seconds: dict[str, list[float]] = {name: [] for name in ("page", "page_answer", "ask", "ask_cpu")}
    bpo = [sys.executable, "-m", "rag"]
    where = {**os.environ, "BPO_INDEX": str(settings.index)}
    for number in range(rounds + 1):
        say(f"start {number} of {rounds}" if number else "a start that is not counted: it makes the index ready")
        before, began = os.times(), time.perf_counter()
        ran = subprocess.run([*bpo, "ask", question], env=where, capture_output=True, text=True, check=False)
        took, after = time.perf_counter() - began, os.times()
        if ran.returncode:
            raise UserError(f"`bpo ask` failed: {ran.stderr.strip()}")
        page, answer = _page(bpo, where, question)
        if number:
            cpu = after.children_user + after.children_system - before.children_user - before.children_system
            for name, value in (("page", page), ("page_answer", answer), ("ask", took), ("ask_cpu", cpu)):
                seconds[name].append(round(value, 2))
    return {"rounds": rounds, "seconds": seconds}


def start_to_text(result: dict[str, Any]) -> str:
    """The result as a small table."""
    names = {
        "page": "bpo chat: page reachable",
        "page_answer": "bpo chat: first answer",
        "ask": "bpo ask",
        "ask_cpu": "bpo ask, processor time",
    }
    lines = [f"{'seconds, of ' + str(result['rounds']) + ' starts':32}{'least':>8}{'median':>8}{'most':>8}"]
    for name, values in result["seconds"].items():
        lines.append(f"{names[name]:32}{min(values):>8.2f}{_percentile(values, 50):>8.2f}{max(values):>8.2f}")
    return "\n".join(lines)


def _page(bpo: Sequence[str], where: Mapping[str, str], question: str) -> tuple[float, float]:
    """Seconds from the start of `bpo chat` until its page comes, and until it has answered over its API."""
    began = time.perf_counter()
    command = [*bpo, "chat", "--no-browser", "--port", "0"]
    with subprocess.Popen(command, env=dict(where), stderr=subprocess.PIPE, text=True) as page:
        try:
            said = ""
            while page.stderr is not None and "http://" not in said and (line := page.stderr.readline()):
                said = line
            address = said.partition("http://")[2].strip()
            if not address:
                raise UserError(f"`bpo chat` failed: {said.strip()}")
            with urllib.request.urlopen(f"http://{address}/") as front:
                front.read()
            reached = time.perf_counter() - began
            call = f"http://{address}/gradio_api/call/ask"
            body = json.dumps({"data": [question]}).encode()
            asked = urllib.request.Request(call, body, {"Content-Type": "application/json"})
            with urllib.request.urlopen(asked) as response:
                event = json.load(response)["event_id"]
            with urllib.request.urlopen(f"{call}/{event}") as stream:
                answer = stream.read().decode()
            if "event: complete" not in answer:
                raise UserError(f"The page did not answer: {answer.strip()}")
            return reached, time.perf_counter() - began
        finally:
            page.terminate()


def _questions(file: Path) -> list[str]:
    try:
        rows = [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines() if line.strip()]
        asked = [str(row["question"]) for row in rows if not row.get("history")]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise UserError(f"Questions {file}: expected JSONL with a `question` in each line ({error}).") from None
    step = max(1, len(asked) // _MOST_QUESTIONS)
    return asked[::step][:_MOST_QUESTIONS]


def _timed(call: Callable[[str], object], question: str) -> float:
    """Milliseconds that one call takes."""
    began = time.perf_counter()
    call(question)
    return 1000 * (time.perf_counter() - began)


def _percentile(values: Sequence[float], percent: int) -> float:
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, max(0, -(-len(ordered) * percent // 100) - 1))]


def _pair(ours: float, plain: float) -> dict[str, float]:
    return {"bpo": round(ours, 1), "plain": round(plain, 1), "ratio": round(ours / plain, 3)}
