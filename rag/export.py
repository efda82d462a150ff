"""Answers as files to keep and to send: Markdown, one HTML page, CSV of claims; and the check of such a file.

Every file holds, for each citation, the article, the characters, the quote, its SHA-256 and the original publications,
all of it in what a reader sees. `verify` reads them back and compares them with the articles: a quote that was changed
in the file, an article or a publication that was changed since, and the line where it stands.
"""

from __future__ import annotations

import csv
import hashlib
import io
import re
from collections.abc import Iterator, Mapping, Sequence
from html import escape, unescape
from html.parser import HTMLParser
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import quote as percent
from urllib.parse import unquote

from rag.corpus import Article, Problem, Source
from rag.errors import UserError
from rag.text import Language

FORMATS = {"md": "text/markdown", "html": "text/html", "csv": "text/csv"}
FIELDS = ("publisher", "title", "issued", "kind", "url")
"""What a file says of an original publication, in this order."""

_LABELS: Mapping[Language, Mapping[str, str]] = {
    "en": {
        "title": "Questions and answers",
        "from": "Index version {}. `bpo verify FILE` checks every quote below against the articles.",
        "sources": "Sources",
        "closest": "Closest in the sources",
        "missing": "Without an answer: {}",
        "disagree": "Sources disagree: {}",
        "characters": "characters",
        "undated": "undated",
    },
    "es": {
        "title": "Preguntas y respuestas",
        "from": "Versión del índice: {}. `bpo verify ARCHIVO` compara cada cita con los artículos.",
        "sources": "Fuentes",
        "closest": "Lo más cercano en las fuentes",
        "missing": "Sin respuesta: {}",
        "disagree": "Las fuentes no coinciden: {}",
        "characters": "caracteres",
        "undated": "sin fecha",
    },
}


def fingerprint(quote: str) -> str:
    """The SHA-256 of a quote, as files show it.

    >>> fingerprint("300 centers")[:16]
    '85ac1cfc3d2ed5fc'
    """
    return hashlib.sha256(quote.encode()).hexdigest()


def export(answers: Sequence[Mapping[str, Any]], form: str, *, language: Language = "en") -> str:
    """Write answers, given as the contract's JSON, in one of FORMATS: what stands above them in a language, each of
    them in its own. Raises KeyError for what is no answer.
    """
    writer = {"md": _markdown, "html": _html, "csv": _csv}[form]
    return writer(answers, language)


def _labels(answer: Mapping[str, Any]) -> Mapping[str, str]:
    return _LABELS["es" if answer["language"] == "es" else "en"]


def _cited(answer: Mapping[str, Any]) -> list[tuple[int, Mapping[str, Any]]]:
    """The citations of an answer with their numbers; those of a refusal are its closest quotes."""
    if answer["answered"]:
        return [(c["n"], c) for c in answer["citations"]]
    return list(enumerate(answer.get("closest", ()), 1))


def _versions(answers: Sequence[Mapping[str, Any]]) -> str:
    return ", ".join(dict.fromkeys(str(a["index_version"]) for a in answers if a.get("index_version"))) or "–"


def _fields(source: Mapping[str, Any]) -> list[str]:
    return [str(source[name]) for name in FIELDS]


# --- Markdown --------------------------------------------------------------------------------------


def _markdown(answers: Sequence[Mapping[str, Any]], language: Language) -> str:
    say = _LABELS[language]
    lines = [f"# {say['title']}", "", say["from"].format(_versions(answers)), ""]
    for answer in answers:
        say = _labels(answer)
        lines += [f"## {_plain(answer['question'])}", ""]
        for claim in answer["claims"]:
            marks = "".join(f" [{n}]" for n in claim["citations"])
            lines += [f"{'' if answer['mode'] == 'quotes' else '~ '}{_plain(claim['text'])}{marks}", ""]
        if not answer["answered"]:
            lines += [_plain(answer["text"]), ""]
        for conflict in answer["conflicts"]:
            reason = f" ({conflict['reason']})" if conflict["reason"] else ""
            lines += [f"**{say['disagree'].format(_plain(conflict['about'] + reason))}**", ""]
            lines += [
                f"- {_plain(s['text'])} ({_plain(s['as_of']) or say['undated']}) [{s['citation']}]"
                for s in conflict["statements"]
            ]
            lines.append("")
        if answer["missing"]:
            lines += [say["missing"].format(_plain("; ".join(answer["missing"]))), ""]
        cited = _cited(answer)
        if cited:
            lines += [f"### {say['sources' if answer['answered'] else 'closest']}", ""]
        for number, citation in cited:
            lines += [
                f"> [{number}] “{_plain(citation['quote'])}”",
                ">",
                f"> {_plain(citation['title'])} · `{percent(citation['article'], safe='/')}` · {say['characters']} "
                f"{citation['start']}–{citation['end']} · SHA-256 `{fingerprint(citation['quote'])}`",
                *([">"] if citation["sources"] else []),
                *(f"> - {' · '.join(_plain(f) or '–' for f in _fields(s))}" for s in citation["sources"]),
                "",
            ]
    return "\n".join(lines)


_SPECIAL = {ord(c): f"&#{ord(c)};" for c in "&<>[]·–`"}


def _plain(text: str) -> str:
    """One line in which no character is Markdown's or HTML's markup, nor a separator of ours."""
    return " ".join(text.split()).translate(_SPECIAL)


# --- HTML ------------------------------------------------------------------------------------------

_STYLE = """
:root { color-scheme: light dark; }
body { max-width: 44rem; margin: 2rem auto; padding: 0 1rem; font: 1rem/1.6 system-ui, sans-serif; }
h1 { font-size: 1.25rem; } h2 { margin-top: 3rem; font-size: 1.25rem; } h3 { font-size: .9rem; }
blockquote { margin: 0; padding-left: .875rem; border-left: 3px solid #8884; font-family: Georgia, serif; }
ol > li { margin: 1rem 0; } small, li ul { opacity: .8; font-size: .8125rem; overflow-wrap: anywhere; }
.conflict, .missing { padding: .25rem 1rem; border: 1px solid #8886; border-radius: .5rem; margin: 1rem 0; }
a { color: inherit; } @media print { h2 { break-after: avoid; } li { break-inside: avoid; } }
"""


def _html(answers: Sequence[Mapping[str, Any]], language: Language) -> str:
    say = _LABELS[language]
    begun = re.sub("`(.+)`", r"<code>\1</code>", _marked(say["from"].format(_versions(answers))))
    lines = [
        "<!doctype html>",
        f'<html lang="{language}"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">',
        "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">",
        f"<title>{say['title']}</title><style>{_STYLE}</style></head><body>",
        f"<h1>{say['title']}</h1><p>{begun}</p>",
    ]
    for turn, answer in enumerate(answers, 1):
        say = _labels(answer)
        lines.append(f'<section lang="{escape(answer["language"])}"><h2>{_marked(answer["question"])}</h2>')
        for claim in answer["claims"]:
            marks = "".join(f' <a href="#c-{turn}-{n}">[{n}]</a>' for n in claim["citations"])
            exact = f' data-quotes="{turn}"' if answer["mode"] == "quotes" else ""
            numbers = " ".join(map(str, claim["citations"]))
            lines.append(f'<p><span class="said" data-n="{numbers}"{exact}>{_marked(claim["text"])}</span>{marks}</p>')
        if not answer["answered"]:
            lines.append(f"<p>{_marked(answer['text'])}</p>")
        for conflict in answer["conflicts"]:
            rows = "".join(
                f"<li>{_marked(s['text'])} ({_marked(s['as_of']) or say['undated']}) "
                f'<a href="#c-{turn}-{s["citation"]}">[{s["citation"]}]</a></li>'
                for s in conflict["statements"]
            )
            about = _marked(say["disagree"].format(conflict["about"]))
            why = _marked(conflict["reason"])
            lines.append(f'<div class="conflict"><p><b>{about}</b> {why}</p><ul>{rows}</ul></div>')
        if answer["missing"]:
            lines.append(f'<p class="missing">{_marked(say["missing"].format("; ".join(answer["missing"])))}</p>')
        cited = _cited(answer)
        if cited:
            lines.append(f"<h3>{say['sources' if answer['answered'] else 'closest']}</h3><ol>")
        for number, citation in cited:
            lines.append(
                f'<li id="c-{turn}-{number}" value="{number}"><blockquote lang="{escape(citation["language"])}" '
                f'data-article="{escape(citation["article"])}" data-start="{citation["start"]}" '
                f'data-end="{citation["end"]}" data-sha256="{fingerprint(citation["quote"])}" '
                f'data-n="{turn} {number}">{_marked(citation["quote"])}</blockquote>'
                f"<small>{_marked(citation['title'])} · {say['characters']} {citation['start']}–{citation['end']} · "
                f"SHA-256 {fingerprint(citation['quote'])}</small><ul>"
            )
            lines += [f"<li>{_source_html(s)}</li>" for s in citation["sources"]]
            lines.append("</ul></li>")
        lines.append("</ol></section>" if cited else "</section>")
    return "\n".join([*lines, "</body></html>", ""])


def _marked(text: str) -> str:
    return escape(text).replace("\r", "&#13;").replace("\n", "&#10;")


def _source_html(source: Mapping[str, Any]) -> str:
    """One publication; only a web address becomes a link, the words of every field are there to be read back."""
    told = [(name, _marked(str(source[name]))) for name in FIELDS]
    parts = [f'<span data-field="{name}">{words}</span>{"" if words else "–"}' for name, words in told]
    if str(source["url"]).startswith(("https://", "http://")):
        parts[-1] = f'<a href="{escape(source["url"])}" rel="noopener noreferrer">{parts[-1]}</a>'
    return " · ".join(parts)


# --- CSV -------------------------------------------------------------------------------------------

COLUMNS = (
    "question", "language", "mode", "index_version", "claim", "verdict", "n", "article", "title", "heading",
    "start", "end", "quote", "sha256", *(f"source_{name}" for name in FIELDS),
)  # fmt: skip


def _csv(answers: Sequence[Mapping[str, Any]], _: Language) -> str:
    """One row for each publication behind each citation of each claim; the quotes of a refusal claim nothing."""
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(COLUMNS)
    for answer in answers:
        cited = dict(_cited(answer))
        claims = [(c["text"], c["verdict"], n) for c in answer["claims"] for n in c["citations"]]
        claims += [(s["text"], "conflict", s["citation"]) for c in answer["conflicts"] for s in c["statements"]]
        claims = claims or [("", "refused", n) for n in cited]
        for text, verdict, number in claims:
            citation = cited[number]
            about = [answer["question"], answer["language"], answer["mode"], answer.get("index_version", "")]
            where = [citation[k] for k in ("article", "title", "heading", "start", "end", "quote")]
            for source in citation["sources"] or [dict.fromkeys(FIELDS, "")]:
                row = [*about, text, verdict, number, *where, fingerprint(citation["quote"]), *_fields(source)]
                writer.writerow([_cell(str(cell)) for cell in row])
    return out.getvalue()


def _cell(text: str) -> str:
    """No spreadsheet takes a text for a formula (https://owasp.org/www-community/attacks/CSV_Injection)."""
    return f"'{text}" if text.startswith(("=", "+", "-", "@", "\t", "\r", "'")) else text


# --- reading back ----------------------------------------------------------------------------------


class _Cited(NamedTuple):
    """What a file says of one citation, and the line where it says so."""

    line: int
    key: tuple[int, int]
    article: str
    start: int
    end: int
    sha256: str
    quote: str
    sources: list[list[str]]


class _Said(NamedTuple):
    """A sentence that a file gives as a quote, with the citations it must be equal to one of."""

    line: int
    keys: list[tuple[int, int]]
    text: str


def verify(file: Path, articles: Mapping[str, Article]) -> tuple[int, list[Problem]]:
    """Compare a file that `export` wrote with the articles: how many citations it has, and what is not as it says.

    Raises UserError for a file that cannot be read or is no export.
    """
    readers = {".md": _read_markdown, ".html": _read_html, ".csv": _read_csv}
    reader = readers.get(file.suffix.lower())
    if reader is None:
        raise UserError(f"{file}: expected an export ending in {', '.join(readers)}.")
    try:
        cited, said = reader(file.read_bytes().decode("utf-8-sig"))
    except OSError as error:
        raise UserError(f"{file} cannot be read: {error.strerror}.") from None
    except (KeyError, ValueError, csv.Error) as error:
        raise UserError(f"{file} is no export of bpo: {error}.") from None
    if not cited:
        raise UserError(f"{file}: there is no citation in it to check.")
    quotes = {c.key: c.quote for c in cited}
    problems = [Problem(str(file), c.line, fault) for c in cited if (fault := _fault(c, articles))]
    problems += [
        Problem(str(file), s.line, "the sentence is not one of the quotes it cites")
        for s in said
        if not any(_same(quotes.get(key, ""), s.text) for key in s.keys)
    ]
    return len(cited), sorted(problems, key=lambda p: p.line)


def _fault(cited: _Cited, articles: Mapping[str, Article]) -> str:
    """What a citation of a file says that the articles do not; "" when all of it holds."""
    article = articles.get(cited.article)
    if article is None:
        return f"article {cited.article!r} is no longer in the corpus"
    now = article.text[cited.start : cited.end] if cited.start >= 0 else ""
    if not _same(now, cited.quote):
        if fingerprint(cited.quote) != cited.sha256:
            return f"the quote was changed in the file, or article {cited.article!r} since: it says {now!r}"
        moved = ", where these words stand elsewhere" if cited.quote in article.text else ""
        return f"article {cited.article!r} was changed{moved}: at {cited.start}–{cited.end} it says {now!r}"
    if fingerprint(now) != cited.sha256:
        return "the SHA-256 in the file is not that of the quote"
    sources = [_told(s) for s in article.sources_of(cited.start, cited.end)]
    for told in cited.sources:
        if [_one_line(f) for f in told] not in sources:
            return f"publication {told[1] or told[0]!r} does not stand behind this quote as the file says"
    if len(cited.sources) != len(sources):
        return f"the file names {len(cited.sources)} publications behind this quote, the corpus {len(sources)}"
    return ""


def _told(source: Source) -> list[str]:
    return [_one_line(str(getattr(source, name))) for name in FIELDS]


def _one_line(text: str) -> str:
    return " ".join(text.split())


def _same(one: str, other: str) -> bool:
    return bool(one) and _one_line(one) == _one_line(other)


_QUESTION = re.compile(r"## ")
_QUOTE = re.compile(r"> \[(\d+)\] “(.*)”$")
_PLACE = re.compile(r"> .*· `([^`]+)` · \w+ (\d+)–(\d+) · SHA-256 `(\w+)`$")
_SENTENCE = re.compile(r"(?![>~#-])(.+?)((?: \[\d+\])+)$")


def _read_markdown(content: str) -> tuple[list[_Cited], list[_Said]]:
    cited: list[_Cited] = []
    said: list[_Said] = []
    turn, open_quote = 0, (0, 0, "")
    for number, whole in enumerate(content.split("\n"), 1):
        line = whole.rstrip("\r")
        if _QUESTION.match(line):
            turn += 1
        elif found := _QUOTE.match(line):
            open_quote = (number, int(found[1]), unescape(found[2]))
        elif found := _PLACE.match(line):
            at, n, quote = open_quote
            where = (unquote(found[1]), int(found[2]), int(found[3]), found[4])
            cited.append(_Cited(at or number, (turn, n), *where, quote, []))
            open_quote = (0, 0, "")
        elif line.startswith("> - ") and cited:
            fields = ["" if f == "–" else unescape(f) for f in line.removeprefix("> - ").split(" · ")]
            cited[-1].sources.append((fields + [""] * len(FIELDS))[: len(FIELDS)])
        elif turn and (found := _SENTENCE.match(line)):
            keys = [(turn, int(n)) for n in re.findall(r"\[(\d+)\]", found[2])]
            said.append(_Said(number, keys, unescape(found[1])))
    return cited, said


class _Page(HTMLParser):
    """The citations and quoted sentences of an exported page."""

    def __init__(self, content: str) -> None:
        super().__init__()
        self.cited: list[_Cited] = []
        self.said: list[_Said] = []
        self._pieces: list[str] | None = None
        self._done: Any = None
        self.feed(content)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        line = self.getpos()[0]
        if tag == "blockquote" and "data-article" in given:
            turn, n = given["data-n"].split()
            where = (given["data-article"], int(given["data-start"]), int(given["data-end"]), given["data-sha256"])
            self._collect(lambda text: self.cited.append(_Cited(line, (int(turn), int(n)), *where, text, [])))
        elif tag == "span" and "data-quotes" in given:
            keys = [(int(given["data-quotes"]), int(n)) for n in given["data-n"].split()]
            self._collect(lambda text: self.said.append(_Said(line, keys, text)))
        elif tag == "span" and "data-field" in given and self.cited:
            if given["data-field"] == FIELDS[0]:
                self.cited[-1].sources.append([])
            self._collect(self.cited[-1].sources[-1].append)

    def _collect(self, done: Any) -> None:
        self._pieces, self._done = [], done

    def handle_data(self, data: str) -> None:
        if self._pieces is not None:
            self._pieces.append(data)

    def handle_endtag(self, tag: str) -> None:
        if self._pieces is not None and tag in ("blockquote", "span"):
            self._done("".join(self._pieces))
            self._pieces = None


def _read_html(content: str) -> tuple[list[_Cited], list[_Said]]:
    page = _Page(content)
    return page.cited, page.said


def _read_csv(content: str) -> tuple[list[_Cited], list[_Said]]:
    reader = csv.DictReader(io.StringIO(content))
    cited: dict[tuple[str, int, int, str, str], _Cited] = {}
    said: list[_Said] = []
    for row in _rows(reader):
        line = reader.line_num - sum(cell.count("\n") for cell in row.values())
        where = (row["article"], int(row["start"]), int(row["end"]), row["sha256"], row["quote"])
        known = cited.setdefault(where, _Cited(line, (0, len(cited)), *where, []))
        source = [row[f"source_{name}"] for name in FIELDS]
        if any(source) and source not in known.sources:
            known.sources.append(source)
        if row["mode"] == "quotes" and row["verdict"] in ("supported", "partly"):
            said.append(_Said(line, [known.key], row["claim"]))
    return list(cited.values()), said


def _rows(reader: csv.DictReader[str]) -> Iterator[dict[str, str]]:
    if not set(COLUMNS) <= set(reader.fieldnames or ()):
        raise ValueError(f"expected the columns {', '.join(COLUMNS)}")
    for row in reader:
        cells = {name: row[name] or "" for name in COLUMNS}
        yield {name: cell[1:] if cell.startswith("'") else cell for name, cell in cells.items()}
