"""Questions about the results as SQL: most and least, how many, average, lists with conditions. English.

"which page has the highest page rank?"  ──▶  "which §0 has the highest §1"  ──▶  SELECT ... FROM "pages" ...

What is said of a table or column is replaced by its mark first; then the whole sentence must fit one of
FORMS, to its last word. So nothing is guessed: what does not fit is no query.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from ...queries import TableFile, described
from .mentions import NUMBER, Unclear, marked
from .selects import (
    LEAST,
    MOST,
    ORDINALS,
    Said,
    average_of,
    best_of,
    count_of,
    groups_of,
    list_of,
    peak_of,
    values_of,
)

_SUP = rf"(?:(?P<ord>{'|'.join(ORDINALS)}|\d+(?:st|nd|rd|th)) )?(?P<sup>{MOST}|{LEAST})"
_DIR = r"(?: (?:in )?(?P<dir>asc(?:ending)?|desc(?:ending)?)(?: order)?)?"
_N = rf"(?:(?P<n>\d+|{NUMBER}) )?"
_T, _C = r"§(?P<t>\d+)", r"§(?P<c>\d+)"
_HAS = r" (?:(?:that|which|who) )?(?:has|have|had|with|having|is|are|gets?|got)(?: the| a| an)?"
_PER = r"(?:per|by|for each|for every|in each|in every|of each|of every)(?: the)?"
_TAIL = r"(?P<tail>(?:[ ,].*)?)"
_OF = rf"(?: (?:of|for|in|over|among|across|per|a)(?: all)?(?: the)? {_T})?"
_LEAD = re.compile(
    r"^(?:please|ok|okay|and|so|now|then|also|hm+|(?:can|could|would) you|tell me|show me|give me|show|list"
    r"|give|find|get|print|display|i want to (?:know|see)|do you know|which are|which is|what are|what is"
    r"|what's|what was|what were|whats|all|the|of)[ ,]+",
    re.IGNORECASE,
)
_END = re.compile(
    r"(?:[ ?.!,;:]+|[ ,](?:please|altogether|overall|in total|in all|then|now|at all|do you know"
    r"|(?:are|were) there|there (?:are|were)|there))$",
    re.IGNORECASE,
)
_PLAINLY = re.compile(  # a question of the results, whether it is understood or not
    rf"^(?:which|what) .+ (?:has|have|had|is|are)(?: the)? (?:{MOST}|{LEAST}) "
    rf"|\b(?:average|avg|mean) (?:of |number )?[\w§]|^(?:the )?(?:top|first|bottom|last) \d+ "
    rf"|^\d+ (?:{MOST}|{LEAST}) "
    rf"|^(?:which|how many) §|\bmedian\b|^(?:{'|'.join(ORDINALS)}) (?:{MOST}|{LEAST}) §"
    rf"|\b(?:{MOST}|{LEAST}) .+ by |^§\d+ (?:where|whose) |\b(?:sum|number|count) of ",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class Asked:
    """What a question comes to: `sql`, or else the sentence why it can not be asked.

    `weak`: the words may also be about a parameter, as in "the highest depth".
    """

    sql: str = ""
    sentence: str = ""
    weak: bool = False


def asked(words: str, tables: Mapping[str, TableFile]) -> Asked | None:
    """The query that the words ask for, or why there is none; None where they are no such question."""
    plain = _plain(words)
    listed = bool(
        re.match(r"\s*(?:please |can you |could you )*(?:show|list|give|print|display)\b", words, re.I)
    )
    unclear = ""
    for with_cues in (True, False):  # a column may be called "count"; then as the word that it is
        text, mentions = marked(plain, tables, with_cues)
        if not mentions:
            break
        for form, make in FORMS:
            match = re.fullmatch(form, text, re.IGNORECASE)
            if not match:
                continue
            try:
                sql = make(Said(match, mentions, tables))
            except Unclear as doubt:
                unclear = unclear or str(doubt)
                continue
            if sql and (
                make not in (list_of, values_of) or listed or match["tail"].strip() or mentions[0].condition
            ):
                return Asked(sql, weak=make in (peak_of, values_of))
    if _PLAINLY.search(marked(plain, tables, False)[0]):
        if re.search(r"\bmedian\b", plain, re.IGNORECASE):
            unclear = "I can not ask for a median."
        first = unclear or "I can not tell which table or column that means."
        return Asked(sentence=f"{first} The results have: {described(tables)}.")
    return None


def of_results(words: str) -> bool:
    """Whether the words ask of results, as far as that can be told before there are any."""
    found = re.match(r"how many .+ (?:are|were|was|did|have|has|exist)\b", words, re.IGNORECASE)
    return bool(found or _PLAINLY.search(" ".join(words.split())) or _PLAINLY.search(_plain(words)))


def _plain(words: str) -> str:
    """Without "please", "show me", "in total" and the like around it."""
    plain = " ".join(words.replace("§", " ").split())
    plain = re.sub(r"\bdeepest\b", "most deep", plain, flags=re.IGNORECASE)
    deeper = r"\b(?:(?:are|is|that are) )?deeper than (\w+)(?: clicks?| levels?)?"
    plain = re.sub(deeper, r"with deep more than \1", plain, flags=re.IGNORECASE)
    while (shorter := _LEAD.sub("", _END.sub("", plain))) != plain:
        plain = shorter
    return plain


_MANY = r"(?:how many|(?:total )?number of|count of|count)"
_AVERAGE = r"(?P<how>average|avg|mean|total|sum)(?: of| value| number)*(?: the| all)*"
FORMS: list[tuple[str, Callable[[Said], str]]] = [
    (rf"(?:{_MANY}(?: the)? )?{_T}(?: (?:are|were) there)? {_PER} {_C}{_TAIL}", groups_of),
    (rf"{_MANY}(?: the| all)*(?: (?:are|were|is|was))?"
     rf"(?: (?P<distinct>different|distinct|unique))? {_T}{_TAIL}", count_of),
    (rf"{_AVERAGE} {_C}{_OF}"
     rf"(?: {_PER} §(?P<g>\d+))?{_TAIL}", average_of),
    (rf"(?:which|what) §(?P<g>\d+){_HAS} {_SUP} {_AVERAGE} {_C}{_TAIL}", average_of),
    (rf"(?:(?:which|what) )?{_N}{_T}{_HAS} {_SUP} {_C}{_TAIL}", best_of),
    (rf"(?:which|what) {_T} (?:is|are|was|were)(?: the)? {_C}(?: the)? {_SUP}{_TAIL}", best_of),
    (rf"(?:which|what) {_C}{_HAS} {_SUP} {_T}{_TAIL}", groups_of),
    (rf"(?:which is |what is |the )*{_N}{_SUP} {_C} {_T}{_TAIL}", best_of),
    (rf"(?:(?P<low>bottom)|(?P<last>last)) {_N}(?:{_T} )?(?:by|in terms of) {_C}{_TAIL}", best_of),
    (rf"(?:top|first) {_N}(?:{_T} )?(?:by|in terms of|with the {_SUP}) {_C}{_TAIL}", best_of),
    (rf"{_N}{_SUP} (?:{_T} )?(?:by|in terms of|in) {_C}{_TAIL}", best_of),
    (rf"{_SUP} (?P<n>\d+|{NUMBER}) (?:{_T} )?(?:by|in terms of|in) {_C}{_TAIL}", best_of),
    (rf"{_T} (?P<sort>sorted|ordered|ranked) by {_C}{_DIR}{_TAIL}", best_of),
    (rf"(?P<sort>sort|order|rank)(?:(?: the| all)* {_T}| it| them| the (?:table|rows|results))? by "
     rf"{_C}{_DIR}{_TAIL}", best_of),
    (rf"{_N}{_SUP}(?: value (?:of|for))?(?: the)? {_C}{_OF}{_TAIL}", peak_of),
    (rf"{_SUP} (?P<n>\d+|{NUMBER}) {_C}{_TAIL}", peak_of),
    (rf"(?:(?:which|what) )?(?:all )?(?:the )?(?P<no>not |non-|un)?§(?P<f>\d+) {_T}{_TAIL}", list_of),
    (rf"(?:(?:which|what) )?(?:all )?(?:the )?(?:first )?{_N}{_T}{_TAIL}", list_of),
    (rf"(?:(?:which|what) )?(?:all )?(?:the )?(?:different |distinct )?{_C}{_TAIL}", values_of),
]  # fmt: skip
