"""A chatbot takes seconds to open: the page stands before it and says how far it is."""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Callable
from concurrent.futures import Future, wait

from rag.chat import Chatbot
from rag.errors import UserError
from rag.text import Language
from ui.words import say

log = logging.getLogger("bpo.page")


class Opening:
    """A chatbot that is opened in the background, so that the page can be reached before it stands."""

    def __init__(self, open_bot: Callable[[], Chatbot]) -> None:
        self._open_bot = open_bot
        self._bot: Future[Chatbot] = Future()
        self._bot.set_running_or_notify_cancel()

    def start(self) -> None:
        """Begin to open the chatbot."""
        threading.Thread(target=self._open, name="open-bot", daemon=True).start()

    def _open(self) -> None:
        try:
            self._bot.set_result(self._open_bot())
        except BaseException as error:  # kept for whoever waits for the chatbot
            if not isinstance(error, UserError):
                log.error("the chatbot could not be opened", exc_info=error)
            self._bot.set_exception(error)

    @property
    def over(self) -> bool:
        """Whether the opening has ended, well or badly."""
        return self._bot.done()

    def problem(self, language: Language = "en") -> str:
        """Why there is no chatbot, in one sentence; "" while it is opened and when it stands."""
        error = self._bot.exception() if self._bot.done() else None
        return sentence(error, "not_opened", language) if error else ""

    def settle(self) -> None:
        """Wait until the opening has ended."""
        wait([self._bot])

    async def end(self) -> None:
        """Wait until the opening has ended, without holding a thread."""
        await asyncio.wait([asyncio.wrap_future(self._bot)])

    def bot(self) -> Chatbot:
        """Give the chatbot; to be asked when the opening has ended well."""
        return self._bot.result()


def sentence(error: BaseException, otherwise: str, language: Language) -> str:
    """Say what went wrong: the user's own error in its words, any other by what it kept from happening."""
    return str(error) if isinstance(error, UserError) else say(otherwise, language)
