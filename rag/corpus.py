"""Files -> articles with their sentences and sources; a malformed file is rejected by name and line.

Two kinds of input give the same `Article`:

* a corpus folder (it holds `references.yaml` and `articles/`): Markdown with front matter, in which each
  sentence that states a fact ends with its sources in Pandoc's citation syntax, `[@key; @other]`
  (https://pandoc.org/MANUAL.html#citation-syntax); `references.yaml` is CSL-YAML
  (https://docs.citationstyles.org/en/stable/specification.html);
* anybody's documents: `.md`, `.txt`, and `.jsonl` with one object a line.

Beside either may lie `anticipated.jsonl` (`rag.anticipated`).
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, field, replace
from datetime import date
from pathlib import Path
from typing import Any, NamedTuple

import yaml

from rag import text as language_text
from rag.anticipated import FILE as ANTICIPATED
from rag.anticipated import Anticipated, Line, located, read_lines, read_pairs
from rag.language import detect
from rag.text import HEADING, LANGUAGES, Language

KINDS = (
    "government", "statistics", "law-firm", "press", "analyst", "association", "vendor", "job-board", "other",
)  # fmt: skip
SUFFIXES = (".md", ".txt", ".jsonl")


@dataclass(frozen=True, slots=True)
class Source:
    """An original publication. `issued` is an ISO date of the precision known, "" when undated; `note` says what else
    is to be known of it, and `note_es` the same in Spanish.
    """

    id: str
    publisher: str
    title: str
    issued: str = ""
    url: str = ""
    language: str = ""
    kind: str = "other"
    note: str = ""
    note_es: str = ""


class Section(NamedTuple):
    """A heading and the character at which its section begins ("" before the first heading)."""

    heading: str
    start: int


class Sentence(NamedTuple):
    """A sentence of an article: its characters, the number of its section, the ids of its sources."""

    start: int
    end: int
    section: int
    sources: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Article:
    """A text that can be quoted. `text` is what offsets count; `file` says where it was read."""

    id: str
    title: str
    language: Language
    text: str
    sections: tuple[Section, ...] = ()
    sentences: tuple[Sentence, ...] = ()
    sources: tuple[Source, ...] = ()
    summary: str = ""
    updated: str = ""
    topic: str = ""
    places: tuple[str, ...] = ()
    file: str = ""
    anticipated: tuple[Anticipated, ...] = ()

    def quote(self, sentence: Sentence) -> str:
        """The words of one of its sentences."""
        return self.text[sentence.start : sentence.end]

    def sources_of(self, start: int, end: int) -> tuple[Source, ...]:
        """The sources behind the sentences that a range touches, else those of the whole article."""
        ids = {k for s in self.sentences if s.start < end and start < s.end for k in s.sources}
        return tuple(s for s in self.sources if s.id in ids)

    def to_json(self) -> dict[str, Any]:
        """Plain data, read back by `from_json`."""
        return asdict(self)

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Article:
        """The article that `to_json` wrote down."""
        plain = dict(data)
        plain["sections"] = tuple(Section(*s) for s in data["sections"])
        plain["sentences"] = tuple(Sentence(s[0], s[1], s[2], tuple(s[3])) for s in data["sentences"])
        plain["sources"] = tuple(Source(**s) for s in data["sources"])
        plain["places"] = tuple(data["places"])
        plain["anticipated"] = tuple(Anticipated(n, tuple(questions)) for n, questions in data["anticipated"])
        return cls(**plain)


class Problem(NamedTuple):
    """What is wrong with an input: where, and what was expected instead."""

    file: str
    line: int
    message: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {self.message}" if self.line else f"{self.file}: {self.message}"


class CorpusError(ValueError):
    """One input that cannot be used; `problem` says where and why."""

    def __init__(self, file: str, line: int, message: str) -> None:
        self.problem = Problem(file, line, message)
        super().__init__(str(self.problem))


@dataclass(frozen=True)
class Corpus:
    """What could be read, and what could not."""

    articles: tuple[Article, ...]
    problems: tuple[Problem, ...] = ()
    files: tuple[Path, ...] = field(default=(), compare=False)


def read_corpus(paths: Iterable[Path]) -> Corpus:
    """Read folders and files. Never raises for a bad file: it is named in `problems`, the others are read.

    Article ids are paths below the folder given, without `.md` (`en/attrition`), or the `id` of a JSONL line;
    the second of two articles with one id is a problem.
    """
    articles: dict[str, Article] = {}
    problems: list[Problem] = []
    files: list[Path] = []
    for root in paths:
        expected, unusable = _anticipated(root)
        problems += unusable
        for file, reading in _readings(root):
            files.append(file)
            for result in reading:
                if isinstance(result, Problem):
                    problems.append(result)
                elif result.id in articles:
                    other = articles[result.id].file
                    problems.append(Problem(result.file, 0, f"article {result.id!r} was read from {other} already"))
                else:
                    articles[result.id] = _expecting(result, expected.get(result.id, ()))
    return Corpus(tuple(articles.values()), tuple(problems), tuple(files))


def read_references(file: Path) -> dict[str, Source]:
    """Every source of a `references.yaml`, by id. Raises CorpusError naming the line of the first bad entry."""
    content = _read(file)
    try:
        tree = yaml.compose(content)
        entries = yaml.safe_load(content)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        raise CorpusError(str(file), mark.line + 1 if mark else 0, f"not YAML: {_short(error)}") from None
    if isinstance(entries, dict) and isinstance(tree, yaml.MappingNode):
        nodes: yaml.Node | None = next((v for k, v in tree.value if k.value == "references"), None)
        entries = entries.get("references")
    else:
        nodes = tree
    if not isinstance(entries, list) or nodes is None or not isinstance(nodes, yaml.SequenceNode):
        raise CorpusError(str(file), 1, "expected a list of sources under `references:`")
    sources: dict[str, Source] = {}
    for entry, node in zip(entries, nodes.value, strict=True):
        source = _source(entry, str(file), node.start_mark.line + 1)
        if source.id in sources:
            raise CorpusError(str(file), node.start_mark.line + 1, f"source {source.id!r} is there twice")
        sources[source.id] = source
    return sources


def is_corpus_folder(path: Path) -> bool:
    """Whether a folder has the layout of the shipped corpus."""
    return (path / "references.yaml").is_file() and (path / "articles").is_dir()


def corpus_files(root: Path) -> list[Path]:
    """The files that reading a path would read, in a fixed order."""
    if root.is_file():
        return [root]
    top = root / "articles" if is_corpus_folder(root) else root
    found = sorted(f for f in top.rglob("*") if f.is_file() and f.suffix.lower() in SUFFIXES)
    visible = [f for f in found if not any(part.startswith(".") for part in f.relative_to(top).parts)]
    beside = [root / ANTICIPATED] if (root / ANTICIPATED).is_file() else []
    return [root / "references.yaml", *beside, *visible] if is_corpus_folder(root) else visible


def _readings(root: Path) -> Iterator[tuple[Path, list[Article | Problem]]]:
    if not root.exists():
        yield root, [Problem(str(root), 0, "no such file or folder")]
        return
    references: dict[str, Source] | None = None
    top = root if root.is_dir() else root.parent
    if is_corpus_folder(root):
        top = root / "articles"
        try:
            references = read_references(root / "references.yaml")
        except CorpusError as error:
            yield root / "references.yaml", [error.problem]
            return
    files = [f for f in corpus_files(root) if f not in (root / "references.yaml", root / ANTICIPATED)]
    if not files:
        yield (
            root,
            [Problem(str(root), 0, f"no article in it: expected files ending in {', '.join(SUFFIXES)}")],
        )
    for file in files:
        if file.suffix.lower() == ".jsonl":
            yield file, list(_read_jsonl(file))
        elif file.suffix.lower() not in SUFFIXES:
            yield file, [Problem(str(file), 0, f"expected a file ending in {', '.join(SUFFIXES)}")]
        else:
            try:
                yield file, [read_article(file, top, references)]
            except CorpusError as error:
                yield file, [error.problem]


def _anticipated(root: Path) -> tuple[dict[str, list[Line]], list[Problem]]:
    """The lines of a folder's `anticipated.jsonl` by article, and what is wrong with the others."""
    file = root / ANTICIPATED
    lines: dict[str, list[Line]] = {}
    problems: list[Problem] = []
    if root.is_dir() and file.is_file():
        try:
            for read in read_lines(file):
                if isinstance(read, Line):
                    lines.setdefault(read.article, []).append(read)
                else:
                    problems.append(Problem(str(file), *read))
        except (OSError, UnicodeError) as error:
            problems.append(Problem(str(file), 0, f"cannot be read: {_short(error)}"))
    return lines, problems


def _expecting(article: Article, lines: Iterable[Line]) -> Article:
    quotes = [article.quote(s) for s in article.sentences]
    found = located(((line.quote, line.questions) for line in lines), quotes)
    return replace(article, anticipated=found) if found else article


def read_article(file: Path, top: Path, references: Mapping[str, Source] | None = None) -> Article:
    """Read one `.md` or `.txt` file below `top`. With `references`, it must be an article of a corpus folder.

    Raises CorpusError, naming file and line.
    """
    content = _read(file)
    name = str(file)
    relative = file.relative_to(top).as_posix()
    identity = relative.removesuffix(".md")
    markdown = file.suffix.lower() == ".md"
    front, body, body_line = _front_matter(content, name) if markdown else ({}, content, 1)
    if references is not None:
        _require(front, name)
    marks: list[_Mark] = []
    if references is not None:
        body, marks = _take_marks(body, name, body_line, references)
    if not any(c.isalnum() for c in body):
        raise CorpusError(name, body_line, "no text in it")
    heading = HEADING.match(body.lstrip("\n")) if markdown else None
    title = str(front.get("title") or (heading and heading["title"]) or file.stem.replace("-", " "))
    own = _own_source(identity, title, front, name)
    return _build(
        Article(
            id=identity,
            title=title,
            language=_language(front.get("language"), body),
            text=body,
            summary=str(front.get("summary", "")),
            updated=str(front.get("updated", "")),
            topic=str(front.get("topic", "")),
            places=tuple(str(p) for p in front.get("places") or ()),
            file=name,
        ),
        references if references is not None else {own.id: own},
        marks if references is not None else None,
        body_line,
    )


class _Mark(NamedTuple):
    at: int
    keys: tuple[str, ...]
    line: int


_MARK = re.compile(r"[ \t]*\[(@[^\]\n]*)\]")
_KEY = re.compile(r"@([\w][\w:.#$%&+?<>~/-]*)\Z")


def _take_marks(body: str, file: str, first_line: int, references: Mapping[str, Source]) -> tuple[str, list[_Mark]]:
    """The body without its citation marks, and the marks with the characters where they stood."""
    pieces: list[str] = []
    marks: list[_Mark] = []
    length = position = 0
    for match in _MARK.finditer(body):
        pieces.append(body[position : match.start()])
        length += len(pieces[-1])
        position = match.end()
        line = first_line + body.count("\n", 0, match.start())
        keys = []
        for part in match[1].split(";"):
            key = _KEY.match(part.strip())
            if not key:
                raise CorpusError(file, line, f"citation {match[0].strip()!r}: expected [@key] or [@key; @other]")
            if key[1] not in references:
                raise CorpusError(file, line, f"source {key[1]!r} is not in references.yaml")
            keys.append(key[1])
        marks.append(_Mark(length, tuple(dict.fromkeys(keys)), line))
    pieces.append(body[position:])
    clean = "".join(pieces)
    stray = clean.find("[@")
    if stray >= 0:
        line = first_line + clean.count("\n", 0, stray)
        raise CorpusError(file, line, "citation mark without its closing bracket on the same line")
    return clean, marks


def _build(article: Article, references: Mapping[str, Source], marks: list[_Mark] | None, first_line: int) -> Article:
    """Add sections, sentences and sources. Without marks, the only source stands behind every sentence."""
    text = article.text
    sections = [Section("", 0)]
    for block in language_text.blocks(text):
        heading = HEADING.match(text, block.start, block.end)
        if heading:
            sections.append(Section(heading["title"].strip(), block.start))
    sentences: list[Sentence] = []
    section = 0
    everywhere = tuple(references) if marks is None else ()
    pending = list(marks or ())
    for start, end in language_text.sentences(text):
        while section + 1 < len(sections) and sections[section + 1].start <= start:
            section += 1
        keys: list[str] = list(everywhere)
        while pending and pending[0].at <= end:
            mark = pending.pop(0)
            if mark.at <= start:
                raise CorpusError(article.file, mark.line, "citation mark outside a sentence")
            keys.extend(k for k in mark.keys if k not in keys)
        sentences.append(Sentence(start, end, section, tuple(keys)))
    if pending:
        raise CorpusError(article.file, pending[0].line, "citation mark outside a sentence")
    if not sentences:
        raise CorpusError(article.file, first_line, "no sentence in it")
    used = {k for s in sentences for k in s.sources}
    return replace(
        article,
        sections=tuple(sections),
        sentences=tuple(sentences),
        sources=tuple(s for k, s in references.items() if k in used),
    )


def _read_jsonl(file: Path) -> Iterator[Article | Problem]:
    try:
        content = _read(file)
    except CorpusError as error:
        yield error.problem
        return
    for number, line in enumerate(content.split("\n"), 1):
        if line.strip():
            try:
                yield _article_of_line(line, str(file), number)
            except CorpusError as error:
                yield error.problem


def _article_of_line(line: str, file: str, number: int) -> Article:
    try:
        entry = json.loads(line)
    except json.JSONDecodeError as error:
        raise CorpusError(file, number, f"not JSON: {error.msg} at column {error.colno}") from None
    except RecursionError:
        raise CorpusError(file, number, "not JSON: nested too deeply") from None
    if not isinstance(entry, dict):
        raise CorpusError(file, number, f"expected an object with `id` and `text`, got {type(entry).__name__}")
    identity = entry.get("id", entry.get("doc_id"))
    if not isinstance(identity, (str, int)) or not str(identity).strip():
        raise CorpusError(file, number, "expected `id` (or `doc_id`): a name for the document")
    text = entry.get("text")
    if not isinstance(text, str) or not any(c.isalnum() for c in text):
        raise CorpusError(file, number, f"document {identity!r}: expected `text` with words in it")
    meta: dict[str, Any] = entry["meta"] if isinstance(entry.get("meta"), dict) else {}
    title = str(entry.get("title") or identity)
    front = {**meta, **entry}
    own = _own_source(str(identity), title, front, file, number)
    text = _without_surrogates(text)
    try:
        expected = read_pairs(entry.get("anticipated", []))
    except TypeError as error:
        raise CorpusError(file, number, f"document {identity!r}: {error}") from None
    article = _build(
        Article(
            id=str(identity),
            title=title,
            language=_language(front.get("language"), text),
            text=text,
            file=file,
        ),
        {own.id: own},
        None,
        number,
    )
    return replace(article, anticipated=located(expected, [article.quote(s) for s in article.sentences]))


def _own_source(identity: str, title: str, entry: Mapping[str, Any], file: str, line: int = 1) -> Source:
    """The source of a document that names none: the document itself."""
    kind = str(entry.get("kind") or "other")
    return Source(
        id=identity,
        publisher=str(entry.get("publisher") or ""),
        title=title,
        issued=_issued(entry.get("issued"), file, line),
        url=str(entry.get("url") or entry.get("URL") or ""),
        language=str(entry.get("language") or ""),
        kind=kind if kind in KINDS else "other",
    )


def _source(entry: object, file: str, line: int) -> Source:
    if not isinstance(entry, dict) or not isinstance(entry.get("id"), (str, int)):
        raise CorpusError(file, line, "expected a source with an `id`")
    identity = str(entry["id"])
    for name in ("publisher", "title", "URL", "kind"):
        if not str(entry.get(name) or "").strip():
            raise CorpusError(file, line, f"source {identity!r} has no `{name}`")
    if entry["kind"] not in KINDS:
        raise CorpusError(file, line, f"source {identity!r}: kind {entry['kind']!r} is none of {', '.join(KINDS)}")
    return Source(
        id=identity,
        publisher=str(entry["publisher"]),
        title=str(entry["title"]),
        issued=_issued(entry.get("issued"), file, line),
        url=str(entry["URL"]),
        language=str(entry.get("language") or ""),
        kind=str(entry["kind"]),
        note=str(entry.get("note") or ""),
        note_es=str(entry.get("note-es") or ""),
    )


_ISO = re.compile(r"\d{4}(?:-(?:0[1-9]|1[0-2])(?:-(?:0[1-9]|[12]\d|3[01]))?)?\Z")


def _issued(value: object, file: str, line: int) -> str:
    """A publication date as ISO text; CSL's `{date-parts: [[2019, 9, 10]]}` is read too."""
    if value is None or value == "":
        return ""
    if isinstance(value, dict):
        parts = (value.get("date-parts") or [[]])[0]
        value = "-".join(f"{int(p):04d}" if i == 0 else f"{int(p):02d}" for i, p in enumerate(parts))
    found = value.isoformat()[:10] if isinstance(value, date) else str(value).strip()
    found = re.sub(r"T.*", "", found)
    if not _ISO.match(found):
        raise CorpusError(file, line, f"date {found!r}: expected YYYY, YYYY-MM or YYYY-MM-DD")
    return found


_FRONT = re.compile(r"\A---[ \t]*\n(.*?)^---[ \t]*(?:\n|\Z)", re.DOTALL | re.MULTILINE)


def _front_matter(content: str, file: str) -> tuple[dict[str, Any], str, int]:
    match = _FRONT.match(content)
    if not match:
        return {}, content, 1
    try:
        front = yaml.safe_load(match[1])
    except (yaml.YAMLError, ValueError) as error:
        mark = getattr(error, "problem_mark", None)
        raise CorpusError(file, (mark.line if mark else 0) + 2, f"front matter: {_short(error)}") from None
    if front is None:
        front = {}
    if not isinstance(front, dict):
        raise CorpusError(file, 2, "front matter: expected `key: value` lines")
    body = content[match.end() :]
    return front, body, content.count("\n", 0, match.end()) + 1


def _require(front: Mapping[str, Any], file: str) -> None:
    for name in ("title", "language", "summary", "updated"):
        if not str(front.get(name) or "").strip():
            raise CorpusError(file, 1, f"front matter has no `{name}`")
    if front["language"] not in LANGUAGES:
        raise CorpusError(file, 1, f"language {front['language']!r} is none of {', '.join(LANGUAGES)}")
    places = front.get("places")
    if places is not None and not isinstance(places, list):
        raise CorpusError(file, 1, f"places {places!r}: expected a list such as [tijuana, mexico]")


def _language(declared: object, text: str) -> Language:
    code = str(declared or "")[:2].lower()
    for language in LANGUAGES:
        if code == language:
            return language
    return detect(text)


def _read(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise CorpusError(str(file), 0, f"not UTF-8 text (byte {error.start})") from None
    except OSError as error:
        raise CorpusError(str(file), 0, f"cannot be read: {error.strerror}") from None


def _without_surrogates(text: str) -> str:
    """Lone surrogates cannot be stored; each becomes U+FFFD, so that offsets stay."""
    return re.sub("[\ud800-\udfff]", "\ufffd", text)


def _short(error: Exception) -> str:
    return str(getattr(error, "problem", None) or error).splitlines()[0]
