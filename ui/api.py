"""What programs call: `ask` and `search`, by gradio_client, plain HTTP and MCP alike."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import gradio as gr
from mcp.types import TextContent

from rag.chat import Chatbot, Turn, turns_of
from rag.text import LANGUAGES
from ui.opening import Opening


def whole(question: str) -> str:
    """Replace the half characters (lone surrogates) of a question, which no encoding can write."""
    return question.encode("utf-8", "replace").decode().strip()


def asking(opening: Opening) -> Callable[..., Iterator[dict[str, Any]]]:
    """Give the public function `ask`, whose docstring is what API and MCP show.

    It yields the answer as it grows, so that a chat model's sentences can be read as they are checked; who waits
    for the end gets the whole answer, which is the only one without a chat model.
    """

    def ask(question: str, history: list[dict[str, Any]] | None = None, language: str = "") -> Iterator[dict[str, Any]]:
        """Answer a question about Mexico's BPO and contact-center sector, in English or Spanish.

        Every sentence of the answer is a quote from the sources, or where a language model words the answers
        ("mode": "model") checked against its quotes, each with its article, characters, original publications and
        dates. A question that the sources do not answer gets "answered": false and the
        closest quotes. Nothing is remembered between calls.

        Args:
            question: The question, in English or Spanish, up to 4,000 characters.
            history: Earlier messages, oldest first, each {"role": "user" or "assistant", "content": text}.
            language: "en" or "es" to choose the language of the answer; empty for that of the question.

        Returns:
            The answer: text, claims, citations, conflicts, what is missing, suggestions, passages, timings.
        """
        if language and language not in LANGUAGES:
            raise gr.Error(f"language {language!r}: expected en, es or nothing", print_exception=False)
        chosen = next((x for x in LANGUAGES if x == language), None)
        for answer in _bot(opening).stream(whole(question), _turns(history or ()), language=chosen):
            yield answer.to_json()

    return ask


def searching(opening: Opening) -> Callable[..., list[dict[str, Any]]]:
    """Give the public function `search`, whose docstring is what API and MCP show."""

    def search(question: str, k: int = 10) -> list[dict[str, Any]]:
        """Find the passages of the sources nearest to a question, best first, without answering it.

        Args:
            question: The question, in English or Spanish, up to 4,000 characters.
            k: How many passages to return, 1 to 100.

        Returns:
            Passages, each with article, title, heading, language, start, end, score and text.
        """
        bot = _bot(opening)
        hits = bot.search(whole(question), max(1, min(int(k), 100)))
        return [_passage(bot, hit.passage.metadata, hit.passage.page_content, hit.score) for hit in hits]

    return search


def _passage(bot: Chatbot, metadata: Mapping[str, Any], text: str, score: float) -> dict[str, Any]:
    article = bot.article(metadata["article"])
    return {
        "article": metadata["article"],
        "title": article.title if article else "",
        **{name: metadata[name] for name in ("heading", "language", "start", "end")},
        "score": round(float(score), 4),
        "text": text,
    }


def _bot(opening: Opening) -> Chatbot:
    """Wait for the chatbot on behalf of a program. Raises gr.Error with one sentence when there is none."""
    opening.settle()
    if opening.problem():
        raise gr.Error(opening.problem(), print_exception=False)
    return opening.bot()


def _turns(messages: Sequence[Mapping[str, Any]]) -> list[Turn]:
    try:
        return turns_of(messages)
    except (AttributeError, KeyError, TypeError, ValueError):
        expected = 'history: expected objects {"role": "user" or "assistant", "content": text}'
        raise gr.Error(expected, print_exception=False) from None


class Published(gr.Blocks):
    """Gradio's blocks, in which a program's call may leave out the arguments that have a default."""

    def validate_inputs(self, block_fn: Any, inputs: list[Any]) -> None:
        """Put the defaults where `{"data": [question]}` has nothing; Gradio itself refuses such calls."""
        if inputs and block_fn.api_name in ("ask", "search"):
            inputs.extend(given.value for given in block_fn.inputs[len(inputs) :])
        super().validate_inputs(block_fn, inputs)


def as_json(outputs: Sequence[Any], _root: str) -> list[Any]:
    """Write results as JSON for MCP clients, to whom Gradio hands Python's repr."""
    return [TextContent(type="text", text=json.dumps(output, ensure_ascii=False)) for output in outputs]
