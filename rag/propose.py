"""Find the questions to suggest: ask the engine all that the articles ask themselves, keep what it answers.

    python -m rag.propose corpus/suggestions.jsonl   those of the shipped articles, written where they are shipped

`bpo ingest` finds those of other documents with `propose`, and keeps them beside the index.
"""

from __future__ import annotations

import sys
from pathlib import Path

from rag.app import open_chatbot
from rag.chat import Chatbot
from rag.settings import Settings, read_settings
from rag.suggest import FILE, Suggestions, verified

_MOST_ARTICLES = 60  # of an own library: a minute of asking is what suggestions are worth
_MOST_OF_ARTICLE = 3


def propose(settings: Settings) -> int:
    """Find the questions to suggest for an index whose articles have none; how many there are then.

    Raises WorkError when they cannot be written beside the index.
    """
    bot = open_chatbot(settings)
    if len(bot.suggestions) or not bot.articles:
        return len(bot.suggestions)
    found = find(bot, articles=_MOST_ARTICLES, each=_MOST_OF_ARTICLE)
    found.write(settings.index / FILE, bot.articles)
    return len(found)


def find(bot: Chatbot, *, articles: int | None = None, each: int = 6) -> Suggestions:
    """The questions that an engine answers from the article that suggests them."""
    some = list(bot.articles.values())[:articles]
    return verified(some, lambda question, language: bot.ask(question, language=language), most=each)


def main() -> None:
    """Write those of the shipped articles into a file."""
    file = Path(sys.argv[1])
    bot = open_chatbot(read_settings())
    found = find(bot)
    found.write(file, bot.articles)
    sys.stderr.write(f"{len(found)} questions in {file}.\n")


if __name__ == "__main__":
    main()
