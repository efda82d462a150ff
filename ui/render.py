"""Answer -> HTML. Pure functions: all text of documents and users is escaped here and nowhere else.

A mark describes itself: its address `#cite/ARTICLE/START/END/CHECK` is all that is needed to open the
reader, so the marks of every earlier answer keep working, and CHECK tells when the words have changed since.
Each fragment is one line that opens a block, which Markdown passes through untouched.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from html import escape
from typing import Any, NamedTuple
from urllib.parse import quote as percent
from urllib.parse import urlsplit
from zlib import crc32

from rag.answer import Answer
from rag.corpus import Article, Source
from rag.evidence import Citation, Claim, Conflict
from rag.origins import Interest, interest
from rag.text import LANGUAGES, Language, sentences
from ui.chart import bars, values_over_time
from ui.kept import keep
from ui.words import KINDS, ago, count, day, filter_words, say


class Exchange(NamedTuple):
    """A question and its answer as they stand in the thread."""

    turn: int
    question: str
    text: str
    body: str


class Thread(NamedTuple):
    """A conversation: the name that the browser gave it ("" until it has one), and what was exchanged."""

    name: str = ""
    exchanges: tuple[Exchange, ...] = ()


def safe(text: str) -> str:
    r"""Write text as HTML: markup becomes characters, and line ends cannot end a Markdown block.

    >>> safe("<b>\n\n'x'")
    '&lt;b&gt;&#10;&#10;&#x27;x&#x27;'
    """
    return escape(text).replace("\r", "&#13;").replace("\n", "&#10;")


_SYNTAX = re.compile(r"\*\*|__|`|\[(?P<label>[^\[\]\n]{1,300})\](?P<target>\([^()\s]{1,500}\))")


def unmarked(text: str) -> str:
    """Put Markdown marks out of sight but leave them there: the characters of a quote never change."""
    pieces, position = [], 0
    for found in _SYNTAX.finditer(text):
        pieces.append(safe(text[position : found.start()]))
        position = found.end()
        if found["label"] is None:
            pieces.append(_hidden(found[0]))
        else:
            pieces += [_hidden("["), safe(found["label"]), _hidden("]" + found["target"])]
    return "".join([*pieces, safe(text[position:])])


def _hidden(syntax: str) -> str:
    return f'<span class="syntax">{safe(syntax)}</span>'


def address(citation: Citation) -> str:
    """Address a citation in the page."""
    return f"#cite/{percent(citation.article, safe='')}/{citation.start}/{citation.end}/{check(citation.quote)}"


def address_of(article: Article, start: int, end: int) -> str:
    """Address any characters of an article in the page."""
    return f"#cite/{percent(article.id, safe='')}/{start}/{end}/{check(article.text[start:end])}"


def check(quote: str) -> str:
    """Sum up cited words, so that a mark recognises them.

    >>> check("300 centers")
    'df9ab802'
    """
    return f"{crc32(quote.encode()):08x}"


def both(key: str, **values: object) -> str:
    """Give a word in both languages, of which the page shows the one that is chosen."""
    return "".join(f'<span class="in-{x}" lang="{x}">{say(key, x, **values)}</span>' for x in LANGUAGES)


def question(text: str, turn: int, language: Language) -> str:
    """Show a question in the thread."""
    asker = say("you", language)
    return f'<h2 class="asked" id="q-{turn}" dir="auto"><span class="sr">{asker}: </span>{safe(text)}</h2>'


def stage(key: str, language: Language, so_far: str = "", **values: object) -> str:
    """Show what is being done while an answer is awaited, below what there is of it."""
    stop = f'<button type="button" class="halt">{say("halt", language)}</button>'
    doing = f'<p class="stage">{say(key, language, **values)}</p>'
    return f'<div class="answer pending" lang="{language}">{so_far}{doing}{stop}</div>'


def growing(given: Answer) -> str:
    """Show the sentences that there are of an answer, each with its marks, while the next ones are awaited."""
    return stage("checking", given.language, _claims(given.claims, given) + _trace(_looked(given)))


def failure(sentence: str, language: Language, question: str = "") -> str:
    """Show a message in place of an answer, and the question, if there is one, to be asked again."""
    again = _questions("retry", [question] if question else [], language)
    return f'<div class="answer final" lang="{language}"><p class="failure">{safe(sentence)}</p>{again}</div>'


def answer(given: Answer, turn: int, conversation: str = "") -> str:
    """Show an answer: marked sentences, disagreements, what is missing, the verdict, the source cards.

    It carries what the browser keeps of it, under the name of its conversation.
    """
    language = given.language
    if given.answered:
        parts = [
            comparison(given),
            _claims([c for c in given.claims if not _is_cell(c, given)], given),
            *(conflict(c, given) for c in given.conflicts),
            over_time(given),
            _listing("missing", given.missing, language),
            f'<p class="note">{safe(given.note)}</p>' if given.note else "",
            verdict_line(given),
            source_cards(given.citations, "sources_title", language, _acts(given)),
        ]
    elif given.mode == "chat" or not (given.closest or given.missing):
        parts = [f'<p class="note">{safe(given.note)}</p>']
    else:
        parts = [refusal(given), f'<div class="more">{_acts(given)}</div>']
        parts.append(_cards(given.closest, "closest", language))
    if given.within:
        shown = say("filtered", language, filter=safe(filter_words(given.within, language)))
        parts.insert(0, f'<p class="within">{shown}</p>')
        if given.excluded and not given.answered:
            again = f'<button type="button" class="unfiltered">{say("unfiltered", language)}</button>'
            parts.append(f'<div class="more">{again}</div>')
    parts.append(_questions("followups", given.suggestions, language))
    parts.append(f'<p class="spoken">{_spoken(given)}</p>')
    parts.append(f'<div class="kept" title="{safe(conversation)}">{safe(keep(given))}</div>')
    return f'<div class="answer final" id="a-{turn}" lang="{language}">{"".join(parts)}</div>'


def _acts(given: Answer) -> str:
    names = ("copy", "good", "bad")
    return "".join(f'<button type="button" class="{n}">{say(n, given.language)}</button>' for n in names)


def _claims(claims: Sequence[Claim], given: Answer) -> str:
    shown = "".join(f'<p class="claim">{_said(c, given)}</p>' for c in claims)
    return f'<div class="claims">{shown}</div>' if shown else ""


def _said(claim: Claim, given: Answer) -> str:
    """Show the words of a claim, its marks, and in whose interest it is."""
    marks = "".join(mark(c, given.number(c), given.language, verdict=claim.verdict) for c in claim.citations)
    words = _words(claim.text, claim.citations[0].language, given.language)
    return f"{words}{marks}{interested(interest(claim), given.language)}"


def interested(whose: Interest, language: Language) -> str:
    """Say that only vendors state something, or that one says it of itself; "" for anything else."""
    return f'<span class="interest">{say(f"interest_{whose}", language)}</span>' if whose else ""


def interest_of(citation: Citation) -> Interest:
    """Whose word the cited words rest on: see `rag.origins.interest`."""
    return interest(Claim(citation.quote, (citation,)))


def mark(citation: Citation, number: int, language: Language, *, verdict: str = "supported") -> str:
    """Show the numbered mark after a sentence."""
    kind = "ok" if verdict == "supported" else "part"
    partly = "" if kind == "ok" else f'<span class="sr">, {say("partly", language)}</span>'
    return (
        f'<sup class="mark {kind}">'
        f'<a class="cite" role="doc-noteref" href="{address(citation)}">'
        f'<span class="sr">{say("source", language)} </span><span class="n">{number}</span>{partly}</a></sup>'
    )


def _words(text: str, language: str, around: str) -> str:
    foreign = f' lang="{language}"' if language in LANGUAGES and language != around else ""
    return f'<span class="said"{foreign}>{unmarked(text)}</span>'


def verdict_line(given: Answer) -> str:
    """Say what the answer stands on: sentences, independent sources, the newest date."""
    done = _looked(given)
    if given.passages and given.timings_ms:
        done.append(f"{given.timings_ms.get('total', 0):,.0f} ms")
    if given.wording:
        done.append(_worded(given.wording, given.language))
    return f'<p class="verdict">{" · ".join(_verdict(given))}</p>{_trace(done)}'


def _looked(given: Answer) -> list[str]:
    """What was done before the first sentence: how the question was understood, how much was read."""
    done = []
    if given.standalone_question and given.standalone_question.strip() != given.question.strip():
        done.append(say("understood", given.language, question=safe(given.standalone_question)))
    if given.passages:
        passages = count("passage_count", len(given.passages), given.language)
        articles = count("article_count", len({h.passage.metadata["article"] for h in given.passages}), given.language)
        done.append(say("read_trace", given.language, passages=passages, articles=articles))
    return done


def _trace(done: Sequence[str]) -> str:
    return f'<p class="trace">{" · ".join(done)}</p>' if done else ""


def _worded(wording: Mapping[str, Any], language: Language) -> str:
    """Which language model wrote, and what that took; what it wrote before costs nothing again."""
    tokens = f"{wording.get('input_tokens', 0) + wording.get('output_tokens', 0):,}"
    used = say("worded_trace", language, model=safe(str(wording.get("model", ""))), n=wording.get("calls", 0), m=tokens)
    cost = wording.get("cost_usd")
    return used if cost is None else f"{used} · US${cost:.4f}"


def _verdict(given: Answer) -> list[str]:
    sources = {s.id: s for c in given.citations for s in c.sources}.values()
    newest = max((s.issued for s in sources), default="")
    good = sum(c.verdict == "supported" for c in given.claims)
    key = "quoted" if given.mode == "quotes" else "checked"
    if good == len(given.claims) == 1:
        key += "_1"
    parts = [say(key, given.language, n=good, m=len(given.claims))]
    if given.independent_sources:
        parts.append(count("source_count", given.independent_sources, given.language))
    if newest:
        parts.append(say("newest", given.language, date=day(newest[:7], given.language)))
    return parts


def _spoken(given: Answer) -> str:
    if given.answered:
        sentences, *rest = _verdict(given)
        sources = rest[0] if rest else count("sources", 0, given.language)
        return safe(say("answer_ready", given.language, sentences=sentences, sources=sources))
    return safe(given.note or say("refusal_ready", given.language))


def conflict(found: Conflict, given: Answer) -> str:
    """Show the sides of a disagreement: what is said, as of when, by what kind of source."""
    language = given.language
    rows = "".join(
        f"<tr><td>{_words(s.text, s.citation.language, language)}"
        f"{mark(s.citation, given.number(s.citation), language)}{interested(interest_of(s.citation), language)}</td>"
        f"<td>{safe(day(s.as_of, language))}</td><td>{_publishers(s.citation.sources, language)}</td></tr>"
        for s in found.statements
    )
    heads = "".join(f'<th scope="col">{say(k, language)}</th>' for k in ("statement", "as_of", "publication"))
    reason = f'<p class="reason">{safe(found.reason)}</p>' if found.reason else ""
    return (
        f'<div class="conflict" role="note"><h3>{say("disagree", language)}: {safe(found.about)}</h3>{reason}'
        f"<table><thead><tr>{heads}</tr></thead><tbody>{rows}</tbody></table></div>"
    )


def _is_cell(claim: Claim, given: Answer) -> bool:
    return any(c == claim.citations[0] and c.quote == claim.text for _, c in given.sides)


def comparison(given: Answer) -> str:
    """Set the things that a question compares side by side, each with its quoted sentence, or with none."""
    if not given.sides:
        return ""
    language = given.language
    told = {c.citations[0]: c for c in given.claims}
    rows = "".join(
        f'<tr><th scope="row">{safe(name)}</th><td>{_said(told.get(c) or Claim(c.quote, (c,)), given)}</td></tr>'
        if c
        else f'<tr><th scope="row">{safe(name)}</th><td class="none">{say("cell_missing", language)}</td></tr>'
        for name, c in given.sides
    )
    heads = "".join(f'<th scope="col">{say(k, language)}</th>' for k in ("compared", "statement"))
    return (
        f'<div class="comparison"><h3>{say("comparison", language)}</h3>'
        f"<table><thead><tr>{heads}</tr></thead><tbody>{rows}</tbody></table></div>"
    )


def over_time(given: Answer) -> str:
    """Show three or more dated values of one thing as a small chart with its table; "" for fewer."""
    language = given.language
    series = values_over_time(given)
    if not series:
        return ""
    year, value = (f'<th scope="col">{say(k, language)}</th>' for k in ("year", "value"))
    heads = f'{year}<td class="drawn" aria-hidden="true"></td>{value}'
    rows = "".join(
        f'<tr><th scope="row">{v.year}</th><td class="drawn" aria-hidden="true">{drawn}</td><td>{safe(v.words)}'
        f"{mark(v.citation, given.number(v.citation), language)}</td></tr>"
        for v, drawn in zip(series, bars(series), strict=True)
    )
    return (
        f'<div class="series"><h3>{say("over_time", language)}</h3>'
        f"<table><thead><tr>{heads}</tr></thead><tbody>{rows}</tbody></table></div>"
    )


def refusal(given: Answer) -> str:
    """Say that the sources do not answer, and show the nearest quotes there are."""
    language = given.language
    quotes = "".join(
        f"<li><blockquote>{_words(c.quote, c.language, language)}{mark(c, n, language)}"
        f"{interested(interest_of(c), language)}</blockquote>"
        f'<p class="from">{_publishers(c.sources, language) or safe(c.title)}</p></li>'
        for n, c in enumerate(given.closest, 1)
    )
    nearest = f'<h4>{say("closest", language)}</h4><ol class="closest">{quotes}</ol>' if quotes else ""
    lead = _lead(given)
    unsaid = [name for name in given.missing if name not in lead]
    return (
        f'<div class="refusal" role="note"><h3>{say("not_in_sources", language)}</h3>'
        f"<p>{safe(lead)}</p>{_listing('missing', unsaid, language)}{nearest}</div>"
    )


def _lead(given: Answer) -> str:
    """Take from a note the quote that is shown below it anyway, and what leads up to it."""
    note = given.note
    quoted = min((note.find(c.quote) for c in given.closest if c.quote in note), default=len(note))
    before = [end for _, end in sentences(note) if end <= quoted]
    return note[: before[-1]] if before else note


def _publishers(sources: Iterable[Source], language: Language) -> str:
    facts = ((s.publisher or s.title, KINDS[language].get(s.kind, ""), s.issued[:4]) for s in sources)
    return safe("; ".join(", ".join(filter(None, fact)) for fact in facts))


def _listing(key: str, items: Sequence[str], language: Language) -> str:
    if not items:
        return ""
    rows = "".join(f"<li>{safe(item)}</li>" for item in items)
    return f'<div class="{key}"><h3>{say(key, language)}</h3><ul>{rows}</ul></div>'


def _questions(key: str, questions: Sequence[str], language: Language) -> str:
    if not questions:
        return ""
    buttons = "".join(f'<button type="button" class="ask">{safe(q)}</button>' for q in questions)
    return f'<div class="followups"><h3>{say(key, language)}</h3>{buttons}</div>'


def source_cards(citations: Sequence[Citation], title: str, language: Language, acts: str = "") -> str:
    """Give the cards that the page shows in its panel, and the button that brings them there."""
    return (
        f'<div class="more"><button type="button" class="show">{say(title, language)} '
        f'<span class="badge">{len(citations)}</span></button>{acts}</div>{_cards(citations, title, language)}'
    )


def _cards(citations: Sequence[Citation], title: str, language: Language) -> str:
    if not citations:
        return ""
    cards = "".join(_card(c, n, language) for n, c in enumerate(citations, 1))
    return f'<div class="cards"><h2>{both(title)}</h2><ol>{cards}</ol></div>'


def _card(citation: Citation, number: int, language: Language) -> str:
    return (
        f'<li class="card"><h3><a class="open" href="{address(citation)}"><span class="n">{number}</span>'
        f"<span>{safe(citation.title)}</span></a></h3>"
        f'<blockquote lang="{safe(citation.language)}">{unmarked(citation.quote)}</blockquote>'
        f"{interested(interest_of(citation), language)}{origins(citation.sources, language)}</li>"
    )


def origins(sources: Sequence[Source], language: Language, today: str = "") -> str:
    """Show who published what when, with its address."""
    if not sources:
        return ""
    return '<ul class="origins">' + "".join(f"<li>{_origin(s, language, today)}</li>" for s in sources) + "</ul>"


def _origin(source: Source, language: Language, today: str) -> str:
    kind = KINDS[language].get(source.kind, "")
    when = safe(day(source.issued, language))
    since = ago(source.issued, today, language) if today else ""
    facts = (
        f'<b class="publisher">{safe(source.publisher)}</b>' if source.publisher else "",
        f'<span class="kind {safe(source.kind)}">{kind}</span>' if kind else "",
        f'<time datetime="{safe(source.issued)}">{when}</time>' if source.issued else f"<span>{when}</span>",
        f'<span class="ago">{since}</span>' if since else "",
    )
    words = _note(source, language) if today else ""
    note = f'<p class="sourcenote">{safe(words)}</p>' if words else ""
    title = f'<p class="title"{_lang(source.language)}>{_link(source)}</p>'
    return f'<p class="facts">{"".join(facts)}</p>{title}{note}'


def _note(source: Source, language: Language) -> str:
    """What else is to be known of a source, without the "undated" that stands where its date would."""
    note = (language == "es" and source.note_es) or source.note
    return note.removeprefix(say("undated", language)).lstrip("; ,")


def _link(source: Source) -> str:
    address = web_address(source.url)
    if not address:
        return safe(source.title)
    site = f'<span class="site">{safe(urlsplit(address).hostname or "")}</span>'
    opening = f'<a class="out" href="{safe(address)}" target="_blank" rel="noopener noreferrer">'
    return f"{opening}{safe(source.title)} {site}</a>"


def _lang(language: str) -> str:
    return f' lang="{language}"' if language in LANGUAGES else ""


def web_address(url: str) -> str:
    """Give the address if a browser may be sent there, else "".

    >>> web_address("https://imt.com.mx/a"), web_address("javascript:alert(1)"), web_address("https://[bad")
    ('https://imt.com.mx/a', '', '')
    """
    try:
        parts = urlsplit(url.strip())
        return url.strip() if parts.scheme in ("http", "https") and parts.hostname else ""
    except ValueError:
        return ""
