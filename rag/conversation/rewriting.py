"""How a follow-up becomes a question that can be understood alone: the question before it, with something changed."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

from rag.conversation.gazetteer import EVERYWHERE, Gazetteer, Mention, unmarked
from rag.conversation.grammar import ATTRIBUTES, GRAMMARS, PREPOSITION, YEAR, flatten
from rag.language import is_function_word
from rag.text import Language, fold

_WHEN = re.compile(
    r"\b(?:before|after|since|until|by|around|from|antes de|despues de|desde|hasta|a partir de|hacia)\s+$"
)
_LONG_SUBJECT = 9  # words


class Understood(NamedTuple):
    """A question of a conversation: `text` can be understood alone; `more` is set when it asks for more of what
    was asked before ("tell me more", "go on"), so that what was said need not be said again.
    """

    text: str
    more: bool = False


@dataclass(frozen=True, slots=True)
class Thread:
    """What a conversation is about: the last question that stood alone, the thing it asks about, the one name in
    it (either may be what "it" stands for), and what was asked last.
    """

    question: str = ""
    subject: str = ""
    name: str = ""
    asked: str = ""


class Rewriter:
    """Rewrites one kind of follow-up each: what was understood, and the thread of the conversation after it."""

    def __init__(self, gazetteer: Gazetteer) -> None:
        self._gazetteer = gazetteer

    def whole(self, question: str, language: Language, before: Thread | None = None) -> tuple[Understood, Thread]:
        """A question that stands alone; a subject or name that it leaves unsaid stays that of `before`."""
        subject = _subject(question, language) or (before.subject if before else "")
        name = self._gazetteer.only_name(question, language) or (before.name if before else "")
        # A source that was asked for once ("by IDCallCenter") is not asked for again.
        lasting = re.sub(r", (?:by|according to|per|según|por) [^,?]+(?=\?)", "", question)
        return Understood(question), Thread(lasting, subject, name, question)

    def leaning(self, tail: str, thread: Thread, language: Language) -> tuple[Understood, Thread]:
        """The subject before, then what is asked of it ("The HIRE Act: who is against it?")."""
        base = _capital(thread.subject or unmarked(thread.question))
        text = _contracted(GRAMMARS[language].colon.format(base, self._gazetteer.small(tail, language)))
        return Understood(text), replace(thread, asked=text)

    def again(self, word: str, thread: Thread, language: Language) -> tuple[Understood, Thread]:
        """A question word alone, asked of the question before."""
        grammar = GRAMMARS[language]
        base = unmarked(thread.question)
        flat = flatten(base)
        adverb = re.sub(
            r"\s+(?:exactly|was that|is that|is it|es eso|fue eso|exactamente|so|not|come)$", "", flatten(word)
        )
        adverb = word[: len(adverb)]
        fits = grammar.adverbial.match(flat) or (
            language == "es" and not grammar.argument.match(flat) and re.match("", flat)
        )
        negated = re.search(r"\bno\b|\bnot\b", flatten(word))
        is_adverb = grammar.adverbial.match(f"{flatten(adverb)} ") or not grammar.argument.fullmatch(flatten(adverb))
        if fits and ":" not in base and not negated and is_adverb:
            rest = self._gazetteer.small(base[fits.end() :], language)
            text = f"{_capital(adverb)} {rest}?" if language == "en" else f"¿{_capital(adverb)} {rest}?"
            return Understood(text), replace(thread, asked=text)
        said, _ = self.leaning(word, replace(thread, subject=""), language)
        return said, replace(thread, asked=said.text)

    def shifted(self, said: str, shift: re.Match[str], thread: Thread, language: Language) -> tuple[Understood, Thread]:
        """Another time: the year before the one asked about, today."""
        base = unmarked(thread.question)
        years = list(YEAR.finditer(base))
        english = language == "en"
        if not years:
            text = f"{base}, {said}?" if english else f"¿{base}, {said}?"
            return Understood(text), replace(thread, asked=text)
        last = years[-1]
        year = int(last.group())
        lead = re.search(
            r"\b(?:in|during|since|of|en|de|durante|desde|before|after|antes de|despues de|después de)\s+$",
            base[: last.start()],
        )
        start = lead.start() if lead else last.start()
        if shift["before"]:
            when = f"before {year}" if english else f"antes de {year}"
        elif shift["after"]:
            when = f"after {year}" if english else f"después de {year}"
        elif shift["now"]:
            when = said
        else:
            when = f"{lead.group() if lead else ''}{year - 1 if shift['last'] else year + 1}"
        changed = f"{base[:start]}{when}{base[last.end() :]}"
        return self.whole(f"{changed}?" if english else f"¿{changed}?", language, thread)

    def replaced(self, said: str, names: Sequence[Mention], thread: Thread, language: Language, *, opens: bool) -> str:
        """The question before, about the names of this one; "" when they have no place in it."""
        base = unmarked(thread.question)
        flat = flatten(said)
        years = [n for n in names if n.kind == "year"]
        sources = [n for n in names if n.kind != "year" and ATTRIBUTES.search(flat[: n.start])]
        others = [n for n in names if n.kind != "year" and n not in sources]
        if years:
            old = [n for n in self._gazetteer.mentions(base, language) if n.kind == "year"]
            when = _WHEN.search(flat[: years[0].start])
            new = said[when.start() if when else years[0].start : years[-1].end]
            if old:
                led = PREPOSITION.search(flatten(base[: old[-1].start])) if when else None
                base = f"{base[: led.start() if led else old[-1].start]}{new}{base[old[-1].end :]}"
            elif when:
                base = f"{base} {new}"
            else:
                base = f"{base} {GRAMMARS[language].place} {new}"
        if others:
            phrase = said[others[0].start : others[-1].end]
            before = PREPOSITION.search(flat[: others[0].start])
            kind = others[0].kind
            placed = [n for n in self._gazetteer.mentions(base, language) if n.kind != "year"]
            fitting = [n for n in placed if n.kind == kind]
            fitting = [
                n for n in fitting if not (n.text.isupper() and re.match(r" [a-z]", base[n.end :]) and kind == "place")
            ]
            specific = [n for n in fitting if fold(n.text) not in EVERYWHERE] or fitting
            if specific:
                old_name = specific[-1]
                base = f"{base[: old_name.start]}{phrase}{base[old_name.end :]}"
            elif before or kind == "place":
                place = said[before.start() : others[0].start] if before else f"{GRAMMARS[language].place} "
                base = f"{base} {place}{phrase}"
            elif opens:
                return _contracted(GRAMMARS[language].what_about.format(self._gazetteer.small(said, language)))
            else:
                return ""
        if sources:
            led = ATTRIBUTES.search(flat[: sources[0].start])
            base = f"{base}, {said[led.start() if led else sources[0].start : sources[-1].end]}"
        return f"{base}?" if language == "en" else f"¿{base}?"

    def put_everywhere(self, elsewhere: str, thread: Thread, language: Language) -> str:
        """The question before, about everywhere."""
        base = unmarked(thread.question)
        places = [
            n for n in self._gazetteer.mentions(base, language) if n.kind == "place" or fold(n.text) in EVERYWHERE
        ]
        led = PREPOSITION.search(flatten(base[: places[-1].start])) if places else None
        changed = f"{base[: led.start()]}{elsewhere}{base[places[-1].end :]}" if led else f"{base} {elsewhere}"
        return as_question(changed, language)

    def fragment(
        self, said: str, own: Sequence[Mention], thread: Thread, language: Language
    ) -> tuple[Understood, Thread]:
        """Another thing asked about the same place or company."""
        grammar = GRAMMARS[language]
        topic = self._gazetteer.small(said, language)
        if any(n.kind == "place" for n in own) or (own and not self._gazetteer.content(said, own, language)):
            return self.whole(_contracted(grammar.what_about.format(topic)), language)
        before = [n for n in self._gazetteer.mentions(thread.question, language) if n.kind != "year"]
        kept = [n for n in before if fold(n.text) not in EVERYWHERE]
        if not kept:
            return self.leaning(grammar.what_about.format(topic).strip("¿?"), replace(thread, subject=""), language)
        places = [n.text for n in kept if n.kind == "place"][-1:]
        others = [n.text for n in kept if n.kind == "name"][-1:]
        if others and thread.subject.endswith(others[0]):
            others = [thread.subject]  # with its article: "el REPSE"
        at = [f" {'for' if language == 'en' else 'en'} {other}" for other in others]
        at += [f" {grammar.place} {place}" for place in places]
        return self.whole(_contracted(grammar.what_about.format(topic + "".join(at))), language)

    def placed(self, said: str, thread: Thread, language: Language) -> str:
        """With the place asked about before where it says "there"."""
        grammar = GRAMMARS[language]
        there = list(grammar.there.finditer(flatten(said)))
        places = [n.text for n in self._gazetteer.mentions(thread.question, language) if n.kind == "place"]
        if not there or not places:
            return said
        return f"{said[: there[-1].start()]}{grammar.place} {places[-1]}{said[there[-1].end() :]}"

    def resolved(self, said: str, thread: Thread, language: Language) -> str:
        """With the subject in place of the one pronoun that stands for it; "" where that is not safe."""
        grammar = GRAMMARS[language]
        flat = grammar.no_pointer.sub(lambda m: " " * len(m.group()), flatten(said))
        pointers = list(grammar.points.finditer(flat))
        if not pointers:
            return as_question(said, language)
        pronouns = list(grammar.pronoun.finditer(flat))
        stands_for = thread.subject or thread.name
        if not stands_for or len(pointers) != 1 or len(pronouns) != 1:
            return ""
        one = pronouns[0]
        follows = flat[one.end() :].split()
        if one.group() in ("that", "this") and follows and not is_function_word(follows[0]):
            return ""  # "that law" names something of its own
        return as_question(f"{said[: one.start()]}{stands_for}{said[one.end() :]}", language)


def as_question(text: str, language: Language) -> str:
    """A question with its capital and its marks."""
    bare = _capital(unmarked(text))
    return f"{bare}?" if language == "en" else f"¿{bare}?"


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def _contracted(text: str) -> str:
    """`de el` is `del`."""
    return re.sub(r"\bde el\b", "del", text)


def _subject(question: str, language: Language) -> str:
    """What a question asks about ("the HIRE Act"), where that is plain, else ""."""
    bare = unmarked(question)
    flat = flatten(bare)
    for pattern, article in GRAMMARS[language].subjects:
        match = pattern.fullmatch(flat)
        if match and len(match["np"].split()) <= _LONG_SUBJECT:
            return article + re.sub(r" (?:about|like|for|of)$", "", bare[match.start("np") : match.end("np")])
    return ""
