"""The filters of a conversation: what can be chosen, as HTML, and what was chosen."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence

from rag.chat import Chatbot
from rag.corpus import KINDS as ALL_KINDS
from rag.filter import EVERYTHING, Filter
from rag.text import LANGUAGES, Language
from ui.render import safe
from ui.words import kind_name, place_name, say


def read_filter(text: str) -> Filter:
    """Read what the page's script chose, JSON; nothing else filters anything."""
    try:
        given = json.loads(text)
    except (ValueError, RecursionError):
        return EVERYTHING
    return Filter.read(given) if isinstance(given, dict) else EVERYTHING


def choices(bot: Chatbot, language: Language) -> str:
    """Give what can be chosen of a corpus; what would not tell its sources apart is left out."""
    sources = {s.id: s for a in bot.articles.values() for s in a.sources}.values()
    kinds = Counter(s.kind for s in sources)
    boxes = "".join(
        f'<label><input type="checkbox" name="kinds" value="{k}">{kind_name(k, language)}'
        f"<small>{kinds[k]}</small></label>"
        for k in ALL_KINDS
        if kinds[k]
    )
    kind = f"<fieldset><legend>{say('filter_kinds', language)}</legend>{boxes}</fieldset>" if len(kinds) > 1 else ""
    dates = "".join(
        f'<label>{say(key, language)}<input type="date" name="{name}" min="1900-01-01" max="2099-12-31"></label>'
        for name, key in (("since", "filter_from"), ("until", "filter_to"))
    )
    spoken = [(x, say(f"filter_{x}", language)) for x in LANGUAGES]
    places = {p for a in bot.articles.values() for p in a.places}
    named = sorted((place_name(p, language), p) for p in places)
    return (
        f"{kind}{dates if any(s.issued for s in sources) else ''}"
        f"{_select('language', 'filter_language', spoken, language)}"
        f"{_select('place', 'place', [(p, name) for name, p in named], language)}"
        f"<p>{say('filter_about', language)}</p>"
    )


def _select(name: str, label: str, values: Sequence[tuple[str, str]], language: Language) -> str:
    options = "".join(f'<option value="{safe(value)}">{safe(words)}</option>' for value, words in values)
    anything = f'<option value="">{say("filter_any", language)}</option>'
    return f'<label>{say(label, language)}<select name="{name}">{anything}{options}</select></label>' if values else ""
