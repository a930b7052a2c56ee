"""What the user wants of the built-in guide: commands and questions, recognised by plain patterns. English.

"depth 2, next. What is a click?"  ──▶  Intent(next), Intent(meaning, about "click"), rest "depth 2"
"""

import itertools
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from ...words import PLAIN, fold, read, split


@dataclass(frozen=True)
class Intent:
    """One thing that is wanted. `about` is what it is about, as said; `span` where it stands in the words.

    `note` is what is said of a query that finds nothing.
    """

    kind: str
    about: str = ""
    span: tuple[int, int] = (0, 0)
    note: str = ""


ONWARDS = ("next", "skip", "run")  # what goes on, once all that was said is understood
LONGEST = 160  # characters of a command or a question that is looked for

_X = r"(?P<x>.+?)"
_THE = r"(?:the |my |a |an |this |that |your )?"
_SINGLE = r"(?P<x>(?!.*\b(?:and|to|as|is|from|into|with|for|at|in)\b)[a-z .'_-]+?)"

_OVER = (
    r"(?:start|begin) (?:all )?(?:over|again|anew|afresh|from scratch|from the (?:beginning|start))"
    r"(?: again)?"
    r"|(?:restart|reset)(?: it| this| everything| all| the session| this session)?"
    r"|(?:clear|delete|forget) (?:everything|it all|all of it)"
)
_LAST = r"(?:the |my )?(?:last|previous)(?: time| run| session)?|before"

_COMMANDS = [
    ("start_over", _OVER),
    ("use_last", rf"(?:(?:use|take|do|set|fill in) )?(?:it |everything |all )?(?:exactly )?(?:the )?same"
                 rf"(?: values?| settings?| answers?| thing)?(?: again)? (?:as|like) (?:{_LAST})"
                 r"|(?:use|take|fill in) (?:the |my )?(?:values|settings|answers) (?:of|from)"
                 rf" (?:{_LAST})|(?:use|take) (?:the |my )?(?:last|previous) (?:values|settings|answers)"
                 r"|(?:as|like) last time"),
    ("next", r"next(?: step| card| one| question)?|go on|continue|proceed|move on|carry on|forward|go forward"
             r"|(?:go |on )*(?:to )?the next(?: step| card| one| question)?|that's (?:it|all)|i'm done|done"
             r"|go to next|let's go on|finish(?: this)?(?: step| card)"),
    ("skip", rf"skip(?: it| this| that| ahead)?|skip {_THE}(?:step|card|rest|question)"),
    ("back", r"(?:go |move )?back(?: please| one(?: step)?| a step)?|(?:go "
             r"|back )*(?:to )?the previous(?: step| card| one)?"
             r"|previous(?: step| card)?|one step back|step back|go back one step"),
    ("omit", rf"skip {_THE}{_SINGLE}"),
    ("undo", r"undo(?: it| that| this| the last.*| my last.*)?|take (?:that|it) back|revert(?: it| that"
             r"| this)?"),
    ("redo", r"redo(?: it| that| this| the last.*)?|undo the undo|bring (?:it|that) back"),
    ("run", r"(?:run|start|launch|execute|begin|go)(?: it| this| that| now| everything| the (?:run|workflow"
            r"|job|thing|crawl)| (?:once )?(?:again|more))*"
            r"|go for it|start running|(?:start|begin|do) the (?:run|crawl|job|workflow)"),
    ("defaults", r"(?:(?:just |simply )?(?:use|take|keep|accept|set|leave|fill in|go with|stay with"
                r"|stick (?:with|to)) )?"
                 r"(?:(?:it|them|everything|all|that|the rest|the others?) )?(?:to |at |on |with |as |of )?"
                 r"(?:all )?(?:the |its |their |all the )?defaults?(?: values?| settings?)?"
                 r"(?: everywhere| for everything| for all(?: of them)?| for the rest)?(?: please)?"),
    ("defaults", r"(?:use|take|keep|accept|go with|stay with) (?:the |its )?defaults?(?: values?)? (?:for"
                r"|of|on) " + _THE + _X),
    ("defaults", rf"(?:(?:use|take|keep) )?(?:the )?defaults?(?: value)?(?: for| of)? {_THE}{_SINGLE}"),
    ("defaults", rf"(?:set |leave |use |put |take |keep |reset )?{_THE}(?!.*\bthan\b)(?P<x>[\w .'-]+?)"
                r"(?: at| to| as| on| back to| is| =|:)* (?:the |its )?default(?: value)?"),
    ("cancel", r"cancel(?: it| that| this| the run)?|never ?mind|forget (?:it|that)|stop(?: it| that"
               r"| the run)?|abort"),
    ("goto", r"(?:go |jump |move |take me |reopen |open |edit |change )?(?:back )?(?:to )?(?:the )?(?:step"
             r"|card) (?:number )?(?P<x>\d+|one|two"
             r"|three|four|five|six|seven|eight|nine|ten)"),
    ("goto", r"(?:go |jump |move )?(?:back )?to (?:the )?(?P<x>(?:first|second|third|fourth|fifth"
             r"|last)(?: step| card))"),
    ("goto", rf"(?:go|jump|move|take me)(?: back)? to {_THE}{_SINGLE}(?: step| card)?"),
    ("goto", rf"(?:reopen|re-open|open|edit|change|revise|correct) {_THE}{_SINGLE}(?: again| step| card)*"),
    ("yes", r"yes|yep|yeah|yup|sure(?: thing)?|ok(?:ay)?|of course|agreed|right|correct|exactly|do it"
            r"|do that|go ahead|fine|i agree|accept(?: it| that)?|confirm(?:ed)?|take it|absolutely"
            r"|that's (?:right|correct|fine)|sounds good|perfect"),
    ("decline", r"i(?:'d| would)? (?:rather|prefer) not(?: to)?|i don't want (?:that|this|it)|pass|no comment"
                r"|(?:i(?:'d| would| do| will)? )?(?:not|don't want to|rather not|prefer not(?: to)?) "
                r"(?:say|answer|tell|give|share)(?: you)?(?: (?:that|this|it|(?:the |my |any )?(?P<x>.+)))?"),
    ("no", r"no|nope|nah|no thanks|no thank you|rather not|don't|do not|better not|(?:decline|reject|dismiss)"
           r"(?: it| that)?|not now|no way"),
]  # fmt: skip

_SOCIAL = [
    ("greet", r"(?:hi|hello|hey|hiya|greetings|good (?:morning|afternoon|evening|day))(?: there| you| guide"
              r"| assistant| all| again)*"),
    ("thanks", r"(?:many )?(?:thanks|thank you|thx|cheers)(?: a lot| very much| so much| again| guide)?|great"
               r"|nice|cool|good|well done"),
    ("bye", r"(?:good ?)?bye|see you(?: .*)?|good night"),
]  # fmt: skip

_TALK = [
    ("over", rf"(?:how (?:do|can) i|can i) (?:{_OVER})"
             r"|(?:(?:how (?:do|can) i|can i) )?(?:start|begin|open|make|create) a new (?:session|one)"
             r"|new session"),
    ("help", r"help|help me|\?+|commands|i need help|i'm (?:lost|stuck|confused)|i don't (?:understand"
             r"|get it)|how does (?:this|it) work"
             r"|what can (?:you|i) (?:do|say|type|ask)(?: here| for me)?|how do i use (?:this|you|it)"
             r"|what do you do"
             r"|(?:what are the )?instructions|help with this(?: step| card)?|what is this"),
    ("who", r"who are you|what are you|are you (?:an? |the )?(?:real |built-in )?(?:model|ai|bot|robot"
            r"|human|person|llm|chatbot|guide|there).*"
            r"|(?:what|which) (?:ai |language )?model(?: are you| is this| do you use)?|what's your name"),
    ("model", r"(?:use|switch to|change to|try|take|talk to) (?:the |another |a different )?"
              r"(?:language |ai )?model(?: (?P<x>\S+))?"
              r"|(?:use|switch to|change to|try|take) (?P<y>\S+) (?:as|for) (?:the |my )?(?:language )?model"
              r"|(?:change|switch) (?:the )?(?:language )?model(?: to (?P<z>\S+))?"),
    ("whatever", r"whatever(?: you (?:like|want|think))?|(?:i )?don't (?:care|mind)|you (?:choose|decide"
                r"|pick)"
                 r"|(?:(?:can|could|would|will) you )?(?:please )?(?:choose|decide|pick)(?: one| it)? for me"
                 r"|(?:i have )?no idea|i don't know|not sure|anything|surprise me|up to you"),
    ("overview", r"(?:show|list|tell|give)(?: me)?(?: all)?(?: the| my| your)? (?:values?|settings?"
                r"|parameters?|answers?|summary|overview|everything|status|state)(?: so far)?"
                 r"|(?:a |the )?(?:summary|overview|recap|status|summari[sz]e)(?: please)?|summari[sz]e.*"
                r"|where (?:are we|am i|were we)"
                 r"|what (?:have|has|had|did|do) (?:you|we|i)(?: already)? (?:got|get|have|set|collected?"
                r"|enter(?:ed)?|say|said|know|choose|chosen|tell|told you)?(?: so far| until now| now"
                r"| already| down)*"
                 r"|what is set(?: so far)?|what(?:'s| is) (?:filled in|known)(?: so far)?|what are (?:the"
                r"|my) (?:values|settings|parameters)(?: so far| now)?"),
    ("missing", r"what(?:'s| is)? (?:still )?(?:missing|left|open|next|now)(?: to do)?|what (?:else )?(?:do"
                r"|should|must|shall|can) i (?:do|fill in|enter|say)(?: now| next| here)?"
                r"|what else(?: do you need| is there| is missing)?|what do you (?:still )?need(?: from me"
                r"| to know)?|which .*(?:are|is) missing|what comes next"),
    ("results", r"(?:show |give |see )?(?:me )?(?:the )?(?:results?|output)|what (?:came out|was found"
                r"|did (?:it|you) find)|what (?:are|were) the results?"
                r"|is it (?:done|finished|running|ready|over)(?: yet)?|how far (?:is it|are we|along).*"
                r"|is the run (?:done|finished|running)|how is it going|progress"),
    ("options", r"(?:what|which)(?: ones?)? (?:can|could|may|do|should) (?:i|we) (?:choose|pick|select|take"
                r"|have|use|say)(?: from| between| here)?(?: for (?:the )?(?P<x>.+))?"),
    ("options", r"(?:(?:what|which) (?:are )?|(?:show|list|tell|give)(?: me)? )?(?:the |my "
                r"|all )*(?:options|choices|possibilities)(?: are there| do i have| exist"
                rf"| there are)?(?: (?:for|of) {_THE}(?P<x>.+))?"),
    ("options", r"(?:what|which) (?P<x>.+?) (?:are there|are possible|are allowed|are available|exist"
                r"|can i (?:choose|pick|take|use)|do you (?:have|offer))"),
    ("range", r"(?:what(?:'s| is| are)|give me|tell me)? ?(?:the )?(?:range|limits|bounds|max(?:imum)?"
              r"|min(?:imum)?|largest|smallest|highest|lowest|most|least|(?:allowed|valid|possible) values?)"
              r"(?: value| number)?(?: possible| allowed)?(?: (?:for|of|on) (?:the )?)?(?P<x>[^\d:=]*?)"),
]  # fmt: skip

_QUESTIONS = [
    ("range", rf"what (?:is|are) (?:the )?(?:allowed|possible|valid)(?: values?)? for {_THE}{_X}"),
    ("range", r"how (?P<x>large|big|high|low|small|long|deep) (?:can|may|could) .+"),
    ("range", r"how (?:many|much|large|big|high|low|small|long|deep|often) (?P<x>.*?) ?(?:can|may"
              r"|could) (?:i|it|we|they|the \w+)(?: (?:be|go|have|take|choose|set|use))?"),
    ("default", rf"what(?:'s| is| are) {_THE}(?:default|usual|normal|standard)s?(?: value)?(?: (?:for"
                rf"|of) {_THE}(?P<x>.+?))?"),
    ("value", rf"what(?:'s| is) {_THE}(?:current |present )?(?:value )(?:of|for) {_THE}{_X}|what (?:did i"
              rf"|have i|is) (?:set|said|put|entered?)(?: it)? (?:for|as) {_THE}(?P<y>.+)"),
    ("refused", r"why (?:was|is|were|are|did|didn't|wasn't|weren't|isn't|can't|couldn't|won't|not|does"
                r"|doesn't)(?P<x>.*?) ?(?:refused?|rejected?|wrong|not (?:accepted|taken|allowed|valid"
                r"|possible|ok)"
                r"|invalid|accepted|taken|allowed|valid|fail(?:ed)?|go through|not work|work)(?: .*)?"),
    ("refused", r"what(?:'s| is| was) (?:wrong|the (?:problem|error|matter))(?: with (?P<x>.+))?"
                r"|what (?:was|is|were) (?:refused|rejected|not taken)|what went wrong|why not(?P<x2> .*)?"
                r"|why can't i .+"),
    ("need", r"why (?:do|does|would|should|did|must|are|is) (?:you|we|i|it|they|the \w+)(?: \w+)? (?:need"
             r"|ask|want|care|give|enter|fill in|set|say|asking|choose)(?:ed|ing)?(?: about| for"
             rf"| to)?(?: know)? ?{_THE}(?P<x>.*?)"),
    ("need", rf"(?:what|where) (?:is|are|do you use|will you use|does it use) {_THE}(?P<x>.*?) ?(?:used"
             r"|needed|good|for|used for|needed for|good for)(?: for)?"),
    ("need", rf"why (?:does|do|is|are) {_THE}(?P<x>.*?) ?(?:matters?|important|needed|asked|necessary"
             r"|required)(?: .*)?|why(?: is)?(?: that| this| so)?"),
    ("meaning", rf"what (?:does|do) {_THE}(?P<x>.+?) (?:mean|do|stand for|change|affect)|what(?:'s| is"
                rf"| are) (?:meant by |the meaning of ){_THE}(?P<y>.+)"),
    ("meaning", r"(?:explain|describe|define|help (?:me )?with|help on|help|tell me(?: more)? about"
                rf"|more about|what about|meaning of|info on) {_THE}(?P<x>.+)"),
    ("meaning", rf"what(?:'s| is| are| kind of) {_THE}(?P<x>.+)"),
]  # fmt: skip

_LEAD = re.compile(
    r"(?:please|ok|okay|now|then|so|just|well|alright|great|and|but|also|oh|hm+|um|let's|lets|let us"
    r"|thanks|cool|nice|(?:can|could|would|will) (?:you|we)(?: please)?|i(?:'d| would) like to|i want to"
    r"|we can|you can|you may|go ahead and|yes|good) "
)
_TAIL = re.compile(r" (?:please|now|then|thanks|thank you|for me|ok|here|too|as well)$")
_CUTS = frozenset(".!?;,") | {"and", "then", "but"}


def recognise(words: str, labels: frozenset[tuple[str, ...]] = frozenset()) -> list[Intent]:
    """The commands, questions and small talk in the words, in order; what is left is for values.

    `labels` are what fields are called, so that "who: Ann" is a value.
    """
    found: list[Intent] = []
    for text, start, asks in split(words, labels):
        if asks:
            found.append(_question(text, start))
            continue
        whole = _match(text, [*_SOCIAL, *_TALK, *_COMMANDS], start)
        found += [whole] if whole else _commands(text, start)
    return found


def plain_of(text: str) -> str:
    """Folded, without marks at its ends."""
    plain = re.sub(r"\s+", " ", fold(text).strip(' \t\n.!,;:"*_-')) or text.strip()
    return plain.rstrip("?").strip() or plain


def bare_of(plain: str) -> str:
    """Without "please" and the like around it."""
    while True:
        shorter = _TAIL.sub("", plain)  # first, as "yes please" is a yes
        if shorter == plain and (lead := _LEAD.match(plain)):
            shorter = plain[lead.end() :]
        if shorter == plain or not shorter:
            return plain
        plain = shorter


def _match(text: str, patterns: Sequence[tuple[str, str]], start: int) -> Intent | None:
    plain = plain_of(text)
    if len(plain) > LONGEST:
        return None
    for said in dict.fromkeys((plain, bare_of(plain))):
        for kind, pattern in patterns:
            match = re.fullmatch(pattern, said)
            if match:
                about = next((value for value in match.groupdict().values() if value), "").strip(" ?.!")
                return Intent(kind, about, (start, start + len(text)))
    return None


def _question(text: str, start: int) -> Intent:
    return _match(text, [*_SOCIAL, *_TALK, *_QUESTIONS], start) or Intent(
        "search", plain_of(text), (start, start + len(text))
    )


def _commands(text: str, start: int) -> list[Intent]:
    """The clauses of a sentence that are commands by themselves: "depth 2, next"."""
    pieces = clauses_of(text, start)
    return [i for piece, at in pieces if (i := _match(piece, [*_SOCIAL, *_COMMANDS], at))]


def clauses_of(text: str, start: int) -> Iterator[tuple[str, int]]:
    """The clauses of a sentence with where each begins; none of pasted text."""
    parts = read(text)
    if len(parts) > PLAIN:
        return
    cuts = [-1, *(i for i, part in enumerate(parts) if part.text in _CUTS), len(parts)]
    for before, after in itertools.pairwise(cuts):
        if before + 1 < after:
            begin, end = parts[before + 1].start, parts[after - 1].end
            yield text[begin:end], start + begin


def rest(words: str, spans: Sequence[tuple[int, int]]) -> str:
    """The words with these spans blanked, so that places in them stay the same."""
    for first, last in spans:
        words = words[:first] + " " * (last - first) + words[last:]
    return words
