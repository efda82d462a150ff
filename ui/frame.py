"""The page around the thread -> HTML: the empty page, the header, the panel of sources, the hover card."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from rag.text import LANGUAGES, Language
from ui.render import both, safe
from ui.words import say


def welcome(facts: Mapping[str, object], examples: Mapping[Language, Sequence[str]]) -> str:
    """Show on the empty page what can be asked, with questions that are answered."""
    key = "welcome_facts" if facts.get("oldest") and facts.get("newest") else "welcome_facts_undated"
    shown = {name: f"{n:,}" if isinstance(n, int) else safe(str(n)[:4]) for name, n in facts.items()}
    lists = "".join(
        f'<div class="examples in-{x}" lang="{x}">'
        + "".join(f'<button type="button" class="ask">{safe(q)}</button>' for q in examples[x])
        + "</div>"
        for x in LANGUAGES
    )
    return f'<div class="welcome"><h2>{both("welcome")}</h2><p>{both(key, **shown)}</p>{lists}</div>'


def waiting() -> str:
    """Show on the empty page that the models load."""
    return (
        f'<div class="welcome"><h2>{both("welcome")}</h2><p class="stage">{both("loading")}</p>'
        f"<p>{both('loading_more')}</p></div>"
    )


def broken(sentence: str) -> str:
    """Show on the empty page why there is no chatbot."""
    return f'<div class="welcome"><p class="failure">{safe(sentence)}</p></div>'


def _button(name: str, key: str, inner: str) -> str:
    return f'<button type="button" class="{name}">{inner}<span class="sr">{both(key)}</span></button>'


def _icon(shape: str) -> str:
    return f'<svg viewBox="0 0 16 16" aria-hidden="true">{shape}</svg>'


_LEFT, _RIGHT, _CROSS, _HALF = (
    _icon(shape)
    for shape in (
        '<path d="M10 3 5 8l5 5"/>',
        '<path d="M6 3l5 5-5 5"/>',
        '<path d="M4 4l8 8M12 4l-8 8"/>',
        '<circle cx="8" cy="8" r="6"/><path d="M8 2a6 6 0 0 1 0 12z"/>',
    )
)


def frame() -> str:
    """Build what stands around the thread: header, panel of sources, hover card, spoken line."""
    names = {"en": "English", "es": "Español"}
    languages = "".join(
        f'<button type="button" class="speak" lang="{x}" value="{x}">{names[x]}</button>' for x in LANGUAGES
    )
    spoken = " ".join(
        f'data-{key}-{x}="{safe(say(key, x))}"' for key in ("placeholder", "ask", "gone") for x in LANGUAGES
    )
    return (
        f'<template id="frame" {spoken}>'
        f'<header id="top"><a class="skip" href="#composer">{both("skip")}</a>'
        f'<h1>bpo <span>{both("about")}</span></h1><a class="new" href="./">{both("new")}</a>'
        f'<div class="languages">{languages}</div>{_button("theme", "dark", _HALF)}</header>'
        f'<aside id="panel" aria-labelledby="what" hidden><div class="bar">{_button("handle", "handle", "")}'
        f'{_button("back", "back", _LEFT)}<h2 class="what" id="what"></h2>'
        f'<div class="steps">{_button("step previous", "previous", _LEFT)}<span class="place"></span>'
        f"{_button('step next', 'next', _RIGHT)}</div>{_button('close', 'close', _CROSS)}</div>"
        '<div class="list"></div><div class="reader"></div></aside>'
        '<div id="card" role="tooltip" hidden></div>'
        '<div id="spoken" class="sr" role="status"></div></template>'
    )
