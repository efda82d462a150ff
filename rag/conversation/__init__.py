"""What a follow-up means: one more question of a conversation as a question that can be understood alone.

Which kind of follow-up a question is, is told here, by the closed words of its language (`grammar`) and the names in
it (`gazetteer`); what becomes of each kind is in `rewriting`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from rag.conversation.gazetteer import EVERYWHERE, Gazetteer, Mention, place_names
from rag.conversation.grammar import EN_AUX, GRAMMARS, Grammar, flatten
from rag.conversation.rewriting import Rewriter, Thread, Understood, as_question
from rag.text import Language, fold

__all__ = ["Conversation", "Turn", "Understood", "place_names", "turns_of"]

_REMEMBERED_TURNS = 12
_FEW = 5  # content terms up to which a question without a name may lean on what was asked before
_ELSEWHERE = re.compile(
    r"(?:worldwide|nationwide|nationally|globally|abroad|overseas|(?:in|around) the world|in the country|"
    r"in total|overall|en (?:todo )?el (?:mundo|pais|extranjero)|a nivel (?:mundial|nacional|global)|en total|"
    r"mundialmente)"
)
_COMPARED = re.compile(r"\b(?:compar\w+|versus|vs|against|frente a|respecto|unlike|instead of|en lugar de)\b")
# It asks of what it names itself.
_COMPLETE = re.compile(r"(?:how (?:many|much)|cuant[oa]s?|what (?:is|are)|que (?:es|son)) \w")
# It orders, and where it has more than _NAMED terms of content it says itself about what.
_ORDERS = re.compile(
    r"(?:please )?(?:list|name|describe|explain|(?:tell|show|give|inform) (?:me|us)|"
    r"(?:por favor )?(?:di(?:me|nos)|lista|enumera|menciona|describ[ea]|explic[ae](?:me)?|"
    r"(?:habla|cuenta|muestra)\w*))\b"
)
_NAMED = 2


class Turn(NamedTuple):
    """A question that was asked and the text of its answer."""

    question: str
    answer: str


def turns_of(messages: Sequence[Mapping[str, Any]]) -> list[Turn]:
    """Turns of a history given as messages `{"role", "content"}`; raises ValueError when it is none.

    `content` may be Gradio's and OpenAI's list of parts, of which the text is taken.
    """
    turns: list[Turn] = []
    if not isinstance(messages, Sequence) or isinstance(messages, str):
        raise ValueError("expected a list of messages")
    for message in messages:
        content = message["content"]
        if not isinstance(content, str):
            content = " ".join(str(part.get("text", "")) for part in content if isinstance(part, Mapping))
        if message["role"] == "user":
            turns.append(Turn(content, ""))
        elif message["role"] == "assistant" and turns:
            turns[-1] = Turn(turns[-1].question, content)
    return turns


class Conversation:
    """Resolves follow-ups. `names` are the terms that the corpus writes with a capital, `is_place` tells the name
    of a place from other names, `continues` whether the articles say of a question without a name what they say
    of the one before (the topic goes on) or whether another article answers it (the topic is new).
    """

    def __init__(
        self,
        names: Mapping[Language, frozenset[str]],
        is_place: Callable[[str], bool],
        continues: Callable[[str, str, Language], bool],
    ) -> None:
        self._gazetteer = Gazetteer(names, is_place)
        self._rewriter = Rewriter(self._gazetteer)
        self._continues = continues

    def understand(self, question: str, history: Sequence[str], language: Language) -> Understood:
        """A question asked after others, oldest first, as one that can be understood alone.

        A new name or year takes the place of the one asked about before ("And in Tijuana?"); a new subject keeps
        the place ("What about wages?"); a question word asks it of the last question ("Since when?"); what only
        points back gets what it points to. A whole question is left as it is and nothing before it matters.
        """
        thread = Thread()
        for past in history[-_REMEMBERED_TURNS:]:
            _, thread = self._resolve(past, thread, language)
        return self._resolve(question, thread, language)[0]

    def _resolve(self, question: str, thread: Thread, language: Language) -> tuple[Understood, Thread]:
        if not thread.question:
            return self._rewriter.whole(question, language)
        grammar = GRAMMARS[language]
        bare = question.strip(" ¿¡?!.\"'…")
        flat = flatten(bare)
        if grammar.more.fullmatch(flat):
            return Understood(thread.asked, more=True), thread
        at = _opening(grammar, flat)
        about = _end(grammar.about, flat[at:])
        about = about if at + about < len(flat) else 0
        at += about
        opens = at > 0
        rest, said = flat[at:].strip(" ¿"), bare[at:].strip(" ¿")
        if grammar.bare.fullmatch(rest):
            return self._rewriter.again(said, thread, language)
        if _ELSEWHERE.fullmatch(rest):
            return self._rewriter.whole(self._rewriter.put_everywhere(said, thread, language), language, thread)
        shift = grammar.shift.fullmatch(rest)
        if shift:
            return self._rewriter.shifted(said, shift, thread, language)
        names = self._gazetteer.mentions(said, language)
        own = [n for n in names if fold(n.text) not in EVERYWHERE]
        content = self._gazetteer.content(said, names, language)
        whole = not opens and len(own) > 1 and any(not term.startswith("comp") for term in content)
        if (opens or _COMPARED.match(rest)) and _COMPARED.search(rest) and len(content) <= _FEW and not whole:
            return self._rewriter.leaning(said, thread, language)
        if names and not content and not grammar.asks.match(rest):
            replaced = self._rewriter.replaced(said, names, thread, language, opens=opens)
            return (
                self._rewriter.whole(replaced, language, thread)
                if replaced
                else self._rewriter.whole(question, language)
            )
        if about or (opens and self._is_fragment(rest, language)):
            return self._rewriter.fragment(said, own, thread, language)
        return self._clause(question, said, own, content, thread, language, opens=opens)

    def _clause(
        self,
        question: str,
        said: str,
        own: Sequence[Mention],
        content: Sequence[str],
        thread: Thread,
        language: Language,
        *,
        opens: bool,
    ) -> tuple[Understood, Thread]:
        grammar = GRAMMARS[language]
        placed = self._rewriter.placed(said, thread, language)
        question = as_question(placed, language) if opens or placed != said else question
        said = placed
        own = own or [
            n for n in self._gazetteer.mentions(said, language) if n.kind == "place" and fold(n.text) not in EVERYWHERE
        ]
        flat = grammar.no_pointer.sub(" ", flatten(said))
        named = any(n.kind != "year" for n in own) or re.search(r"\b(?:in|en) mexico\b", flat)
        orders = _ORDERS.match(flat) and len(content) > _NAMED
        if grammar.points.search(flat) and len(content) <= _FEW + 2 and not (orders and len(content) > _NAMED + 1):
            put = self._rewriter.resolved(said, thread, language)
            if put:
                return self._rewriter.whole(put, language, thread)
            return self._rewriter.leaning(said, thread, language)
        if named:
            return self._rewriter.whole(question, language)
        leans = (
            grammar.elliptic.match(flat)
            or (opens and len(content) <= _FEW and not self._is_complete(flat, content, thread, language))
            or (grammar.subjectless.match(flat) and len(content) <= (3 if language == "es" else 1))
            or (
                len(content) <= _FEW + opens
                and not _COMPLETE.match(flat)
                and not orders
                and self._continues(said, thread.question, language)
            )
        )
        if leans:
            return self._rewriter.leaning(said, thread, language)
        return self._rewriter.whole(question, language)

    def _is_complete(self, flat: str, content: Sequence[str], thread: Thread, language: Language) -> bool:
        """Whether a question says all that it is about, and the one before had no name that it could leave out."""
        before = [n for n in self._gazetteer.mentions(thread.question, language) if fold(n.text) not in EVERYWHERE]
        return bool(_COMPLETE.match(flat)) and len(content) > 1 and not before

    def _is_fragment(self, rest: str, language: Language) -> bool:
        """Whether it names a thing and asks nothing of it: "the wages", "los sueldos"."""
        if GRAMMARS[language].asks.match(rest) or re.search(r"\b(?:cuando|cuant[oa]s?|quien(?:es)?)\b", rest):
            return False
        if language == "en":
            return not re.search(rf"\b{EN_AUX}\b", rest)
        return len(rest.split()) == 1 or bool(re.match(r"(?:el|la|los|las|un|una|del?|con)\b", rest))


def _end(pattern: re.Pattern[str], text: str) -> int:
    match = pattern.match(text)
    return match.end() if match else 0


def _opening(grammar: Grammar, flat: str) -> int:
    """The length of what only joins a question to the one before: "and", "ok, but"."""
    at = _end(grammar.opens, flat)
    if at == len(flat):  # "And now?": what opens may also be all there is
        first = re.match(r"\w+[\s,]+(?=\w)", flat)
        return first.end() if first else 0
    return at
