"""What is said of suggestions: "accept all but the depth", "no to the limit", "none of them". English."""

import re
from dataclasses import dataclass

from ...words import NOT, read, split
from .phrases import LONGEST, bare_of, clauses_of, plain_of

_OF = r"(?: (?:of )?(?:them|these|those|it|that|the|your|its))?"
_VALUES = r"(?: (?:suggestions?|proposals?|(?:(?:suggested|proposed) )?(?:ones?|values?)|suggested))?"
_EVERY = (
    r"(?P<all>(?:all|any|each|both|them|these|those|everything|the lot"
    rf"|(?:all )?(?:the|your)(?= (?:sugg|prop))){_OF}(?: all| both)?{_VALUES})"
)
_BUT = (
    r"(?: (?:but(?: not)?|except(?: for)?|apart from|besides|other than|without|(?:just |only )?not)"
    r" (?:to )?(?P<but>.+))?"
)
_WHICH = rf"(?:{_EVERY}{_BUT}|(?:the (?:suggested|proposed) )?(?P<x>.+))"

# What may be said of suggestions; "take" and "use" are said of other things, too.
_OF_SUGGESTIONS = [
    ("dismiss", rf"(?P<all>none|neither|nothing|not (?:any|those|these|them)){_OF}{_VALUES}{_BUT}"),
    ("dismiss", rf"(?:i )?(?:don't|do not) (?:want|like|need|accept) {_EVERY}{_BUT}"),
    ("dismiss", r"(?:no(?: thanks| thank you)? to|dismiss|decline|reject|refuse|discard|turn down)"
                rf" {_WHICH}"),
    ("accept", rf"(?:(?:i )?(?:accept|confirm|approve)|(?:i )?agree to|yes to) {_WHICH}"),
    ("accept", rf"(?:yes )?(?P<all>all|both|everything){_OF}{_VALUES}{_BUT}"),
    ("accept", r"yes (?:to )?(?P<all>)(?:but(?: not)?|except(?: for)?) (?:to )?(?P<but>.+)"),
    ("accept", r"(?:take|use|keep) (?P<all>(?:all (?:of )?)?(?:the |your )?(?:suggestions|proposals"
               r"|(?:suggested|proposed) (?:ones|values)))"),
]  # fmt: skip

# words beside "all" that may take something out of it
_LIMITS = {"accept": NOT | {"but"}, "dismiss": (NOT | {"but"}) - {"no"}}


@dataclass(frozen=True)
class Verdict:
    """What is said of suggestions: `kind` is accept or dismiss, of `all` or of `named`, but not of `but`.

    `short`: it is one word that may as well be a value, such as "none".
    """

    kind: str
    all: bool
    short: bool
    named: str
    but: str
    span: tuple[int, int]


def verdicts(words: str) -> list[Verdict]:
    """What the words may say of suggestions: sentence by sentence, and behind each clause by clause."""
    found = []
    for text, start, asks in split(words):
        pieces = [] if asks else [(text, start), *clauses_of(text, start)]
        for piece, at in dict.fromkeys(pieces):
            beside = {part.text for part in read(text.replace(piece, " ", 1))}
            said = _verdict(piece, at)
            if said and not (said.all and beside & _LIMITS[said.kind]):
                found.append(said)
    return found


def _verdict(text: str, start: int) -> Verdict | None:
    plain = plain_of(text).replace(",", "")
    if len(plain) > LONGEST:
        return None
    for said in dict.fromkeys((plain, bare_of(plain))):
        for kind, pattern in _OF_SUGGESTIONS:
            if match := re.fullmatch(pattern, said):
                group = {"x": "", "but": "", **{k: v for k, v in match.groupdict().items() if v is not None}}
                span = (start, start + len(text))
                return Verdict(kind, "all" in group, " " not in said, group["x"], group["but"], span)
    return None
