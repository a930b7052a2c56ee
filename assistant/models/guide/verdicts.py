"""What is said of suggestions: "accept all but the depth", "no to the limit", "dismiss the rest". English."""

import re
from collections.abc import Sequence
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

_OTHERS = (
    r"(?:(?:all )?(?:the )?(?:rest|others?|(?:other|remaining)(?: ones?| two| three| values?| suggestions?))"
    r"(?: of (?:them|these|those|it))?|(?:everything|anything) else)"
)
_THEN = r"(?:(?P<first>.+?) (?:(?:and|but|then) )*)?"
_REST = [
    ("dismiss", rf"{_THEN}(?:not|none of|no(?: thanks| thank you)? to|dismiss|decline|reject|refuse|discard"
                rf"|turn down) {_OTHERS}"),
    ("accept", rf"{_THEN}(?:accept|confirm|approve|agree to|yes to) {_OTHERS}"),
]  # fmt: skip
# what else is said of suggestions where "the rest" is spoken of, too
_SOME = [("accept", r"(?:i |i'll |i will )?(?:only |just )?(?:take|use|keep|want|like) (?P<x>.+)")]

_PLAIN = r"accept(?: it| that)?|confirm(?:ed)?|(?:dismiss|decline|reject)(?: it| that)?"
_NAMES_THEM = re.compile(r"\b(?:accept|confirm|approve|dismiss|decline|reject|refuse|discard|sugg|prop)")

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
    found: list[Verdict] = []
    before: list[Verdict] | None = []  # of the sentences so far, while each is whole a verdict
    for text, start, asks in split(words):
        rest = None if asks or before is None else _of_the_rest(text, start, before)
        if rest:
            found, before = [rest], [rest]
            continue
        whole = None if asks else _verdict(text, start)
        before = [*before, whole] if whole and before is not None else None
        found += [] if asks else _of_pieces(text, start)
    return found


def is_plain(words: str) -> bool:
    """Whether the words are nothing but "accept", "dismiss it", "accept all": said of suggestions only."""
    plain = plain_of(words)
    if len(plain) > LONGEST:
        return False
    return bool(re.fullmatch(_PLAIN, bare_of(plain)) or (settles_all(words) and _NAMES_THEM.search(plain)))


def settles_all(words: str) -> bool:
    """Whether the words are nothing but a verdict on all suggestions: "none of them", "all of them"."""
    said = _verdict(words, 0)
    return said is not None and said.all and not said.but and len(list(split(words))) == 1


def _of_pieces(text: str, start: int) -> list[Verdict]:
    found = []
    for piece, at in dict.fromkeys([(text, start), *clauses_of(text, start)]):
        beside = {part.text for part in read(text.replace(piece, " ", 1))}
        said = _verdict(piece, at)
        if said and not (said.all and beside & _LIMITS[said.kind]):
            found.append(said)
    return found


def _of_the_rest(text: str, start: int, before: Sequence[Verdict]) -> Verdict | None:
    """ "Accept the depth, and dismiss the rest": all is dismissed but the depth, which is accepted."""
    match = _matched(text, _REST)
    if match is None or any(said.all for said in before):
        return None
    kind, groups = match
    some = _matched(groups["first"], [*_OF_SUGGESTIONS, *_SOME]) if "first" in groups else None
    if "first" in groups and (some is None or "x" not in some[1]):
        return None
    named = [(said.kind, said.named) for said in before] + ([(some[0], some[1]["x"])] if some else [])
    but = " and ".join(words for other, words in named if other != kind)
    return Verdict(
        kind, True, False, "", but, (min([start, *(b.span[0] for b in before)]), start + len(text))
    )


def _verdict(text: str, start: int) -> Verdict | None:
    match = _matched(text, _OF_SUGGESTIONS)
    if match is None:
        return None
    kind, groups = match
    named, but, short = groups.get("x", ""), groups.get("but", ""), " " not in groups["said"]
    return Verdict(kind, "all" in groups, short, named, but, (start, start + len(text)))


def _matched(text: str, patterns: Sequence[tuple[str, str]]) -> tuple[str, dict[str, str]] | None:
    """The kind of the first pattern that is all of the text, and its groups, with the text as `said`."""
    plain = plain_of(text).replace(",", "")
    if len(plain) > LONGEST:
        return None
    for said in dict.fromkeys((plain, bare_of(plain))):
        for kind, pattern in patterns:
            if match := re.fullmatch(pattern, said):
                return kind, {"said": said, **{k: v for k, v in match.groupdict().items() if v is not None}}
    return None
