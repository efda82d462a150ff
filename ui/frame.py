"""The page around the thread -> HTML: the empty page, the header, the panel of sources, the hover card."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from rag.export import FORMATS
from rag.text import LANGUAGES, Language
from ui.journal import REASONS
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
    worded = ""
    if facts.get("model"):
        sent = "worded_at" if facts.get("model_at") else "worded_here"
        worded = f"<p>{both(sent, model=safe(str(facts['model'])), where=safe(str(facts['model_at'])))}</p>"
    return f'<div class="welcome"><h2>{both("welcome")}</h2><p>{both(key, **shown)}</p>{worded}{lists}</div>'


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


_LEFT, _RIGHT, _CROSS, _HALF, _LINES, _PEN, _BIN, _DOWN = (
    _icon(shape)
    for shape in (
        '<path d="M10 3 5 8l5 5"/>',
        '<path d="M6 3l5 5-5 5"/>',
        '<path d="M4 4l8 8M12 4l-8 8"/>',
        '<circle cx="8" cy="8" r="6"/><path d="M8 2a6 6 0 0 1 0 12z"/>',
        '<path d="M2 4h12M2 8h12M2 12h12"/>',
        '<path d="M3 13l.5-3L11 2.5 13.5 5 6 12.5z"/>',
        '<path d="M3 4.5h10M6.5 4V2.5h3V4M4.5 4.5 5 13.5h6l.5-9"/>',
        '<path d="M8 2v8M4.5 7 8 10.5 11.5 7M2.5 13.5h11"/>',
    )
)
_SPOKEN = (
    *("placeholder", "ask", "gone", "copied", "deleted", "undo", "rename", "delete", "today", "yesterday"),
    *(
        "feedback",
        "feedback_good",
        "feedback_cite",
        "feedback_sent",
        "feedback_failed",
        "no_conversations",
        "search_conversations",
        "nothing_found",
        "not_kept",
        "not_shown",
        "too_long",
    ),
)


def frame(views: Sequence[str], *, shared: bool = False) -> str:
    """Build what stands around the thread: header, conversations, views, panel of sources, hover card, dialog.

    `shared` tells the page's script to keep conversations with the server.
    """
    names = {"en": "English", "es": "Español"}
    languages = "".join(
        f'<button type="button" class="speak" lang="{x}" value="{x}">{names[x]}</button>' for x in LANGUAGES
    )
    told = {"no_conversations": "no_conversations_shared"} if shared else {}
    spoken = " ".join(
        f'data-{key.replace("_", "-")}-{x}="{safe(say(told.get(key, key), x))}"' for key in _SPOKEN for x in LANGUAGES
    ) + (" data-shared" if shared else "")
    links = f'<a class="view" href="#chat">{both("chat")}</a>' + "".join(
        f'<a class="view" href="#view/{name}">{both(f"view_{name}")}</a>' for name in views
    )
    return (
        f'<template id="frame" {spoken}>'
        f'<header id="top"><a class="skip" href="#composer">{both("skip")}</a>{_button("side", "open_menu", _LINES)}'
        f'<h1>bpo <span>{both("about")}</span></h1><nav class="views" aria-labelledby="views">{links}</nav>{_export()}'
        f'<div class="languages">{languages}</div>{_button("theme", "dark", _HALF)}</header>'
        f'<nav id="side" aria-labelledby="kept" hidden><h2 class="sr" id="kept">{both("conversations")}</h2>'
        f'<h2 class="sr" id="views">{both("views")}</h2><a class="new" href="#new">{both("new")}</a>'
        f'<div class="views">{links}</div>'
        f'<label class="find"><span class="sr">{both("search_conversations")}</span><input type="search"></label>'
        '<div class="kept-list"></div></nav>'
        '<main id="view" hidden></main>'
        f'<aside id="panel" aria-labelledby="what" hidden><div class="bar">{_button("handle", "handle", "")}'
        f'{_button("back", "back", _LEFT)}<h2 class="what" id="what"></h2>'
        f'<div class="steps">{_button("step previous", "previous", _LEFT)}<span class="place"></span>'
        f"{_button('step next', 'next', _RIGHT)}</div>{_button('close', 'close', _CROSS)}</div>"
        '<div class="list"></div><div class="reader"></div></aside>'
        '<div id="card" role="tooltip" hidden></div>'
        f'{_filters()}{_feedback()}<template id="entry"><li><a></a><button type="button" class="rename">{_PEN}</button>'
        f'<button type="button" class="delete">{_BIN}</button></li></template>'
        '<div id="spoken" class="sr" role="status"></div></template>'
    )


def _export() -> str:
    forms = "".join(
        f'<button type="button" class="export" value="{form}">{both(f"export_{form}")}</button>' for form in FORMATS
    )
    return (
        f'<details class="menu" hidden><summary>{_DOWN}<span>{both("export")}</span></summary>'
        f'<div>{forms}<button type="button" class="link">{both("copy_link")}</button></div></details>'
    )


def _filters() -> str:
    return (
        f'<form id="filters"><details class="narrow"><summary>{both("filters")}</summary><div class="choices"></div>'
        f'</details><span class="chosen"></span>'
        f'<button type="button" class="unfilter" hidden>{both("unfilter")}</button></form>'
    )


def _feedback() -> str:
    reasons = "".join(
        f'<label><input type="radio" name="reason" value="{reason}">{both(f"reason_{reason}")}</label>'
        for reason in REASONS
    )
    return (
        '<dialog id="feedback" aria-labelledby="feedback-title"><form method="dialog">'
        f'<h2 id="feedback-title"></h2><blockquote></blockquote>'
        f'<fieldset><legend class="sr">{both("reason")}</legend>{reasons}</fieldset>'
        f'<label class="field">{both("feedback_note")}'
        '<textarea name="note" rows="2" maxlength="4000"></textarea></label>'
        f'<label class="field expected">{both("feedback_expected")}'
        '<textarea name="expected" rows="2" maxlength="4000"></textarea></label>'
        f'<label><input type="checkbox" name="case">{both("make_case")}</label>'
        f'<p><button value="" class="quiet">{both("cancel")}</button>'
        f'<button value="send" class="send">{both("send")}</button></p></form></dialog>'
    )
