"""Questions to ask next: made from what the articles ask and state themselves, kept when the engine answers them."""

from __future__ import annotations

import hashlib
import json
import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path

from rag.answer import Answer
from rag.corpus import Article
from rag.errors import WorkError
from rag.text import Language, fold, terms

FILE = "suggestions.jsonl"
MOST = 3  # shown with an answer
_MOST_OF_ARTICLE = 6  # kept of one article
_MOST_FROM_ARTICLE = 2  # shown of one article
_SAME = 0.6  # share of terms from which on two questions ask the same


class Suggestions:
    """Verified questions by article, in the order of the article."""

    def __init__(self, questions: Mapping[str, Sequence[str]]) -> None:
        self._questions = questions

    @classmethod
    def read(cls, files: Iterable[Path], articles: Mapping[str, Article]) -> Suggestions:
        """Those of some files that still fit: an article that has changed or gone suggests nothing."""
        found: dict[str, Sequence[str]] = {}
        for file in files:
            if not file.is_file():
                continue
            for line in file.read_text(encoding="utf-8").splitlines():
                row = json.loads(line)
                article = articles.get(row["article"])
                if article is not None and row["made_from"] == _mark(article):
                    found[article.id] = tuple(row["questions"])
        return cls(found)

    def __len__(self) -> int:
        return sum(map(len, self._questions.values()))

    def write(self, file: Path, articles: Mapping[str, Article]) -> None:
        """Write them down, one article a line; raises WorkError where that cannot be done."""
        rows = [
            {"article": name, "made_from": _mark(articles[name]), "questions": list(questions)}
            for name, questions in self._questions.items()
        ]
        text = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
        try:
            beside = file.with_suffix(".new")
            beside.write_text(text, encoding="utf-8")
            beside.replace(file)
        except OSError as error:
            raise WorkError(f"The suggestions cannot be written to {file}: {error.strerror}.") from None

    def after(self, answer: Answer, asked: Sequence[str]) -> tuple[str, ...]:
        """Up to MOST questions to ask after an answer: of the articles it cites, then of those that were found.

        None that was asked before, in other words, or that would be answered with the sentences just shown.
        `asked` are the questions of the conversation, this one among them.
        """
        language = answer.language
        cited = [c.article for c in (*answer.citations, *answer.closest)]
        near = [str(hit.passage.metadata["article"]) for hit in answer.passages]
        seen = [frozenset(terms(q, language)) for q in asked]
        about = frozenset(t for q in asked[-1:] for t in terms(q, language))
        chosen: list[str] = []
        for article in dict.fromkeys((*cited, *near)):
            own = [q for q in self._questions.get(article, ()) if _is_in(q, language)]
            fresh = sorted(own, key=lambda q: -len(about & frozenset(terms(q, language))))  # stable: nearest first
            taken = 0
            for question in fresh:
                words = frozenset(terms(question, language))
                if taken < _MOST_FROM_ARTICLE and all(not _is_same(words, other) for other in seen):
                    chosen.append(question)
                    seen.append(words)
                    taken += 1
                if len(chosen) == MOST:
                    return tuple(chosen)
        return tuple(chosen)

    def some(self, language: Language, most: int) -> tuple[str, ...]:
        """Questions to start with, one of an article."""
        of_language = ((q for q in own if _is_in(q, language)) for own in self._questions.values())
        return tuple(q for q in (next(own, "") for own in of_language) if q)[:most]


def _is_same(one: frozenset[str], other: frozenset[str]) -> bool:
    return len(one & other) >= _SAME * max(1, len(one), len(other))


def _is_in(question: str, language: Language) -> bool:
    """Whether a suggestion is in a language: in Spanish they open with a mark, in English they do not."""
    return ("¿" in question) == (language == "es")


def verified(
    articles: Iterable[Article], ask: Callable[[str, Language], Answer], *, most: int = _MOST_OF_ARTICLE
) -> Suggestions:
    """The questions of some articles that the engine answers from the article they were made from."""
    kept: dict[str, Sequence[str]] = {}
    for article in articles:
        good: list[str] = []
        for question in candidates(article):
            answer = ask(question, article.language)
            if answer.answered and answer.citations[0].article == article.id and not answer.missing:
                good.append(question)
            if len(good) == most:
                break
        if good:
            kept[article.id] = tuple(good)
    return Suggestions(kept)


# --- questions that an article can be asked ------------------------------------------------------

_IS_A: dict[Language, re.Pattern[str]] = {
    "en": re.compile(r"(?P<thing>(?:The )?[A-Z][\w&.'’-]*(?: [\w&.'’-]+){0,4}) (?P<is>is|are) (?:an?|the) "),
    "es": re.compile(
        r"(?P<thing>(?:El |La |Los |Las )?[A-ZÁÉÍÓÚÑ][\w&.'’-]*(?: [\w&.'’-]+){0,4}) "
        r"(?P<is>es|son) (?:una?|el|la|los|las) "
    ),
}
_HAS: dict[Language, re.Pattern[str]] = {
    "en": re.compile(
        r"(?P<who>(?:The )?[A-Z][^,.;:()]{2,50}?) (?P<has>has|have|had) "
        r"(?:about |over |more than |almost |nearly |at least )?"
        r"\d[\d,.]* (?P<what>[a-z]+(?: [a-z]+)?s)(?=[,.;]| in | and | with )"
    ),
    "es": re.compile(
        r"(?P<who>(?:El |La |Los |Las )?[A-ZÁÉÍÓÚÑ][^,.;:()]{2,50}?) (?P<has>tiene|tienen|tenía|tenían) "
        r"(?:unos |unas |más de |casi |cerca de |al menos )?\d[\d,.]* "
        r"(?P<what>[a-záéíóúñ]+s(?: [a-záéíóúñ]+)?)(?=[,.;]| en | y | con )"
    ),
}  # fmt: skip
_PRONOUNS = frozenset(
    "it this that they these those he she there ello esto eso este esta estos estas ellos ellas".split()
)
_MASCULINE = frozenset("dias programas idiomas sistemas problemas temas".split())
_ABOUT: dict[Language, str] = {"en": "What does “{}” say about “{}”?", "es": "¿Qué dice «{}» sobre «{}»?"}


_LONGEST_TOPIC = 8  # words
_ENOUGH = 3  # terms with which a heading says of itself what it is about
_A_CLAUSE = re.compile(
    r"(?:why|how|who|what|when|where|which|por que|como|quien(?:es)?|que|cuando|donde|cual(?:es)?)\b"
)
_OPENS = re.compile(r"¿?(?:and|but|so|y|e|pero|entonces)\b")


def candidates(article: Article) -> list[str]:
    """Questions that an article answers: those that are anticipated, those of several sentences first; then, most
    plainly first, its headings, what it defines, what it counts.

    A heading that leaves its subject to the title gets it: `Ley Silla: who pays the fine?`
    """
    stating = {s.section for s in article.sentences if s.sources}
    headings = [s.heading for number, s in enumerate(article.sections) if s.heading and number in stating]
    asked = [question for h in headings if h.endswith("?") for question in _with_topic(article, h)]
    named = [
        _ABOUT[article.language].format(article.title, h)
        for h in headings
        if not h.endswith("?") and fold(h) != fold(article.title) and 1 <= len(h.split()) <= 6
    ]
    return list(dict.fromkeys([*_anticipated(article), *asked, *_defined(article), *_counted(article), *named]))


def _anticipated(article: Article) -> list[str]:
    """The questions that are written out, with their marks, in the article's language."""
    expected = Counter(q for n, own in article.anticipated if article.sentences[n].sources for q in own)
    written = [q for q in expected if q.endswith("?") and _is_in(q, article.language)]
    return sorted(written, key=lambda q: -min(2, expected[q]))  # stable: in the order of the article


def _with_topic(article: Article, heading: str) -> list[str]:
    """A heading as a question that can be understood alone; nothing where its subject cannot be told."""
    topic = re.split(r"[:(]", article.title)[0].strip()
    own = terms(heading, article.language)
    if set(own) & set(terms(topic, article.language)):
        return [heading]
    if not topic or len(topic.split()) > _LONGEST_TOPIC or _A_CLAUSE.match(fold(topic)):
        return [heading] if len(own) >= _ENOUGH and not _OPENS.match(fold(heading)) else []
    first = re.search(r"\w+", heading)
    small = re.sub(r"\w", lambda m: m.group().lower(), heading, count=1)
    return [f"{topic}: {heading if first and terms(first.group(), article.language) else small}"]


def _stated(article: Article, pattern: re.Pattern[str]) -> Iterable[re.Match[str]]:
    for sentence in article.sentences:
        match = pattern.match(article.quote(sentence)) if sentence.sources else None
        if match and fold(match.group().split()[0]) not in _PRONOUNS:
            yield match


def _defined(article: Article) -> list[str]:
    spanish = article.language == "es"
    return [
        f"¿Qué {m['is']} {_lowered(m['thing'])}?" if spanish else f"What {m['is']} {_lowered(m['thing'])}?"
        for m in _stated(article, _IS_A[article.language])
    ]


def _counted(article: Article) -> list[str]:
    if article.language == "en":
        does = {"has": "does", "have": "do", "had": "did"}
        return [
            f"How many {m['what']} {does[m['has']]} {_lowered(m['who'])} have?" for m in _stated(article, _HAS["en"])
        ]
    found = []
    for m in _stated(article, _HAS["es"]):
        first = fold(m["what"].split()[0])
        how_many = "Cuántas" if first.endswith("as") and first not in _MASCULINE else "Cuántos"
        found.append(f"¿{how_many} {m['what']} {m['has']} {_lowered(m['who'])}?")
    return found


def _lowered(name: str) -> str:
    """Without the capital of an article that opened the sentence."""
    return re.sub(r"^(?:The|El|La|Los|Las)\b", lambda m: m.group().lower(), name)


def _mark(article: Article) -> str:
    """What questions were made from: an article that says something else has another mark."""
    return hashlib.sha256(f"{article.title}\n{article.text}".encode()).hexdigest()[:12]
