"""The closed words of our languages that carry a conversation, as patterns on flat text (see `flatten`)."""

# ruff: noqa: E501 - the patterns are rows of a table

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import NamedTuple

from rag.text import Language, fold


class Grammar(NamedTuple):
    """The closed words of one language."""

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


EN_AUX = r"(?:is|are|was|were|do|does|did|has|have|had|can|could|will|would|should|must|may|might)"
_EN = Grammar(
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
        rf"(?:(?:in|at|by|to|from|for|of|since|until|on|with|about|under) )?(?:who|whom|whose|what|which|when|where|why|how|if|{EN_AUX[3:-1]})\b"
    ),
    adverbial=re.compile(rf"(?:why|where|since when|until when|when|how)\s+(?={EN_AUX}\b)|(?={EN_AUX}\b)"),
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
                rf"who (?!{EN_AUX}\b)[a-z]+ (?P<np>(?:the |an? )?(?!to\b|for\b|in\b|on\b|of\b|with\b|by\b|at\b|most\b)[^,:;]+)"
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
_ES = Grammar(
    opens=re.compile(r"(?:(?:y|e|pero|entonces|o|tambien|ahora|ok|bueno|si(?=,)|no(?=,)|gracias|oye|ah|pues|luego|mejor|quise decir|me referia a)\b[,.:;!¿¡]*\s*¿?)+"),
    # With a clause of its own ("que pasa con ellos cuando...") it is a whole question.
    about=re.compile(r"(?:que (?:hay|pasa|tal|onda|me dices?|sabes?)(?: (?:de|con|en|sobre))?(?!.* (?:cuando|si|al) )|lo mismo (?:para|en|de)|respecto (?:a|de)|en cuanto a|sobre)\b\s*"),
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
GRAMMARS: Mapping[Language, Grammar] = {"en": _EN, "es": _ES}
PREPOSITION = re.compile(r"\b(?:in|at|for|from|with|of|to|en|de|con|para|a|por)\s+(?:the |el |la |los |las )?$")
ATTRIBUTES = re.compile(r"\b(?:by|according to|per|segun|por)\s+(?:the |el |la )?$")
YEAR = re.compile(r"(?:19|20)\d{2}")


def flatten(text: str) -> str:
    """A text folded character by character, so that places in it are places in the text."""
    return "".join(f if len(f := fold(c)) == 1 else c for c in text)
