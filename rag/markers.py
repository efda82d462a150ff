"""The words that decide what a statement says, in both languages: tables, without code.

Patterns are matched against folded words with single spaces between them.
"""

from __future__ import annotations

from typing import NamedTuple

from rag.text import MONTHS, fold


class Marker(NamedTuple):
    """A way of saying `value` in a class of words. `firm`: whoever says it must have it from the words quoted;
    what is not firm is accepted for it, and asked of nobody.
    """

    kind: str
    value: str
    en: str
    es: str
    firm: bool = True


MARKERS: tuple[Marker, ...] = (
    # --- rose or fell
    Marker(
        "direction",
        "up",
        r"r[io]ses?|risen|rising|gr[eo]ws?|grown|growing|increas(?:e|es|ed|ing)|went up|go(?:es)? up|up from|climb(?:s|ed|ing)?|"
        r"expand(?:s|ed|ing)?|gain(?:s|ed)?|doubl(?:e|es|ed|ing)|tripl(?:e|es|ed)|surg(?:e|es|ed)|jump(?:s|ed)?|"
        r"improv(?:e|es|ed|ing)|accelerat(?:e|es|ed|ing)|strengthen(?:s|ed)?|rais(?:e|es|ed|ing)",
        r"sub(?:e|en|io|ieron|ir|iendo|ira|iran|ido)|aument(?:a|an|o|aron|ar|ando|ara|aran|ado)|crec(?:e|en|io|ieron|er|iendo|era|ido|eran)|"
        r"increment(?:a|an|o|aron|ar|ara|ado|aran)|elev(?:a|an|o|aron|ar|ara|ado)|duplic(?:a|an|o|aron|ar)|triplic(?:a|an|o|aron)|"
        r"se dispar(?:a|o|aron)|mejor(?:a|an|o|aron|ar)|gan(?:o|aron) terreno|repunt(?:a|o|aron)",
    ),
    Marker(
        "direction",
        "up",
        r"growth|gains?|rise|increases?|expansion|higher|(?<!no )(?<!not )more|greater|up|above|larger|bigger|better|upward|faster|longer|extend(?:s|ed|ing)?|"
        r"highest|largest|biggest|most|best|longest|fastest|increasingly|additional|extra|new",
        r"crecimiento|aumentos?|incrementos?|alzas?|expansion|mayor|mayores|mas|superior|superiores|arriba|mejor|mejores|"
        r"al alza|ampli(?:a|an|o|aron|ar)|adicional|adicionales|nuevos?|nuevas?|por encima|maxim[oa]s?",
        firm=False,
    ),
    Marker(
        "direction",
        "down",
        r"f[ae]ll(?:s|en|ing)?|drop(?:s|ped|ping)?|declin(?:e|es|ed|ing)|decreas(?:e|es|ed|ing)|shr[aiu]nk|shrinks|shrinking|"
        r"went down|go(?:es)? down|down from|reduc(?:e|es|ed|ing)|slump(?:s|ed)?|plung(?:e|es|ed)|lower(?:s|ed|ing)|"
        r"contract(?:ed|s by)|slow(?:s|ed)|worsen(?:s|ed)?|halv(?:e|es|ed)|cut(?:s|ting)?|weaken(?:s|ed)?|los(?:e|es|t)",
        r"baj(?:an|aron|ar|ando|ara|aran|ado)|ca(?:e|en|yo|yeron|er|yendo|era|ido)|disminu(?:ye|yen|yo|yeron|ir|yendo|ira|ido)|"
        r"redu(?:ce|cen|jo|jeron|cir|ciendo|cira|cido)|decrec(?:e|en|io|ieron|er)|descend(?:io|ieron|er|ido)|descien(?:de|den)|"
        r"se contra(?:e|jo|jeron)|empeor(?:a|o|aron)|recort(?:a|an|o|aron|ar)|perdi(?:o|eron)|retroced(?:e|io|ieron)|abarat(?:a|o)|"
        r"se desplom(?:a|o|aron)",
    ),
    Marker(
        "direction",
        "down",
        r"declines?|decreases?|reductions?|losses|loss|lower|less|fewer|down|below|smaller|worse|downward|slower|shorter|"
        r"lowest|smallest|least|worst|shortest|slowest|cuts?|drop|fall|under|minus",
        r"baj[oa]s?|caidas?|disminuci(?:on|ones)|reducci(?:on|ones)|perdidas?|menor|menores|menos|inferior|inferiores|abajo|peor|peores|"
        r"a la baja|descensos?|recortes?|por debajo|minim[oa]s?|mas bajos?|mas bajas?|mas cort[oa]s?|mas pequen[oa]s?",
        firm=False,
    ),
    # --- is or is not
    Marker(
        "negation",
        "not",
        r"not(?! only| just)|no(?! more than| less than| later than| fewer than| earlier than)|never|neither|nor|none|without|"
        r"cannot|can't|\w+n't|nobody|nothing|nowhere|lacks?|lacked|lacking|fail(?:s|ed)? to|no longer|hardly|reject(?:s|ed|ing)?",
        r"no(?! solo| obstante| mas de| menos de| solamente)|nunca|jamas|ni|ningun[oa]?|ninguna|sin(?! embargo| fecha)|nadie|nada|tampoco|"
        r"carecen?|careci(?:o|eron)|rechaz(?:a|an|o|aron)",
    ),
    Marker(
        "negation",
        "not",
        r"unpaid|unknown|un(?!dated)\w+ed|un(?:able|available|clear|likely|registered|reported|taxed|skilled|limited)|non|nonexistent|"
        r"excluding|except|instead of|rather than|other than|den(?:y|ies|ied)|refus(?:e|es|ed)|exempt|free of|prohibit(?:s|ed)?|ban(?:s|ned)?|"
        r"forbid(?:s|den)?|outside|few|little|absence of|missing|unless|only|disagree|differ|rather|stop(?:s|ped)?|end(?:s|ed)?",
        r"exent[oa]s?|excepto|salvo|en vez de|en lugar de|nieg(?:a|an)|neg(?:o|aron)|prohib(?:e|en|io|ida|ido|idas|idos)|fuera de|"
        r"pocos?|pocas?|ausencia de|falta de|faltan?|solo|difieren|discrepan|excluye|dej(?:a|o|aron) de",
        firm=False,
    ),
    # --- is, or is expected
    Marker(
        "modality",
        "expected",
        r"(?:is|are|was|were|be|been) (?:\w+ )?(?:expected|forecast|projected|planned|proposed|predicted|estimated to|likely|scheduled|set to)|"
        r"expect(?:s|ed)?|forecasts?|forecasted|project(?:s|ed) (?:a|an|that|revenue|growth|to)|projected|predict(?:s|ed)?|plan(?:s|ned)? to|"
        r"aim(?:s|ed)? to|hop(?:e|es|ed) to|intend(?:s|ed)? to|could|might|would|may(?! \d)|propos(?:e|es|ed)|planned|anticipat(?:e|es|ed)",
        r"se (?:espera|esperaba|preve|preveia|proyecta|proyectaba|estima que|planea|planeaba|pronostica|anticipa)(?:n)?|"
        r"esper(?:a|an|aba|aban)|prev(?:e|en|eia|eian)|proyect(?:a|an|aba|o|aban)|planea(?:n|ba|ban)?|pronostic(?:a|an|o|aba)|"
        r"podrian?|pudiera|plane(?:o|aron)|prop(?:one|onen|uso|onia)|busca(?:n)? \w+r|pretenden?|anticip(?:a|o)",
    ),
    Marker(
        "modality",
        "expected",
        r"will|shall|going to|forecasts?|projections?|plans?|targets?|goals?|proposals?|estimates?|estimated|until|by 20[2-9]\d|likely|"
        r"possible|possibly|perhaps|probably|bill|initiative|should|can|says? it|promis(?:e|es|ed)|potential|scheduled|due|due to \w+|to be|if",
        r"\w{3,}(?:ara|aran|era|eran|ira|iran)|proyecci(?:on|ones)|pronosticos?|previsi(?:on|ones)|planes?|metas?|objetivos?|propuestas?|"
        r"estimad[oa]s?|estima|hasta|para 20[2-9]\d|probable|posible|quiza|podian?|iniciativas?|deberian?|puede|pueden|promet\w+|"
        r"previst[oa]s?|esperad[oa]s?|proyectad[oa]s?|planead[oa]s?|por|si|\w{3,}(?:aria|arian|eria|erian|iria|irian)|seran?|sera",
        firm=False,
    ),
    # --- must, may, must not
    Marker(
        "duty",
        "must",
        r"must(?! not)|should(?! not)|shall(?! not)|ha(?:s|ve|d) to|required?|requires|requiring|requirements?|mandatory|obliged|obligatory|obligations?|compulsory|"
        r"needs? to|obliges?",
        r"deben?(?! no)|debera(?:n)?|debia(?:n)?|tiene(?:n)? que|tenia(?:n)? que|obligatori[oa]s?|oblig(?:a|an|ad[oa]s?|o)|obligaci(?:on|ones)|exig(?:e|en|io|ia|en)|"
        r"requier(?:e|en)|requeri(?:a|an|d[oa]s?)|requisitos?|hay que|forzos[oa]s?|necesita(?:n)?",
    ),
    Marker(
        "duty",
        "may",
        r"optional|voluntary|voluntarily|free to|at (?:his|her|their|its) choice|need not|not required to|not obliged to",
        r"opcional(?:es)?|voluntari[oa]s?|voluntariamente|facultativ[oa]s?|no (?:esta|estan) obligad[oa]s?|no (?:es|son) obligatori[oa]s?",
    ),
    Marker(
        "duty",
        "may",
        r"may|can|could|allow(?:s|ed)?|permit(?:s|ted)?|let(?:s)?|entitled|rights?|able to|authoriz(?:es|ed)",
        r"puede(?:n)?|podra(?:n)?|podia(?:n)?|permit(?:e|en|io|id[oa]s?|ia)|autoriza(?:n|d[oa]s?)?|derechos?|admite(?:n)?",
        firm=False,
    ),
    Marker(
        "duty",
        "ban",
        r"must not|may not|shall not|should not|cannot|can not|prohibit(?:s|ed|ing)?|prohibitions?|ban(?:s|ned|ning)?|forbid(?:s|den)?|forbade|outlaw(?:s|ed)?|not allowed|"
        r"not permitted|illegal",
        r"no (?:debe|deben|puede|pueden|podra|podran|deberan?|se permite|se puede)|prohib(?:e|en|io|ian?|id[oa]s?|ici(?:on|ones)|ir)|ved(?:a|o|ad[oa]s?)|ilegal(?:es)?",
    ),
    # --- no less than, no more than (before a number)
    Marker(
        "bound",
        "min",
        r"(?<!no )(?<!not )(?:more|greater|higher|longer|better) than(?= (?:us )?[$]? ?(?:\d|half|one|two|three|four|five|six|seven|eight|nine|ten|a ))|over(?= (?:us )?[$]? ?\d)|above(?= (?:us )?[$]? ?\d)|"
        r"at least|no less than|no fewer than|not less than|a minimum of|upwards of|exceed(?:s|ed|ing)?|surpass(?:es|ed)?|pass(?:es|ed)?(?= (?:us )?[$]? ?\d)|or more|and more|starting (?:at|from)|not under",
        r"(?<!no )mas de(?= (?:us )?[$]? ?(?:\d|la mitad|un|dos|tres|cuatro|cinco|seis|siete|ocho|nueve|diez))|al menos|por lo menos|cuando menos|como minimo|un minimo de|no menos de|"
        r"super(?:a|an|o|aron|ior a|iores a)(?= (?:us )?[$]? ?\d)|rebas(?:a|an|o|aron)|por encima de(?= (?:los |las )?(?:us )?[$]? ?\d)|o mas|y mas|arriba de|a partir de(?= (?:los |las )?(?:us )?[$]? ?\d)(?! (?:19|20)\d\d)|desde(?= (?:us )?[$] ?\d)|mayor(?:es)? (?:a|de)(?= (?:us )?[$]? ?\d)|excede(?:n)?",
    ),
    Marker(
        "bound",
        "max",
        r"(?<!no )(?<!not )(?:less|fewer|lower|shorter) than(?= (?:us )?[$]? ?(?:\d|half|one|two|three|four|five|six|seven|eight|nine|ten|a ))|under(?= (?:us )?[$]? ?\d)|below(?= (?:us )?[$]? ?\d)|"
        r"up to|at most|no more than|not more than|a maximum of|or less|or fewer|as much as|as many as|not over|no longer than|capped at",
        r"(?<!no )menos de(?= (?:us )?[$]? ?(?:\d|la mitad|un|dos|tres|cuatro|cinco|seis|siete|ocho|nueve|diez))|hasta(?= (?:us )?(?:en )?[$]? ?\d)|a lo (?:mas|sumo|mucho)|como maximo|"
        r"un maximo de|no mas de|por debajo de(?= (?:los |las )?(?:us )?[$]? ?\d)|o menos|abajo de(?= [$]? ?\d)|menor(?:es)? (?:a|de)(?= (?:us )?[$]? ?\d)|tope de",
    ),
    # --- per what
    Marker("period", "hour", r"(?:per|an|each|every|the) hours?|hourly", r"(?:por|la|cada|a la) hora|horari[oa]s?"),
    Marker("period", "day", r"(?:per|a|each|every) day|daily", r"(?:por|al|cada) dia|diari[oa]s?|diariamente"),
    Marker("period", "week", r"(?:per|a|each|every) week|weekly", r"(?:por|a la|cada) semana|semanal(?:es|mente)?"),
    Marker("period", "fortnight", r"biweekly|(?:a |per )?fortnight(?:ly)?|every two weeks", r"quincenal(?:es|mente)?|por quincena|a la quincena"),
    Marker("period", "month", r"(?:per|a|each|every) month|monthly", r"(?:por|al|cada) mes|mensual(?:es|mente)?"),
    Marker("period", "year", r"(?:per|a|each|every) year|yearly|annual(?:ly)?", r"(?:por|al|cada) ano|anual(?:es|mente)?"),
    # --- before, after
    Marker("period", "hour", r"hours?", r"horas?", firm=False),
    Marker("period", "day", r"days?", r"dias?", firm=False),
    Marker("period", "week", r"weeks?", r"semanas?", firm=False),
    Marker("period", "month", r"months?", r"mes(?:es)?", firm=False),
    Marker("period", "year", r"years?", r"anos?", firm=False),
    Marker("order", "before", r"before|prior to|previously|earlier than|ahead of", r"antes|previ[oa]s?(?: a)?|previamente|anterior(?:es)?(?: a)?"),
    Marker("order", "after", r"after|following|later than|afterwards|subsequently", r"despues|tras|posterior(?:es)?(?: a)?|luego de|posteriormente"),
    Marker("span", "since", r"since|from 20\d\d|as of|starting in|effective", r"desde|a partir de"),
    Marker("span", "until", r"until|till|up to 20\d\d|through 20\d\d", r"hasta"),
    # --- all, some, only
    Marker("extent", "all", r"(?<!in )all|every(?! (?:hour|day|week|month|year|quarter))|always|everyone|everybody|entire|entirely|fully|the whole|whole|each(?! (?:hour|day|week|month|year))", r"tod[oa]s? (?:los|las|el|la|l[oa])|tod[oa]s|siempre|cada(?! (?:hora|dia|semana|mes|ano))|enter[oa]|por completo|la totalidad"),
    Marker("extent", "most", r"most (?:of|\w+s)|majority|mostly|mainly|largely|primarily|usually|generally|often", r"la mayoria|mayoria|mayormente|principalmente|sobre todo|la mayor parte|generalmente|por lo general|suelen?|a menudo"),
    Marker("extent", "some", r"some|several|sometimes|partly|certain|a few|partially|many|occasionally", r"algun[oa]?s?|varios|varias|a veces|en parte|ciert[oa]s|unos cuantos|parcialmente|much[oa]s"),
    Marker("extent", "only", r"only|solely|exclusively|just|merely", r"(?<!tan )solo|solamente|unicamente|exclusivamente|nada mas"),
    # --- why, and when: what a sentence may not add
    Marker("cause", "cause", r"because(?: of)?|due to(?= \w)|owing to|thanks to|as a result of|on account of|caused? by|therefore|l(?:ead|eads|ed) to|(?:driven|fuell?ed|boosted|spurred) by",
           r"porque|debido a|a causa de|gracias a|como resultado de|ya que|puesto que|por lo que|impulsad[oa]s? por|como (?:los|las|el|la)(?= \w+ (?:piden|exigen|no|pagan|son))|provoc(?:a|an|o|aron)|caus(?:a|an|o|aron)"),
    Marker("cause", "cause", r"explain(?:s|ed)?|reasons?|results?|resulted|driv(?:e|es|en|ing)|drove|attribut(?:e|es|ed)|blam(?:e|es|ed)|cit(?:es|ed)|follow(?:s|ed|ing)?|factors?|so that|hence",
           r"explica(?:n|ba)?|explico|razon(?:es)?|resultados?|motiv\w+|atribu\w+|tras|factor(?:es)?|culpa\w*|impuls\w+|pues", firm=False),
    Marker("tense", "future", r"will|shall|(?:is|are) going to", r"(?:hab|tend|esta|se|ha|llega|crece|alcanza|conta|opera|emplea|abri|paga|pod|debe)ran?|van? a \w+r"),
    Marker("tense", "future", r"expect\w*|forecast\w*|project(?:s|ed|ion|ions)|plan(?:s|ned|ning)?|propos\w+|would|could|aim(?:s|ed)?|until|target\w*|estimat\w+|promis\w+|schedul\w+|intend\w*|goals?|must|next|20(?:2[6-9]|[3-9]\d)|to be",
           r"planea\w*|planes?|preve\w*|prevista?s?|esper\w*|proyec\w*|podri\w*|a partir de|hasta|metas?|estim\w+|promet\w+|propon\w*|propuest\w+|proxim\w+|20(?:2[6-9]|[3-9]\d)|buscan?|debe\w*|\w{3,}(?:ra|ran)", firm=False),
    Marker("still", "still", r"still|to this day", r"todavia|sigue[n]?|hasta hoy"),
    Marker("still", "still", r"continu\w+|remain\w*|keep\w*|kept|now|today|currently|yet", r"continu\w+|mant\w+|hoy|actual\w*|aun|sigui\w+", firm=False),
    Marker("superlative", "top", r"(?:the )?(?:largest|biggest|highest|greatest|busiest|fastest growing|leading|best)|the (?:most|top)|number one",
           r"(?:el|la|los|las|lo) (?:mas|mayor|mayores|mejor|mejores|principal|principales)(?! de \d)|lider(?:es)?|numero uno"),
    Marker("superlative", "top", r"first|leads?|led|main|major|top|most|more than any\w*|maximum|record|giants?|biggest|key", r"primer[oa]?s?|encabez\w*|lider\w*|principal\w*|mayor(?:es|ia)?|mejor(?:es)?|maxim[oa]s?|record|gigantes?|mas (?:grande|alt|impor)\w*", firm=False),
    # --- pairs that exclude each other
    Marker("start", "begin", r"beg[aiu]ns?|beginning|start(?:s|ed|ing)?|open(?:s|ed|ing)?|launch(?:es|ed)?|enter(?:s|ed)?|creat(?:e|es|ed)|hir(?:e|es|ed|ing)|join(?:s|ed)?|took effect|takes effect|found(?:s|ed)|established",
           r"empez(?:o|aron)|empiezan?|comenz(?:o|aron)|comienzan?|inici(?:a|an|o|aron|ar)|abr(?:e|en|io|ieron|ir|ira)|apertura|lanz(?:a|o|aron)|entr(?:a|an|o|aron) en vigor|cre(?:a|an|o|aron)|contrat(?:an|aron|ar)|fund(?:o|aron|ad[oa])"),
    Marker("start", "end", r"end(?:s|ed|ing)|clos(?:e(?! to)|es|ed|ing)|shut(?:s)?(?: down)?|cancel(?:s|led|ed)?|left(?! out)|expir(?:e|es|ed)|repeal(?:s|ed)?|abolish(?:es|ed)?|abandon(?:s|ed)?|laid off|layoffs?|fir(?:e|es|ed)|dismiss(?:es|ed)?|quit(?:s)?|withdr[ae]ws?|withdrew|stopped|destroy(?:s|ed)?|eliminat(?:e|es|ed)",
           r"termin(?:a|an|o|aron|ar)|conclu(?:ye|yo|yeron)|cerr(?:o|aron|ar|ara)|cierran?|cierre(?! del? (?:ano|20))|cancel(?:a|o|aron)|vencen?|vencio|derog(?:a|o|aron|ad[oa])|despid(?:e|en|io|ieron)|despedir|abandon(?:a|an|o|aron)|renunci(?:a|an|o|aron)|elimin(?:a|an|o|aron)|destruy\w+"),
    Marker("trade", "buy", r"b(?:uy|uys|ought)|acquir(?:e|es|ed)|acquisition|purchas(?:e|es|ed)|import(?:s|ed)?", r"compr(?:a|an|o|aron)|adquiri(?:o|eron)|adquieren?|adquisicion|import(?:a|an|o|aron)"),
    Marker("trade", "sell", r"s(?:ell|ells|old)|divest(?:s|ed)?|export(?:s|ed)?|sale", r"vend(?:e|en|io|ieron)|venta|desinvirti(?:o|eron)|export(?:a|an|o|aron)"),
    Marker("law", "legal", r"legal(?:ly)?|lawful(?:ly)?", r"legal(?:es|mente)?|licit[oa]s?"),
    Marker("law", "illegal", r"illegal(?:ly)?|unlawful(?:ly)?", r"ilegal(?:es|mente)?|ilicit[oa]s?"),
    Marker("form", "formal", r"formal(?:ly)?", r"formal(?:es|mente)?"),
    Marker("form", "informal", r"informal(?:ly|ity)?", r"informal(?:es|mente|idad)?"),
    Marker("sector", "public", r"public|government|state owned", r"public[oa]s?|gobierno|paraestatal(?:es)?"),
    Marker("sector", "private", r"private", r"privad[oa]s?"),
    Marker("sex", "women", r"wom[ae]n|female", r"mujer(?:es)?|femenin[oa]s?"),
    Marker("sex", "men", r"m[ae]n|male", r"hombres?|masculin[oa]s?|varones"),
    Marker("call", "inbound", r"inbound|incoming", r"entrantes?|inbound"),
    Marker("call", "outbound", r"outbound|outgoing", r"salientes?|outbound"),
    Marker("area", "urban", r"urban|cit(?:y|ies)(?! of)", r"urban[oa]s?|ciudad(?:es)?(?! de)"),
    Marker("area", "rural", r"rural|countryside", r"rural(?:es)?|campo"),
    Marker("tongue", "bilingual", r"bilinguals?", r"bilingues?"),
    Marker("tongue", "monolingual", r"monolinguals?|spanish only", r"monolingues?"),
    Marker("age", "young", r"young(?:er)?|youth", r"jovenes|joven|juventud"),
    Marker("age", "old", r"old(?:er)? (?:people|workers|adults)|elderly", r"adultos? mayor(?:es)?|ancian[oa]s?"),
    Marker("side", "employer", r"employers?", r"patron(?:es)?|empleador(?:es)?"),
    Marker("side", "worker", r"workers?|employees?|staff", r"trabajador(?:es|as?)?|emplead[oa]s?|colaborador(?:es)?|personal"),
    Marker("scope", "include", r"includ(?:e|es|ed|ing)", r"inclu(?:ye|yen|yo|yeron|ir|yendo|id[oa]s?)"),
    Marker("scope", "exclude", r"exclud(?:e|es|ed|ing)|left out|leav(?:e|es|ing) out", r"exclu(?:ye|yen|yo|yeron|ir|yendo|id[oa]s?)"),
    Marker("level", "high", r"high|strong(?:ly)?|expensive|costly|good|rapid(?:ly)?|fast|cheap labor", r"alt[oa]s?|fuertes?|car[oa]s|costos[oa]s?|buen[oa]s?|rapid[oa]s?|elevad[oa]s?"),
    Marker("level", "low", r"low|weak(?:ly)?|cheap|inexpensive|poor|bad|slow(?:ly)?", r"baj[oa]s|bajo(?= costo| nivel)|debil(?:es)?|barat[oa]s?|mal[oa]s?|lent[oa]s?"),
    Marker("rank", "first", r"first|1st", r"primer[oa]?s?"),
    Marker("rank", "second", r"second|2nd", r"segund[oa]"),
    Marker("rank", "third", r"third(?! of)|3rd", r"tercer[oa]?s?"),
    Marker("rank", "fourth", r"fourth|4th", r"cuart[oa]s?"),
    Marker("rank", "fifth", r"fifth|5th", r"quint[oa]s?"),
    Marker("rank", "last", r"last place|the last", r"ultim[oa] lugar"),
    Marker("tax", "gross", r"gross|before tax", r"brut[oa]s?"),
    Marker("tax", "net", r"net(?! promoter)|after tax|take home", r"net[oa]s?"),
    Marker("means", "average", r"averag(?:e|es|ed|ing)|mean|typical(?:ly)?", r"promedi(?:o|a|an|os)|media|en promedio|tipic[oa]s?"),
    Marker("means", "minimum", r"minimum|lowest", r"minim[oa]s?"),
    Marker("means", "maximum", r"maximum|highest", r"maxim[oa]s?"),
    Marker("shore", "domestic", r"domestic|inside the country|local market", r"naciona(?:l|les)|mercado (?:interno|local)|dentro del pais"),
    Marker("shore", "abroad", r"abroad|foreign|international|offshore|overseas", r"extranjer[oa]s?|internacional(?:es)?|offshore|fuera del pais"),
    Marker("stay", "temporary", r"temporary|temporarily|seasonal", r"temporal(?:es|mente)?|eventual(?:es)?"),
    Marker("stay", "permanent", r"permanent(?:ly)?|open ended", r"permanente(?:s|mente)?|indetermina(?:do|da)s?|indefinid[oa]s?"),
    Marker("work", "remote", r"remote(?:ly)?|telework(?:ing)?|work(?:ing)? from home|home office", r"remot[oa]s?|teletrabajo|home office|a distancia|desde casa"),
    Marker("work", "on site", r"on site|in person|office based|face to face", r"presencial(?:es|mente)?|en sitio"),
)  # fmt: skip
# Classes in which saying it without the quote saying it is already a change of meaning, not only saying the contrary.
NEEDS_GROUND = frozenset(
    {
        "direction",
        "negation",
        "modality",
        "duty",
        "bound",
        "extent:all",
        "extent:only",
        "start:end",
        "rank",
        "cause",
        "tense",
        "still",
        "superlative",
    }
)
# Classes in which leaving out what the quote says changes the meaning.
MUST_STAY = frozenset({"negation", "modality"})

MONTH_KEYS = {
    **{fold(name): f"month-{n}" for names in MONTHS.values() for n, name in enumerate(names, 1)},
    "setiembre": "month-9",
}
SCALES = {
    "thousand": 10**3, "thousands": 10**3, "mil": 10**3, "k": 10**3, "million": 10**6, "millions": 10**6, "mm": 10**6,
    "millones": 10**6, "millon": 10**6, "mdp": 10**6, "mdd": 10**6, "billion": 10**9, "billions": 10**9, "bn": 10**9,
    "trillion": 10**12, "billones": 10**12, "billon": 10**12,
}  # fmt: skip
NUMBER_WORDS = {
    word: number
    for number, words in {
        2: "two dos twice", 3: "three tres", 4: "four cuatro", 5: "five cinco", 6: "six seis", 7: "seven siete",
        8: "eight ocho", 9: "nine nueve", 10: "ten diez", 11: "eleven once", 12: "twelve doce", 13: "thirteen trece",
        14: "fourteen catorce", 15: "fifteen quince", 16: "sixteen dieciseis", 17: "seventeen diecisiete",
        18: "eighteen dieciocho", 19: "nineteen diecinueve", 20: "twenty veinte", 30: "thirty treinta",
        40: "forty cuarenta", 50: "fifty cincuenta half mitad", 60: "sixty sesenta", 70: "seventy setenta",
        80: "eighty ochenta", 90: "ninety noventa", 100: "hundred cien", 500: "quinientos",
        33: "third tercio tercios thirds",
    }.items()
    for word in words.split()
}  # fmt: skip
# Words that are numbers in Spanish only, and those that are only before some others.
SPANISH_NUMBERS = frozenset(("once", "quince", "mil", "cien"))
FRACTIONS = {
    "third": frozenset(("of",)),
    "thirds": frozenset(("of",)),
    "tercio": frozenset(("de", "del")),
    "tercios": frozenset(("de", "del")),
    "hundred": frozenset(("people", "workers", "jobs", "agents", "million", "thousand", "percent")),
    "half": frozenset("of a the their its all".split()),
    "mitad": frozenset(("de", "del")),
}

# One place a row: what it is called in both languages, and who comes from there.
_AT_HOME: tuple[str, ...] = (
    "mexico|mexican|mexicans|mexicano|mexicanos|mexicana|mexicanas",
    "mexico city|ciudad de mexico|cdmx",
    "state of mexico|estado de mexico|edomex",
    "valley of mexico|valle de mexico",
    "tijuana", "mexicali", "ensenada", "tecate", "rosarito", "monterrey", "guadalajara", "zapopan", "queretaro", "merida",
    "puebla", "pachuca", "hermosillo", "ciudad obregon|obregon", "nogales", "reynosa", "matamoros", "nuevo laredo",
    "ciudad juarez|juarez", "saltillo", "torreon", "leon", "celaya", "irapuato", "toluca", "cancun", "campeche",
    "san luis potosi", "aguascalientes", "veracruz", "xalapa", "oaxaca", "culiacan", "mazatlan", "morelia", "durango",
    "zacatecas", "tampico", "villahermosa", "tuxtla gutierrez", "chiapas", "cuernavaca", "tlaxcala", "colima", "tepic",
    "la paz", "los cabos", "hidalgo", "jalisco", "nuevo leon", "baja california", "baja california sur", "sonora",
    "chihuahua", "coahuila", "tamaulipas", "sinaloa", "guanajuato", "michoacan", "morelos", "yucatan", "quintana roo",
    "tabasco", "guerrero", "nayarit", "bajio", "northern border|frontera norte",
)  # fmt: skip
_ABROAD: tuple[str, ...] = (
    "united states|usa|us|u s|estados unidos|ee uu|eua|eeuu|american|americans|estadounidense|estadounidenses|norteamericano|norteamericanos|u s a",
    "canada|canadian|canadians|canadiense|canadienses",
    "philippines|filipinas|filipino|filipinos|philippine|filipina|manila|cebu",
    "india|indian|indians|hindu|indio|indios|indias",
    "colombia|colombian|colombians|colombiano|colombianos|colombiana|colombianas", "bogota", "medellin",
    "costa rica|costa rican|costarricense|costarricenses",
    "guatemala|guatemalan|guatemalteco|guatemaltecos|guatemalteca",
    "el salvador|salvadoran|salvadoreno|salvadorenos|salvadorena",
    "honduras|honduran|hondureno|hondurenos|hondurena", "nicaragua|nicaraguan|nicaraguense|nicaraguenses",
    "panama|panamanian|panameno|panamenos", "dominican republic|republica dominicana|dominican|dominicano|dominicanos",
    "jamaica|jamaican|jamaicano|jamaicanos", "belize|belice", "puerto rico|puerto rican", "cuba|cuban|cubano",
    "brazil|brasil|brazilian|brasileno|brasilenos", "argentina|argentine|argentinian|argentino|argentinos",
    "buenos aires", "chile|chilean|chileno|chilenos", "peru|peruvian|peruano|peruanos", "lima",
    "ecuador|ecuadorian|ecuatoriano", "uruguay|uruguayan|uruguayo", "paraguay", "bolivia", "venezuela|venezuelan",
    "spain|espana|spaniard|espanol de espana", "portugal", "united kingdom|reino unido|uk|britain|british|britanico",
    "france|francia|french company|frances", "germany|alemania|german|aleman", "italy|italia", "ireland|irlanda",
    "poland|polonia", "romania|rumania", "europe|europa|european|europeo|europeos|europea", "asia|asian|asiatico|asiaticos",
    "africa|african|africano", "south africa|sudafrica", "egypt|egipto", "kenya|kenia", "nigeria", "morocco|marruecos",
    "china|chinese|chino|chinos", "japan|japon|japanese|japones", "korea|corea", "vietnam", "malaysia|malasia",
    "indonesia", "thailand|tailandia", "singapore|singapur", "pakistan", "bangladesh", "australia|australian|australiano",
    "central america|centroamerica|america central|central american|centroamericano",
    "south america|sudamerica|america del sur",
    "caribbean|caribe",
    "texas|texan|texano", "california|californian|californiano", "florida", "arizona", "new york|nueva york", "ohio",
    "san diego", "el paso", "los angeles", "miami", "houston", "dallas",
    "greece|grecia", "turkey|turquia", "russia|rusia", "ukraine|ucrania", "bulgaria", "hungary|hungria", "sri lanka",
    "netherlands|paises bajos|holanda", "sweden|suecia", "switzerland|suiza", "trinidad", "haiti", "ghana", "rwanda|ruanda",
    "tunisia|tunez", "new zealand|nueva zelanda", "taiwan", "hong kong", "georgia", "canary islands|canarias",
)  # fmt: skip
_WIDE: tuple[str, ...] = (
    "latin america|america latina|latin american|latinoamerica|latinoamericano|latinoamericanos|latinoamericana",
    "north america|norteamerica|america del norte", "the world|world|el mundo|mundo|mundial|worldwide",
)  # fmt: skip
PLACES: tuple[str, ...] = _AT_HOME + _ABROAD + _WIDE
# By their first spelling: those in Mexico and Mexico itself, those outside, and what is too wide for a text to miss.
AT_HOME: frozenset[str] = frozenset(row.partition("|")[0] for row in _AT_HOME)
ABROAD: frozenset[str] = frozenset(row.partition("|")[0] for row in _ABROAD)
WIDE: frozenset[str] = frozenset({"mexico", *(row.partition("|")[0] for row in _WIDE)})

# Words that stand for one another across the two languages where spelling does not show it, English|Spanish.
# Words with which a sentence may be put otherwise without saying more.
NEUTRAL = frozenset(
    "says say said saying wrote writes write reported reports report counted counts count told tells tell stated states noted notes "
    "showed shows show gave gives give put puts set sets found finds lists listed names named mentions mentioned "
    "describes described cites cited according figures figure data text article piece page website note notice estimate "
    "around about nearly approximately roughly almost total overall altogether some had has have been being was were "
    "there also both respectively including includes include makes made make comes came come stood stands standing "
    "amounted amounts amount totaled totalled reached came equals equal namely meanwhile whereas while compared "
    "centres centre firm firms act provider providers vendor client clients payroll "
    "dice dijo dicen dijeron escribio escribe reporto reporta informo informa conto cuenta cuentan afirma afirmo senala senalo "
    "indica indico muestra mostro da dio pone situa situo fija fijo registra registro menciona menciono describe cita cito "
    "acuerdo conforme segun cifras cifra datos texto articulo nota pagina sitio estimacion "
    "alrededor cerca unos unas aproximadamente casi total conjunto habia hay tenia tienen tiene fue fueron era eran "
    "tambien ambos ambas respectivamente incluidos incluidas incluida incluido incluye suma suman sumaba sumaban "
    "ascendio ascendia alcanzo equivale equivalen mientras frente comparado plantilla prestador prestadores usuarios companias".split()
)
# Kinds of things that are counted, by their words.
COUNTED = {
    "people": frozenset(
        "people persons workers employees agents jobs operators staff representatives executives customers "
        "personas trabajadores trabajadoras empleados empleadas agentes empleos operadores puestos colaboradores "
        "ejecutivos representantes clientes plazas".split()
    ),
    "places": frozenset(
        "centers centres companies firms sites offices providers vendors facilities operations "
        "centros centers empresas companias sitios oficinas proveedores sedes operaciones firmas".split()
    ),
    "seats": frozenset("seats stations workstations posiciones estaciones".split()),
}
CONCEPTS: tuple[str, ...] = (
    "wage salary pay earnings earn paid|salario sueldo pago percibir ganar paga gana ganan",
    "revenue income|ingreso ingresos facturacion", "worker employee staff personnel people|trabajador empleado personal personas gente colaborador",
    "employment job post position|empleo puesto trabajo plaza posicion", "seat workstation|silla estacion asiento",
    "company firm business|empresa compania firma negocio", "vendor provider supplier|proveedor prestador",
    "attrition turnover|rotacion", "growth grow grew rise rose increase|crecimiento crecer crecio subir subio aumento aumentar alza incremento",
    "fall fell drop decline decrease|caida caer cayo bajar bajo disminuir disminuyo baja",
    "law act|ley", "fine penalty|multa sancion", "tax|impuesto", "year annual yearly|ano anual anualmente", "month monthly|mes mensual",
    "week weekly|semana semanal", "day daily|dia diario", "hour hourly|hora jornada", "half|mitad", "share percent|porcentaje ciento participacion",
    "call|llamada telefonica", "center centre|centro", "city|ciudad", "country|pais nacion", "state|estado", "border|frontera fronteriza",
    "language|idioma lengua", "english|ingles", "spanish|espanol", "hire recruit|contratar contratacion reclutar", "dismiss dismissal fire|despedir despido",
    "severance compensation|indemnizacion liquidacion", "bonus|bono aguinaldo prima", "vacation holiday|vacaciones descanso", "overtime|extra",
    "employer|patron empleador", "union|sindicato sindical", "contract|contrato", "agreement|acuerdo convenio", "rule regulation|regla norma reglamento",
    "customer client|cliente", "service|servicio", "market|mercado", "industry sector|industria sector", "cost price|costo precio tarifa", "rate fee|tasa tarifa cuota",
    "cheap low|barato bajo", "high|alto elevado", "largest biggest greatest|mayor grande", "smallest|menor pequeno", "average|promedio media", "between|entre",
    "expect forecast project|esperar espera esperaba pronostico pronosticar prever preve proyectar", "plan|planear plan", "report study survey|informe reporte estudio encuesta",
    "according says said|segun dice dijo", "undated|fecha", "page website|pagina sitio", "more|mas", "less fewer|menos", "over|mas", "first|primero primer",
    "second|segundo", "last|ultimo", "new|nuevo", "old|viejo antiguo", "young|joven", "woman women|mujer", "man men|hombre", "student|estudiante alumno", "graduate|egresado graduado titulado",
    "school university|escuela universidad", "skill|habilidad competencia", "training|capacitacion formacion", "home telework remote|casa teletrabajo remoto distancia",
    "phone telephone|telefono telefonico", "voice|voz", "chat|chat", "debt|deuda adeudo", "collection|cobranza", "consumer|consumidor", "complaint|queja reclamo",
    "data|datos", "privacy|privacidad", "security|seguridad", "health|salud", "risk|riesgo", "insurance|seguro", "foreign abroad|extranjero", "foreigner|extranjero",
    "outsourcing subcontracting|subcontratacion tercerizacion outsourcing", "registry register|registro registrar", "permit license|permiso licencia", "right|derecho", "duty obligation|obligacion deber",
    "ban prohibit forbid|prohibir prohibe prohibio", "allow permit|permitir permite", "require|exigir exige requerir requiere", "open|abrir abrio", "close shut|cerrar cerro", "start begin began|empezar iniciar comenzar",
    "end finish|terminar fin", "buy acquire bought|comprar adquirir compro adquirio", "sell sold|vender vendio", "build built|construir", "invest investment|invertir inversion", "million|millones millon", "billion|mil",
    "thousand|mil", "dollar|dolar", "peso|peso", "wait|espera", "speed|velocidad", "quality|calidad", "answer reply|respuesta responder", "resolution|resolucion solucion", "shift|turno", "night|noche nocturno",
    "rest|descanso", "sit seat chair|sentar silla asiento", "standing|pie", "stress|estres", "disease illness|enfermedad", "accident|accidente", "child children|nino hijo", "family|familia", "live dwell|vivir", "move|mover trasladar",
    "leave left quit|dejar renunciar salir", "return returnee|regresar retornado", "deportee deported|deportado", "reach|alcanzar llegar", "remain stay|quedar permanecer", "become|convertir volver", "give|dar otorgar", "take|tomar", "keep|mantener conservar",
    "need|necesitar necesidad", "want|querer", "use|usar uso utilizar", "offer|ofrecer ofrece", "sell|vender", "win|ganar", "lose lost loss|perder perdida perdio", "count|contar conteo", "add|agregar sumar anadir", "cut reduce|recortar reducir reduccion",
    "court judge|tribunal juez corte", "trial|juicio prueba", "lawsuit|demanda", "government|gobierno", "ministry|secretaria", "senate|senado", "president|presidente", "chief executive|director", "head|titular jefe", "member|miembro socio integrante",
    "link bond|vinculo", "measure|medida medir", "amount|monto cantidad", "size|tamano", "space|espacio", "office|oficina", "building|edificio", "floor|piso", "street|calle", "airport|aeropuerto", "road|carretera", "power electricity|electricidad energia",
    "network|red", "internet|internet", "software|software", "tool|herramienta", "screen|pantalla", "headset|diadema", "fraud|fraude", "crime|delito crimen", "police|policia", "fake false|falso", "true|verdadero cierto", "bank banking|banco bancario", "health|salud", "travel|viaje", "retail|minorista", "food|alimento comida", "transport|transporte",
    "weekly|semanal", "mandatory compulsory|obligatorio", "optional voluntary|opcional voluntario", "gross|bruto", "net|neto", "minimum|minimo", "maximum|maximo", "range|rango", "level|nivel", "score|puntaje calificacion puntuacion", "rank ranked|lugar posicion clasificacion", "list|lista", "kind type|tipo clase", "way manner|manera forma", "reason cause|razon causa motivo", "result|resultado", "advantage|ventaja", "challenge|reto desafio",
    "ai|ia", "usmca|tmec", "gdp|pib", "it|ti", "free|libre", "zone area|zona area", "northern north|norte", "southern south|sur", "commercial trade|comercial comercio", "representative|representante", "index|indice", "institute|instituto", "disagree differ|discrepar diferir discrepan difieren", "source|fuente", "figure number|cifra numero", "date|fecha", "same|mismo", "other|otro", "own|propio", "only|solo", "almost nearly|casi", "about around|alrededor cerca", "within|dentro", "without|sin", "during|durante", "since|desde", "until|hasta", "before|antes", "after|despues tras", "while|mientras", "because|porque", "against|contra", "toward|hacia",
)  # fmt: skip
