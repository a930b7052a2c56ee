"""Questions about the results as SQL: most and least, how many, average, lists with conditions. English.

"which page has the highest page rank?"  ──▶  "which §0 has the highest §1"  ──▶  SELECT ... FROM "pages" ...

What is said of a table or column is replaced by its mark first; then the whole sentence must fit one of
FORMS, to its last word. So nothing is guessed: what does not fit is no query.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date

from ...queries import TableFile, described
from ...words import dates, read
from .measures import ALONE, measure_of, number_of_rows, rows, rows_of, valued_of
from .mentions import NUMBER, Mention, Unclear, marked
from .selects import (
    LEAST,
    MOST,
    ORDINALS,
    Said,
    average_of,
    best_of,
    count_of,
    doer_of,
    flagged_count,
    groups_of,
    list_of,
    peak_of,
    values_of,
)

_LONGEST = 400  # characters of a question of results

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
    r"|(?<!\bi )(?<!\byou )(?<!\bwe )\b(?:average|avg|mean) (?:of |number )?(?!\d)[\w§]"
    r"|^(?:the )?(?:top|first|bottom|last) \d+ "
    rf"|^\d+ (?:{MOST}|{LEAST}) "
    rf"|^(?:which|how many) §|\bmedian\b|^(?:{'|'.join(ORDINALS)}) (?:{MOST}|{LEAST}) §"
    rf"|\b(?:{MOST}|{LEAST}) .+ by |^§\d+ (?:where|whose) |\b(?:sum|number|count) of ",
    re.IGNORECASE,
)

_SHOWS = re.compile(r"\s*(?:please |can you |could you )*(?:show|list|print|display)\b", re.IGNORECASE)
_RANKS = re.compile(
    rf"(?:(?:top|bottom|first|last)(?: \d+| {NUMBER})?|(?:\d+|{NUMBER}) (?:{MOST}|{LEAST})"
    rf"|(?:{MOST}|{LEAST}) (?:\d+|{NUMBER}))(?: [\w-]+){{0,4}} (?:by|in terms of) \w",
    re.IGNORECASE,
)
_BEFORE_A_DAY = ("the", "next", "this", "coming")
_ABLE = re.compile(
    r"\b(?:can|may|could|should|allowed|possible|step|card|field|value|option)\b", re.IGNORECASE
)
_RATED = re.compile(r"(?:most|least) (?!number|amount|count|value)\w+ \w", re.IGNORECASE)


@dataclass(frozen=True)
class Asked:
    """What a question comes to: `sql`, or else the sentence why it can not be asked.

    `weak`: the words may also be about a parameter, as in "the highest depth"; `loose`: they may as well be
    none of a question where they name one; `firm`: they can not. `note`: what is said where no row fits.
    """

    sql: str = ""
    sentence: str = ""
    weak: bool = False
    loose: bool = False
    firm: bool = False
    note: str = ""


def asked(words: str, tables: Mapping[str, TableFile]) -> Asked | None:
    """The query that the words ask for, or why there is none; None where they are no such question."""
    if not (plain := _plain(words)):
        return None
    shows = lists_something(words)
    listed = shows or bool(re.match(r"\s*(?:please |can you |could you )*give\b", words, re.IGNORECASE))
    if there := _as_they_stand(plain, tables, listed):
        return there
    unclear, firm, loose = "", False, False
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
                flag = mentions[int(match["f"])] if match.groupdict().get("f") else None
                adjective = flag is not None and flag.adjective
                telling = make is measure_of or adjective  # the others tried other readings
                unclear = str(doubt) if telling else unclear or str(doubt)
                firm, loose = firm or make is measure_of, loose or adjective
                continue
            bare = not (listed or match["tail"].strip())
            if make is valued_of:
                if bare and not match["many"] and not re.match(r"which|what", text, re.IGNORECASE):
                    continue
                return Asked(sql, note=_no_value(match["w"]), loose=True)
            if make is list_of and bare and match.groupdict().get("f"):
                return Asked(sql, loose=True)
            if make not in (list_of, values_of) or not bare or _stands_alone(mentions[0]):
                return Asked(sql, weak=make in (peak_of, values_of))
    if firm or loose or (_PLAINLY.search(marked(plain, tables, False)[0]) and not _by_a_day(plain)):
        if re.search(r"\bmedian\b", plain, re.IGNORECASE):
            unclear = "I can not ask for a median."
        first = unclear or "I can not tell which table or column that means."
        return Asked(sentence=f"{first} The results have: {described(tables)}.", firm=firm, loose=loose)
    if shows and tables:
        first = unclear or f"I can not tell which table or column “{plain[:80]}” means."
        return Asked(sentence=f"{first} The results have: {described(tables)}.", loose=True)
    return None


def _stands_alone(mention: Mention) -> bool:
    """Whether the word is a question by itself: "orphans"."""
    return bool(mention.condition) and mention.plural


def _no_value(word: str) -> str:
    return f"No row fits: no column is called “{word}”, and no cell is “{word}”."


def _as_they_stand(plain: str, tables: Mapping[str, TableFile], listed: bool) -> Asked | None:
    """ "Show the table", "what columns are there?": of the tables themselves."""
    found = (_ROWS.fullmatch(plain) if listed else None) or _HOW_MANY.fullmatch(plain) if tables else None
    if tables and not found and _SCHEMA.fullmatch(plain):
        return Asked(sentence=f"The results have: {described(tables)}.", loose=True)
    if found is None or marked(plain, tables, False)[1]:
        return None
    if len(tables) == 1:
        only, shows = next(iter(tables)), found.re is _ROWS
        return Asked(rows(only, tables, found["n"]) if shows else number_of_rows(only), loose=True)
    told = f"There are several tables; say of which, such as “show {next(iter(tables))}”."
    return Asked(sentence=f"{told} The results have: {described(tables)}.", loose=True)


def of_results(words: str) -> bool:
    """Whether the words ask of results, as far as that can be told before there are any."""
    plain, whole = _plain(words), _in_one_line(words)
    found = re.match(r"how many .+ (?:are|were|was|did|have|has|exist)\b", whole, re.IGNORECASE)
    if not found and _by_a_day(plain):
        return False
    most = re.match(rf"(?:{MOST}|{LEAST}|{ALONE}) \w", plain, re.IGNORECASE) and not _ABLE.search(plain)
    return bool(found or most or _PLAINLY.search(whole) or _PLAINLY.search(plain))


def surely_of_results(words: str) -> bool:
    """Whether the words ask of results and can be no value: "top 5 by depth"."""
    plain = _plain(words)
    return bool(_RANKS.match(plain)) and not _by_a_day(plain)


def _by_a_day(plain: str) -> bool:
    """Whether "by" is said of a day, as in "the top 5 by Friday", and of nothing else."""
    parts = read(plain)
    days = {first for _, first, _ in dates(parts, date.today())}
    by = [i + 1 + (parts[i + 1 : i + 2] != [] and parts[i + 1].text in _BEFORE_A_DAY)
          for i, part in enumerate(parts) if part.text == "by"]  # fmt: skip
    return by != [] and {*by} <= days


def rates(words: str) -> bool:
    """Whether the words ask for "the most linked page", which is no range of a parameter."""
    plain = _plain(words)
    return bool(_RATED.match(plain)) and not _ABLE.search(plain)


def lists_something(words: str) -> bool:
    """Whether the words ask to be shown something."""
    return bool(_SHOWS.match(words))


def _in_one_line(words: str) -> str:
    """The words; "" of more than any question has, as each pattern is tried at each of them."""
    plain = " ".join(words.split())
    return plain if len(plain) <= _LONGEST else ""


def _plain(words: str) -> str:
    """Without "please", "show me", "in total" and the like around it; "" where nothing is left."""
    plain = _in_one_line(words.replace("§", " ")).strip(" ?.!,;:")
    plain = re.sub(r"\bdeepest\b", "most deep", plain, flags=re.IGNORECASE)
    deeper = r"\b(?:(?:are|is|that are) )?deeper than (\w+)(?: clicks?| levels?)?"
    plain = re.sub(deeper, r"with deep more than \1", plain, flags=re.IGNORECASE)
    while (shorter := _LEAD.sub("", _END.sub("", plain))) != plain:
        plain = shorter
    return plain


_MANY = r"(?:how many|(?:total )?number of|count of|count)"
_FLAGGED = r"(?P<no>not |non-|un)?§(?P<f>\d+)"
_ROW = r"(?:rows?|lines?|records?|entries|entry)"
_ROWS = re.compile(rf"(?:first )?{_N}(?:table|data|everything|{_ROW})", re.IGNORECASE)
_HOW_MANY = re.compile(
    rf"{_MANY}(?: the)? {_ROW}(?: (?:are|is|does|do|has|have|there|in|of|the|it|tables?|data|results?))*",
    re.IGNORECASE,
)
_SCHEMA = re.compile(
    r"(?:(?:which|what) )?(?:tables?|columns?)(?: (?:and|or) (?:tables?|columns?))?"
    r"(?: (?:are|is|do|does|did|have|has|there|the|it|we|you|i|run|make|made|in|of|tables?|results?))*",
    re.IGNORECASE,
)
_WORD = (
    r"(?P<w>(?!(?:the|all|an?|of|are|is|different|distinct|unique|other|first|last|top|bottom|more|less|per|by"
    r"|with|average|avg|total|sum|mean|median|some|any|no|not|random|how|many|number|of|and|or|my|our|your"
    rf"|{MOST}|{LEAST}|{ALONE}) )[a-z][a-z-]*)"
)
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
    (rf"(?:who|which one|(?:(?:which|what) )?§\d+)(?: (?:has|had|did|does))? {_C}(?: the)? {_SUP}{_TAIL}",
     doer_of),
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
    (rf"{_MANY} {_FLAGGED} {_T}{_TAIL}", flagged_count),
    (rf"(?:(?:which|what) )?(?:all )?(?:the )?{_FLAGGED} {_T}{_TAIL}", list_of),
    (rf"(?:(?:which|what) )?(?:all )?(?:the )?{_FLAGGED} ones?(?P<tail>)", list_of),
    (rf"(?:which|what) ones? (?:is|are|was|were) {_FLAGGED}(?P<tail>)", list_of),
    (rf"(?:first )?{_N}{_ROW} (?:of|in|from)(?: the)?(?: table)? {_T}(?: table)?(?P<tail>)", rows_of),
    (rf"{_T} (?:table|data|rows)(?P<tail>)", rows_of),
    (rf"(?:table|rows|data)(?: of| in)?(?: the)? {_T}(?P<tail>)", rows_of),
    (rf"(?:(?:which|what) )?(?:(?:is|are|was|were) )?(?:the )?{_N}(?P<sup>{ALONE}) {_T}{_TAIL}", measure_of),
    (rf"(?:which|what) {_T} (?:is|are|was|were)(?: the)? (?P<sup>{ALONE})(?P<tail>)", measure_of),
    (rf"(?:(?:which|what) )?(?:all )?(?:the )?(?:first )?{_N}{_T}{_TAIL}", list_of),
    (rf"(?:(?:which|what) )?(?:all )?(?:the )?(?:different |distinct )?{_C}{_TAIL}", values_of),
    (rf"(?:(?P<many>{_MANY}) |(?:which|what) )?(?:all )?(?:the )?{_WORD} {_T}{_TAIL}", valued_of),
]  # fmt: skip
