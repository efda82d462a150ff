"""What a follow-up means: one more question of a conversation as a question that can be understood alone."""

# ruff: noqa: E501 - the patterns are rows of a table

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

from rag.corpus import Article
from rag.text import Language, fold, is_function_word, terms

_REMEMBERED_TURNS = 12


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


class Understood(NamedTuple):
    """A question of a conversation: `text` can be understood alone; `more` is set when it asks for more of what
    was asked before ("tell me more", "go on"), so that what was said need not be said again.
    """

    text: str
    more: bool = False


@dataclass(frozen=True, slots=True)
class _Thread:
    """What a conversation is about: the last question that stood alone, the thing it asks about, the one name in
    it (either may be what "it" stands for), and what was asked last.
    """

    question: str = ""
    subject: str = ""
    name: str = ""
    asked: str = ""


class _Grammar(NamedTuple):
    """The closed words of a language that carry a conversation, as patterns on flat text (see `_flat`)."""

    opens: re.Pattern[str]  # And …, so …
    about: re.Pattern[str]  # what about …
    more: re.Pattern[str]  # tell me more
    bare: re.Pattern[str]  # a question word alone
    shift: re.Pattern[str]  # another time, told from the one asked about
    points: re.Pattern[str]  # it, there, those
    no_pointer: re.Pattern[str]  # this year, is it true that
    elliptic: re.Pattern[str]  # how many were …
    subjectless: re.Pattern[str]  # a clause that leaves its subject to what was said before
    asks: re.Pattern[str]  # how a clause that asks begins
    adverbial: re.Pattern[str]  # why, when …: what another adverbial may stand for
    argument: re.Pattern[str]  # who, what, how many …: what nothing else can stand for
    there: re.Pattern[str]
    pronoun: re.Pattern[str]
    subjects: tuple[tuple[re.Pattern[str], str], ...]
    framing: frozenset[str]  # words beside a name that ask nothing: "in", "as a whole"
    place: str
    what_about: str
    colon: str


_EN_AUX = r"(?:is|are|was|were|do|does|did|has|have|had|can|could|will|would|should|must|may|might)"
_EN = _Grammar(
    opens=re.compile(
        r"(?:(?:and|but|so|or|then|also|ok|okay|well|now|yes|no|thanks|great|i meant?|rather)\b[,.:;!]*\s*)+"
    ),
    about=re.compile(r"(?:what|how) (?:about|of)\b\s*|(?:the )?same (?:question )?(?:for|in)\b\s*|regarding\s+"),
    more=re.compile(
        r"(?:(?:yes|yeah|yep|sure|ok|okay|please|more|(?:tell|show|give) me more|say more|go (?:on|ahead)|continue|keep going|"
        r"(?:any(?:thing)?|something|what) (?:else|more)|more (?:details?|info|information)|details|elaborate|expand|next|and|"
        r"so(?: what)?|is that all|is there (?:anything )?more)(?: (?:about|on) (?:it|that|this))?[\s,.!]*)+"
    ),
    bare=re.compile(
        r"(?:why(?: not| so(?: \w+)?| is that| is it| was that)?|how(?: so| come)?|since when|until when|from when|by when|when|where|"
        r"who|by whom|for whom|says who|who says(?: so| that)?|according to whom|how (?:much|many|long|often)|for how long|"
        r"which(?: ones?)?|what for|(?:in )?(?:what|which) year)(?: (?:exactly|was that|is that|then))?"
    ),
    shift=re.compile(
        r"(?P<before>before(?: (?:that|then))?|earlier|previously|and before)|(?P<after>after(?: that)?|afterwards|later|since(?: then)?)|"
        r"(?:(?:in|for|during) )?(?P<last>(?:the|a) (?:year )?(?:before|earlier|previous year|year before(?: that)?|prior year)|last year)|"
        r"(?:in )?(?P<next>the (?:year after(?: that)?|next year|following year)|next year)|"
        r"(?P<now>(?:right )?now|today|currently|nowadays|these days|this year|at present)"
    ),
    points=re.compile(
        r"\b(?:it|its|they|them|their|theirs|those|these|that|this|there|he|she|his|her|him|ones|the (?:former|latter)|"
        r"the same)\b|\b(?:some|any|so|too|either|neither|then|instead|one|else|do|don't|doesn't|can't|won't|isn't|aren't)$"
    ),
    no_pointer=re.compile(
        r"\b(?:this|that|these|those) (?:year|month|week|sector|industry|country|site|corpus)s?\b|"
        r"\bit (?:true|legal|possible|necessary|mandatory|better|worth|allowed|safe|ok|fair|illegal|compulsory)\b|"
        r"\b(?:is|are|was|were|be|been|how many|how much|has|have) (?:\w+ )?there\b|\bthere (?:is|are|was|were|any)\b|"
        r"\b(?:so|now|say|says|said|claim|claims|know|true|those|people|companies|agents|centers|ones) that\b|"
        r"\bdoes it make sense\b"
    ),
    elliptic=re.compile(
        r"how (?:many|much) (?:is|are|was|were|of|in|for|by|did|do|have|has)\b(?! (?:there|the|a)\b)|which (?:is|are|was|were|of|one|ones)\b|what(?:'s| is| are| was| were) the \w+$"
    ),
    subjectless=re.compile(r"(?!.*\b(?:the|an?|is|are|be)\b)"),  # "who won?"
    asks=re.compile(
        rf"(?:(?:in|at|by|to|from|for|of|since|until|on|with|about|under) )?(?:who|whom|whose|what|which|when|where|why|how|if|{_EN_AUX[3:-1]})\b"
    ),
    adverbial=re.compile(rf"(?:why|where|since when|until when|when|how)\s+(?={_EN_AUX}\b)|(?={_EN_AUX}\b)"),
    argument=re.compile(r"(?:\w+ )?(?:who|whom|whose|what|which|how (?:many|much))\b"),
    there=re.compile(
        r"(?<!is )(?<!are )(?<!was )(?<!were )(?<!many )(?<!be )\b(?:over |up |down )?there\b(?! (?:is|are|was|were|any|a)\b)"
    ),
    pronoun=re.compile(r"\b(?:it|they|them|that|this)\b"),
    subjects=(
        (re.compile(r"(?:what|who)(?:'s| is| are| was| were) (?P<np>(?:the |a |an )?(?!\w+(?:ing|ed)\b)[^,:;]+)"), ""),
        (re.compile(r"(?:explain|describe|define|tell me about|what do you know about) (?P<np>[^,:;]+)"), ""),
        (re.compile(r"(?:is|are|was|were) there (?:also |already )?(?:an?|any|some) (?P<np>[^,:;]+)"), "the "),
        (
            re.compile(
                rf"who (?!{_EN_AUX}\b)[a-z]+ (?P<np>(?:the |an? )?(?!to\b|for\b|in\b|on\b|of\b|with\b|by\b|at\b|most\b)[^,:;]+)"
            ),
            "",
        ),
    ),
    framing=frozenset(
        "in at to from of by for on around back just only the whole about with then also as a over during".split()
    ),
    place="in",
    what_about="What about {}?",
    colon="{}: {}?",
)
_ES = _Grammar(
    opens=re.compile(r"(?:(?:y|e|pero|entonces|o|tambien|ahora|ok|bueno|si(?=,)|no(?=,)|gracias|oye|ah|pues|luego|mejor|quise decir|me referia a)\b[,.:;!¿¡]*\s*¿?)+"),
    about=re.compile(r"(?:que (?:hay|pasa|tal|onda|me dices?|sabes?)(?: (?:de|con|en|sobre))?|lo mismo (?:para|en|de)|respecto (?:a|de)|en cuanto a|sobre)\b\s*"),
    more=re.compile(
        r"(?:(?:si|claro|ok|okay|vale|por favor|mas|(?:dime|cuentame|dame|platicame|muestrame) (?:un poco )?mas|sigue|siga|continua|continue|adelante|"
        r"(?:que|algo|alguna cosa) mas|mas (?:detalles?|informacion|datos)|detalles|amplia|a ver|y|hay mas|es todo)"
        r"(?: (?:de|sobre) (?:eso|esto|ello))?[\s,.!]*)+"
    ),
    bare=re.compile(
        r"(?:(?:y )?por que(?: no| es asi| tanto| tan \w+)?|porque|como(?: asi| es eso)?|desde cuando|hasta cuando|a partir de cuando|para cuando|cuando|"
        r"(?:de |en |a |desde |hasta )?donde|(?:a |de |por |para |con |segun )?quien(?:es)?|quien (?:lo )?dice(?: eso)?|cuant[oa]s?|"
        r"cual(?:es)?|para que|(?:en|de|desde) que ano|(?:por|durante) cuanto tiempo|con que frecuencia)(?: (?:fue|es) eso| exactamente)?"
    ),
    shift=re.compile(
        r"(?P<before>antes(?: de (?:eso|esto|entonces))?|anteriormente|previamente)|(?P<after>despues(?: de (?:eso|esto))?|luego|mas tarde|desde entonces|posteriormente)|"
        r"(?:en |durante )?(?P<last>el ano (?:anterior|pasado|previo)|un ano antes|el anterior)|"
        r"(?:en |durante )?(?P<next>el (?:ano )?(?:siguiente|proximo)(?: ano)?|un ano despues|al ano siguiente|el ano que viene)|"
        r"(?P<now>ahora(?: mismo)?|hoy(?: en dia)?|actualmente|este ano|en la actualidad|al dia de hoy)"
    ),
    points=re.compile(
        r"\b(?:eso|esa|ese|esos|esas|esto|esta|este|estos|estas|ello|ella|ellas|ellos|ahi|alli|alla|su|sus|lo|le|les|el mismo|la misma|"
        r"los mismos|las mismas|dich[oa]s?|aquell[oa]s?)\b(?! que\b)|\b(?:alguno|alguna|algunos|algunas|entonces|tambien|tampoco|ambos|ambas|otro|otra)$"
    ),
    no_pointer=re.compile(
        r"\best[eao]s? (?:ano|mes|semana|sector|industria|pais|sitio|documentos?|articulos?)\b|\b(?:en|a|de|por) lo (?:que|mas|menos|general)\b|"
        r"\blo (?:mas|mejor|peor|que|de)\b|\besta(?:n)? (?:permitid|obligad|prohibid|registrad)\w+|\b(?:donde|como|que|cuando|quien) esta\b|"
        r"\ba lo largo\b|\bse (?:le|les)\b|\bles? (?=.*\b(?:al|a (?:un|una|el|la|los|las|mi|mis)) \w)"
    ),
    elliptic=re.compile(r"cuant[oa]s? (?:son|eran|fueron|de|por|en|fue|es|hay|habia)\b(?! (?:el|la|los|las|un|una)\b)|cual(?:es)? (?:es|son|fue|fueron|de)(?: (?:ell[oa]s|est[oa]s|es[oa]s|(?:el|la|los|las) \w+))?$"),
    subjectless=re.compile(
        r"(?:quien(?:es)?|cuando|como|donde|por que|cuanto) l[aeo]s? \w+|(?!.*\b(?:el|la|los|las|un|una|unos|unas|del|al|hay|habia|hubo|son|es)\b)"
    ),
    asks=re.compile(
        r"(?:(?:a|de|en|por|para|con|desde|hasta|segun|sobre|bajo) )?(?:quien(?:es)?|que|cual(?:es)?|cuando|donde|como|cuant[oa]s?|si)\b"
    ),
    adverbial=re.compile(r"(?:por que|donde|desde cuando|hasta cuando|cuando|como)\s+"),
    argument=re.compile(r"(?:(?:a|de|en|con|por|para|segun) )?(?:quien(?:es)?|que|cual(?:es)?|cuant[oa]s?)\b"),
    there=re.compile(r"\b(?:por )?(?:ahi|alli|alla)(?: mismo)?\b(?! por\b)"),
    pronoun=re.compile(r"(?!)"),  # Spanish drops its subjects: nothing stands where the subject would
    subjects=(
        (re.compile(r"(?:que|cual(?:es)?|quien(?:es)?) (?:es|son|fue|fueron|era|eran|significa) (?P<np>[^,:;]+)"), ""),
        (re.compile(r"(?:explicame|explica|define|dime que es|hablame de|cuentame de) (?P<np>[^,:;]+)"), ""),
        (re.compile(r"(?:tambien )?(?:hay|hubo|existe) (?:alguna|una) (?P<np>[^,:;]+)"), "la "),
        (re.compile(r"(?:tambien )?(?:hay|hubo|existe) (?:algun|un) (?P<np>[^,:;]+)"), "el "),
        (re.compile(r"quien(?:es)? (?!es\b|son\b|fue\b|puede|debe|esta|ha\b|han\b)[a-z]+ (?P<np>(?:el|la|los|las) [^,:;]+)"), ""),
    ),
    framing=frozenset("en de del a al el la los las por para con alla allá toda todo todas todos solo sólo sobre tambien desde entre como conjunto".split()),
    place="en",
    what_about="¿Qué hay de {}?",
    colon="{}: ¿{}?",
)  # fmt: skip
_GRAMMARS: Mapping[Language, _Grammar] = {"en": _EN, "es": _ES}
_ELSEWHERE = re.compile(
    r"(?:worldwide|nationwide|nationally|globally|abroad|overseas|(?:in|around) the world|in the country|in total|overall|"
    r"en (?:todo )?el (?:mundo|pais|extranjero)|a nivel (?:mundial|nacional|global)|en total|mundialmente)"
)
_WHEN = re.compile(
    r"\b(?:before|after|since|until|by|around|from|antes de|despues de|desde|hasta|a partir de|hacia)\s+$"
)
_COMPARED = re.compile(r"\b(?:compar\w+|versus|vs|against|frente a|respecto|unlike|instead of|en lugar de)\b")
_ATTRIBUTES = re.compile(r"\b(?:by|according to|per|segun|por)\s+(?:the |el |la )?$")
_PREPOSITION = re.compile(r"\b(?:in|at|for|from|with|of|to|en|de|con|para|a|por)\s+(?:the |el |la |los |las )?$")
_TRAILS = re.compile(
    r"\s*(?:as a whole|overall|in general|en (?:su )?conjunto|en general|too|also|tambien|instead|then)$"
)
_YEAR = re.compile(r"(?:19|20)\d{2}")
_NAME_WORD = re.compile(r"[^\W_](?:[\w&.'’-]*[^\W_])?")
_COMPLETE = re.compile(
    r"(?:how (?:many|much)|cuant[oa]s?|what (?:is|are)|que (?:es|son)) \w"
)  # asks of what it names itself
_FEW = 5  # content terms up to which a question without a name may lean on what was asked before
_LONG_SUBJECT = 9  # words
# Everything is in it: it tells nothing about what a question is about.
_EVERYWHERE = frozenset({"mexico", "mexican", "mexicano", "mexicana", "mexicanos", "mexicanas", "bpo"})


class _Name(NamedTuple):
    """A name or a year in a question, as written, and where it stands."""

    text: str
    start: int
    end: int
    kind: str  # "year", "place" or "name"


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
        self._names = names
        self._is_place = is_place
        self._continues = continues

    def understand(self, question: str, history: Sequence[str], language: Language) -> Understood:
        """A question asked after others, oldest first, as one that can be understood alone.

        A new name or year takes the place of the one asked about before ("And in Tijuana?"); a new subject keeps
        the place ("What about wages?"); a question word asks it of the last question ("Since when?"); what only
        points back gets what it points to. A whole question is left as it is and nothing before it matters.
        """
        thread = _Thread()
        for past in history[-_REMEMBERED_TURNS:]:
            _, thread = self._resolve(past, thread, language)
        return self._resolve(question, thread, language)[0]

    def _resolve(self, question: str, thread: _Thread, language: Language) -> tuple[Understood, _Thread]:
        if not thread.question:
            return self._whole(question, language)
        grammar = _GRAMMARS[language]
        bare = question.strip(" ¿¡?!.\"'…")
        flat = _flat(bare)
        if grammar.more.fullmatch(flat):
            return Understood(thread.asked, more=True), thread
        at = _opening(grammar, flat)
        about = _end(grammar.about, flat[at:])
        about = about if at + about < len(flat) else 0
        at += about
        opens = at > 0
        rest, said = flat[at:].strip(" ¿"), bare[at:].strip(" ¿")
        if grammar.bare.fullmatch(rest):
            return self._again(said, thread, language)
        if _ELSEWHERE.fullmatch(rest):
            return self._whole(self._put_in(said, thread, language), language, thread)
        shift = grammar.shift.fullmatch(rest)
        if shift:
            return self._shifted(said, shift, thread, language)
        names = self._named(said, language)
        own = [n for n in names if fold(n.text) not in _EVERYWHERE]
        content = self._content(said, names, language)
        if (opens or _COMPARED.match(rest)) and _COMPARED.search(rest) and len(content) <= _FEW:
            return self._leaning(said, thread, language)
        if names and not content and not grammar.asks.match(rest):
            replaced = self._replaced(said, names, thread, language, opens=opens)
            return self._whole(replaced, language, thread) if replaced else self._whole(question, language)
        if about or (opens and self._is_fragment(rest, language)):
            return self._fragment(said, own, thread, language)
        return self._clause(question, said, own, content, thread, language, opens=opens)

    # -- what stands alone ---------------------------------------------------------------------

    def _whole(self, question: str, language: Language, before: _Thread | None = None) -> tuple[Understood, _Thread]:
        subject = _subject(question, language) or (before.subject if before else "")
        name = self._only_name(question, language) or (before.name if before else "")
        # A source that was asked for once ("by IDCallCenter") is not asked for again.
        lasting = re.sub(r", (?:by|according to|per|según|por) [^,?]+(?=\?)", "", question)
        return Understood(question), _Thread(lasting, subject, name, question)

    def _leaning(self, tail: str, thread: _Thread, language: Language) -> tuple[Understood, _Thread]:
        """The subject before, then what is asked of it ("The HIRE Act: who is against it?")."""
        base = _capital(thread.subject or _open(thread.question))
        text = _contracted(_GRAMMARS[language].colon.format(base, self._small(tail, language)))
        return Understood(text), replace(thread, asked=text)

    # -- kinds of follow-up --------------------------------------------------------------------

    def _again(self, word: str, thread: _Thread, language: Language) -> tuple[Understood, _Thread]:
        """A question word alone, asked of the question before."""
        grammar = _GRAMMARS[language]
        base = _open(thread.question)
        flat = _flat(base)
        adverb = re.sub(
            r"\s+(?:exactly|was that|is that|is it|es eso|fue eso|exactamente|so|not|come)$", "", _flat(word)
        )
        adverb = word[: len(adverb)]
        fits = grammar.adverbial.match(flat) or (
            language == "es" and not grammar.argument.match(flat) and re.match("", flat)
        )
        negated = re.search(r"\bno\b|\bnot\b", _flat(word))
        is_adverb = grammar.adverbial.match(f"{_flat(adverb)} ") or not grammar.argument.fullmatch(_flat(adverb))
        if fits and ":" not in base and not negated and is_adverb:
            rest = self._small(base[fits.end() :], language)
            text = f"{_capital(adverb)} {rest}?" if language == "en" else f"¿{_capital(adverb)} {rest}?"
            return Understood(text), replace(thread, asked=text)
        said, _ = self._leaning(word, replace(thread, subject=""), language)
        return said, replace(thread, asked=said.text)

    def _shifted(
        self, said: str, shift: re.Match[str], thread: _Thread, language: Language
    ) -> tuple[Understood, _Thread]:
        """Another time: the year before the one asked about, today."""
        base = _open(thread.question)
        years = list(_YEAR.finditer(base))
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
        return self._whole(f"{changed}?" if english else f"¿{changed}?", language, thread)

    def _replaced(self, said: str, names: Sequence[_Name], thread: _Thread, language: Language, *, opens: bool) -> str:
        """The question before, about the names of this one; "" when they have no place in it."""
        base = _open(thread.question)
        flat = _flat(said)
        years = [n for n in names if n.kind == "year"]
        sources = [n for n in names if n.kind != "year" and _ATTRIBUTES.search(flat[: n.start])]
        others = [n for n in names if n.kind != "year" and n not in sources]
        if years:
            old = [n for n in self._named(base, language) if n.kind == "year"]
            when = _WHEN.search(flat[: years[0].start])
            new = said[when.start() if when else years[0].start : years[-1].end]
            if old:
                led = _PREPOSITION.search(_flat(base[: old[-1].start])) if when else None
                base = f"{base[: led.start() if led else old[-1].start]}{new}{base[old[-1].end :]}"
            elif when:
                base = f"{base} {new}"
            else:
                base = f"{base} {_GRAMMARS[language].place} {new}"
        if others:
            phrase = said[others[0].start : others[-1].end]
            before = _PREPOSITION.search(flat[: others[0].start])
            kind = others[0].kind
            placed = [n for n in self._named(base, language) if n.kind != "year"]
            fitting = [n for n in placed if n.kind == kind]
            fitting = [
                n for n in fitting if not (n.text.isupper() and re.match(r" [a-z]", base[n.end :]) and kind == "place")
            ]
            specific = [n for n in fitting if fold(n.text) not in _EVERYWHERE] or fitting
            if specific:
                old_name = specific[-1]
                base = f"{base[: old_name.start]}{phrase}{base[old_name.end :]}"
            elif before or kind == "place":
                place = said[before.start() : others[0].start] if before else f"{_GRAMMARS[language].place} "
                base = f"{base} {place}{phrase}"
            elif opens:
                return _contracted(_GRAMMARS[language].what_about.format(self._small(said, language)))
            else:
                return ""
        if sources:
            led = _ATTRIBUTES.search(flat[: sources[0].start])
            base = f"{base}, {said[led.start() if led else sources[0].start : sources[-1].end]}"
        return f"{base}?" if language == "en" else f"¿{base}?"

    def _put_in(self, elsewhere: str, thread: _Thread, language: Language) -> str:
        """The question before, about everywhere."""
        base = _open(thread.question)
        places = [n for n in self._named(base, language) if n.kind == "place" or fold(n.text) in _EVERYWHERE]
        led = _PREPOSITION.search(_flat(base[: places[-1].start])) if places else None
        changed = f"{base[: led.start()]}{elsewhere}{base[places[-1].end :]}" if led else f"{base} {elsewhere}"
        return _asked(changed, language)

    def _fragment(
        self, said: str, own: Sequence[_Name], thread: _Thread, language: Language
    ) -> tuple[Understood, _Thread]:
        """Another thing asked about the same place or company."""
        grammar = _GRAMMARS[language]
        topic = self._small(said, language)
        if any(n.kind == "place" for n in own) or (own and not self._content(said, own, language)):
            return self._whole(_contracted(grammar.what_about.format(topic)), language)
        before = [n for n in self._named(thread.question, language) if n.kind != "year"]
        kept = [n for n in before if fold(n.text) not in _EVERYWHERE]
        if not kept:
            return self._leaning(grammar.what_about.format(topic).strip("¿?"), replace(thread, subject=""), language)
        places = [n.text for n in kept if n.kind == "place"][-1:]
        others = [n.text for n in kept if n.kind == "name"][-1:]
        if others and thread.subject.endswith(others[0]):
            others = [thread.subject]  # with its article: "el REPSE"
        at = [f" {'for' if language == 'en' else 'en'} {other}" for other in others]
        at += [f" {grammar.place} {place}" for place in places]
        return self._whole(_contracted(grammar.what_about.format(topic + "".join(at))), language)

    def _clause(
        self,
        question: str,
        said: str,
        own: Sequence[_Name],
        content: Sequence[str],
        thread: _Thread,
        language: Language,
        *,
        opens: bool,
    ) -> tuple[Understood, _Thread]:
        grammar = _GRAMMARS[language]
        placed = self._placed(said, thread, language)
        question = _asked(placed, language) if opens or placed != said else question
        said = placed
        own = own or [n for n in self._named(said, language) if n.kind == "place" and fold(n.text) not in _EVERYWHERE]
        flat = grammar.no_pointer.sub(" ", _flat(said))
        named = any(n.kind != "year" for n in own) or re.search(r"\b(?:in|en) mexico\b", flat)
        if grammar.points.search(flat) and len(content) <= _FEW + 2:
            put = self._put(said, thread, language)
            if put:
                return self._whole(put, language, thread)
            return self._leaning(said, thread, language)
        if named:
            return self._whole(question, language)
        leans = (
            grammar.elliptic.match(flat)
            or (opens and len(content) <= _FEW and not self._is_complete(flat, content, thread, language))
            or (grammar.subjectless.match(flat) and len(content) <= (3 if language == "es" else 1))
            or (
                len(content) <= _FEW + opens
                and not _COMPLETE.match(flat)
                and self._continues(said, thread.question, language)
            )
        )
        if leans:
            return self._leaning(said, thread, language)
        return self._whole(question, language)

    def _is_complete(self, flat: str, content: Sequence[str], thread: _Thread, language: Language) -> bool:
        """Whether a question says all that it is about, and the one before had no name that it could leave out."""
        before = [n for n in self._named(thread.question, language) if fold(n.text) not in _EVERYWHERE]
        return bool(_COMPLETE.match(flat)) and len(content) > 1 and not before

    def _placed(self, said: str, thread: _Thread, language: Language) -> str:
        """With the place asked about before where it says "there"."""
        grammar = _GRAMMARS[language]
        there = list(grammar.there.finditer(_flat(said)))
        places = [n.text for n in self._named(thread.question, language) if n.kind == "place"]
        if not there or not places:
            return said
        return f"{said[: there[-1].start()]}{grammar.place} {places[-1]}{said[there[-1].end() :]}"

    def _put(self, said: str, thread: _Thread, language: Language) -> str:
        """With the subject in place of the one pronoun that stands for it; "" where that is not safe."""
        grammar = _GRAMMARS[language]
        flat = grammar.no_pointer.sub(lambda m: " " * len(m.group()), _flat(said))
        pointers = list(grammar.points.finditer(flat))
        if not pointers:
            return _asked(said, language)
        pronouns = list(grammar.pronoun.finditer(flat))
        stands_for = thread.subject or thread.name
        if not stands_for or len(pointers) != 1 or len(pronouns) != 1:
            return ""
        one = pronouns[0]
        follows = flat[one.end() :].split()
        if one.group() in ("that", "this") and follows and not is_function_word(follows[0]):
            return ""  # "that law" names something of its own
        return _asked(f"{said[: one.start()]}{stands_for}{said[one.end() :]}", language)

    # -- words ---------------------------------------------------------------------------------

    def _only_name(self, question: str, language: Language) -> str:
        """The name of a question that has one and no more, unless it only begins a longer name."""
        bare = _open(question)
        names = [n for n in self._named(bare, language) if n.kind == "name" and fold(n.text) not in _EVERYWHERE]
        if len(names) != 1 or _PREPOSITION.search(_flat(bare[: names[0].start])):
            return ""
        follows = re.match(r"\s+(\w+)", _flat(bare[names[0].end :]))
        return "" if follows and not is_function_word(follows[1]) else names[0].text

    def _is_fragment(self, rest: str, language: Language) -> bool:
        """Whether it names a thing and asks nothing of it: "the wages", "los sueldos"."""
        if _GRAMMARS[language].asks.match(rest) or re.search(r"\b(?:cuando|cuant[oa]s?|quien(?:es)?)\b", rest):
            return False
        if language == "en":
            return not re.search(rf"\b{_EN_AUX}\b", rest)
        return len(rest.split()) == 1 or bool(re.match(r"(?:el|la|los|las|un|una|del?|con)\b", rest))

    def _named(self, text: str, language: Language) -> list[_Name]:
        """The names and years of a question, in order."""
        found: list[_Name] = []
        known = self._names[language]
        for match in _NAME_WORD.finditer(text):
            word = re.sub(r"['’]s$", "", match.group())
            match_end = match.start() + len(word)
            if _YEAR.fullmatch(word):
                found.append(_Name(word, match.start(), match_end, "year"))
                continue
            own = terms(word, language)
            capital = word[0].isupper()
            opening = not text[: match.start()].strip(" ¿¡\"'(")
            if not own or word.isdigit() or (opening and _flat(word) in _NO_NAMES):
                continue
            capital_all = len(word) > 1 and word.isupper()
            is_known = all(t in known for t in own) and (capital or self._is_name(word))
            if is_known or capital_all or (capital and not opening):
                between = text[found[-1].end : match.start()] if found else ""
                joins = found and found[-1].kind == "name" and capital and found[-1].text[0].isupper()
                if joins and re.fullmatch(r" | (?:de|del|of|de la|of the) |&| & ", between):
                    start = found.pop().start
                    found.append(_Name(text[start:match_end], start, match_end, "name"))
                else:
                    found.append(_Name(word, match.start(), match_end, "name"))
        return [n if n.kind == "year" else self._kinded(n, text) for n in found]

    def _is_name(self, word: str) -> bool:
        """Whether a word in small letters is a name in every language of the articles ("home" is none)."""
        return all(t in known for language, known in self._names.items() if known for t in terms(word, language))

    def _kinded(self, name: _Name, text: str) -> _Name:
        placed = re.search(r"\b(?:in|en)\s+(?:el |la |los |the )?$", _flat(text[: name.start])) is not None
        return name._replace(
            kind="place" if self._is_place(name.text) or (placed and name.text[0].isupper()) else "name"
        )

    def _content(self, said: str, names: Sequence[_Name], language: Language) -> list[str]:
        """The terms of a question beside its names and the words that only lead to them."""
        left = list(_TRAILS.sub("", _flat(said)).ljust(len(said)))
        for name in names:
            left[name.start : name.end] = " " * (name.end - name.start)
        framing = _GRAMMARS[language].framing
        words = [w for w in re.findall(r"[^\W_]+", _ATTRIBUTED.sub(" ", "".join(left))) if w not in framing]
        return [t for w in words for t in terms(w, language)]

    def _small(self, text: str, language: Language) -> str:
        """Without the capital of a first word that is no name."""
        first = re.match(r"[^\W_]+", text)
        if not first or (first.group().isupper() and len(first.group()) > 1):
            return text
        own = terms(first.group(), language)
        named = bool(own) and all(t in self._names[language] for t in own)
        return text if named else text[0].lower() + text[1:]


_ATTRIBUTED = re.compile(r"\b(?:according to|segun)\b")
# Words that open a question with a capital and may be part of a name elsewhere ("Who" is none).
_NO_NAMES = frozenset(
    "who what which when where why how is are was were do does did has have can could will would should if in at by for from "
    "tell give list name compare que cual cuales quien quienes cuando donde como cuanto cuanta cuantos cuantas por para hay "
    "es son el la los las en de y a desde hasta tiene tienen ley".split()
)


def _flat(text: str) -> str:
    """Folded character by character, so that places in it are places in the text."""
    return "".join(f if len(f := fold(c)) == 1 else c for c in text)


def _end(pattern: re.Pattern[str], text: str) -> int:
    match = pattern.match(text)
    return match.end() if match else 0


def _opening(grammar: _Grammar, flat: str) -> int:
    """The length of what only joins a question to the one before: "and", "ok, but"."""
    at = _end(grammar.opens, flat)
    if at == len(flat):  # "And now?": what opens may also be all there is
        first = re.match(r"\w+[\s,]+(?=\w)", flat)
        return first.end() if first else 0
    return at


def _open(question: str) -> str:
    """A question without its marks."""
    return question.strip(" ¿?¡!.")


def _asked(text: str, language: Language) -> str:
    """A question with its capital and its marks."""
    bare = _capital(_open(text))
    return f"{bare}?" if language == "en" else f"¿{bare}?"


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def _contracted(text: str) -> str:
    """`de el` is `del`."""
    return re.sub(r"\bde el\b", "del", text)


def _subject(question: str, language: Language) -> str:
    """What a question asks about ("the HIRE Act"), where that is plain, else ""."""
    bare = _open(question)
    flat = _flat(bare)
    for pattern, article in _GRAMMARS[language].subjects:
        match = pattern.fullmatch(flat)
        if match and len(match["np"].split()) <= _LONG_SUBJECT:
            return article + re.sub(r" (?:about|like|for|of)$", "", bare[match.start("np") : match.end("np")])
    return ""


_PLACED = re.compile(
    r"(?:\b(?P<led>[Ii]n|[Ee]n)\s+)?\b(?P<name>[A-ZÁÉÍÓÚÑ][\w'’-]+(?:\s+(?:de\s+|del\s+|of\s+)?[A-ZÁÉÍÓÚÑ][\w'’-]+){0,3})"
)
_LISTED = re.compile(r"(?:, (?:and )?| and | y | e )[A-ZÁÉÍÓÚÑ]")
_MONTHS = frozenset(
    """january february march april may june july august september october november december enero febrero marzo abril
    mayo junio julio agosto septiembre octubre noviembre diciembre""".split()
)
_LEARNT_FROM = 5_000_000  # characters: enough to know the places of a library


def place_names(articles: Iterable[Article]) -> frozenset[str]:
    """Folded names that articles write after "in" so often that they must be places: learnt, not listed."""
    every: Counter[str] = Counter()
    led: Counter[str] = Counter()
    read = 0
    for article in articles:
        until, is_led = -1, False
        for match in _PLACED.finditer(article.text):
            # "in Cancún, Oaxaca and Puebla" leads to all three, "in Cancún, Acme grew" to one
            between, follows = article.text[until : match.start()], article.text[match.end() : match.end() + 6]
            joined = between in (" and ", ", and ", " y ", " e ") or (between == ", " and _LISTED.match(follows))
            is_led = match["led"] is not None or (is_led and bool(joined))
            until = match.end()
            name = fold(match["name"])
            every[name] += 1
            led[name] += is_led
        read += len(article.text)
        if read > _LEARNT_FROM:
            break
    return frozenset(n for n, count in led.items() if count >= 2 and count >= 0.12 * every[n] and n not in _MONTHS)
