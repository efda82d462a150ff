"""What can be looked at beside the chat: each view is a function from the chatbot to HTML.

A view is registered in `ui.page.VIEWS`; its name in the header is `view_NAME` of `ui.words`. Its address in the page is
`#view/NAME?key=value`: links to such addresses, and forms of the class `view-form` (their fields become the query),
show the view anew, without reloading. Links to `#cite/…` (`ui.render.address`) open the reader beside it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import NamedTuple

from rag.chat import Chatbot
from rag.text import Language


class View(NamedTuple):
    """A view: its name in the address, and what it shows for a query, as HTML in which all text is escaped."""

    name: str
    show: Callable[[Chatbot, Mapping[str, str], Language], str]
