"""Questions about the results as SQL: most and least, how many, average, lists with conditions. English.

"which page has the highest page rank?"  ──▶  "which §0 has the highest §1"  ──▶  SELECT ... FROM "pages" ...

What is said of a table or column is replaced by its mark first; then the whole sentence must fit one of
FORMS, to its last word. So nothing is guessed: what does not fit is no query.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from ...queries import TableFile, described, quoted
from .conditions import conditions
from .mentions import NUMBER, Mention, Unclear, marked, number_of

MOST = "most|highest|largest|biggest|greatest|maximum|maximal|max"
LEAST = "least|lowest|smallest|fewest|minimum|minimal|min"
TOP = 10  # rows, where more than one is asked for and no number is said

_SUP = rf"(?P<sup>{MOST}|{LEAST})"
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
_FOUND = re.compile(
    r"^ (?:(?:are|were|was|is|do|does|did|have|has) (?:there|it|we|you|i|the run|the crawl|been)(?: "
    r"(?:have|has|find|found|crawl|crawled|get|got|make|made|see|visit|visited))?"
    r"|(?:were|was) (?:found|crawled|visited|made)|exist)(?= |$)",
    re.IGNORECASE,
)
_PLAINLY = re.compile(  # a question of the results, whether it is understood or not
    rf"^(?:which|what) .+ (?:has|have|had|is|are)(?: the)? (?:{MOST}|{LEAST}) "
    rf"|\b(?:average|avg|mean) (?:of |number )?[\w§]|^(?:the )?(?:top|first) \d+ |^\d+ (?:{MOST}|{LEAST}) "
    rf"|^(?:which|how many) §|\b(?:{MOST}|{LEAST}) .+ by |^§\d+ (?:where|whose) |\b(?:sum|number|count) of ",
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


@dataclass(frozen=True)
class _Said:
    """A sentence that fits a form: the match, and what its marks mean."""

    match: re.Match[str]
    mentions: list[Mention]
    tables: Mapping[str, TableFile]

    def has(self, group: str) -> bool:
        return self.match.groupdict().get(group) is not None

    def mention(self, group: str) -> Mention:
        return self.mentions[int(self.match[group])]

    def table(self, group: str = "t") -> str:
        return self.mention(group).table()

    def where(self, table: str, tail: str) -> tuple[list[str], list[str]]:
        return conditions(tail, self.mentions, table, self.tables[table])


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
                sql = make(_Said(match, mentions, tables))
            except Unclear as doubt:
                unclear = unclear or str(doubt)
                continue
            if sql and (make is not _list or listed or match["tail"].strip() or mentions[0].condition):
                return Asked(sql, weak=make is _peak)
    if _PLAINLY.search(marked(plain, tables, False)[0]):
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
    while (shorter := _LEAD.sub("", _END.sub("", plain))) != plain:
        plain = shorter
    return plain


def _where(conditions: list[str]) -> str:
    return f" WHERE {' AND '.join(conditions)}" if conditions else ""


def _shown(table: TableFile, *columns: str) -> str:
    """What names a row (its first two columns of text), and the columns that the question is about."""
    texts = [name for name, kind in table.columns.items() if kind == "text"][:2]
    names = texts or list(table.columns)[:1]
    return ", ".join(quoted(name) for name in dict.fromkeys([*names, *columns]))


def _tail(said: _Said, table: str) -> tuple[list[str], list[str]]:
    """Conditions of the tail, and of a word such as "orphans" that stands for one."""
    where, columns = said.where(table, _FOUND.sub("", said.match["tail"]))
    if said.has("t") and (own := said.mention("t")).condition and own.table() == table:
        where, columns = [own.condition, *where], [own.column(table), *columns]
    return where, columns


def _count(said: _Said) -> str:
    mention = said.mention("t")
    if mention.columns and (said.match["distinct"] or not (mention.tables or mention.condition)):
        table, column = mention.place()
        where, _ = said.where(table, _FOUND.sub("", said.match["tail"]))
        name = quoted(column)
        alias = quoted(mention.text.lower())
        return f"SELECT count(DISTINCT {name}) AS {alias} FROM {quoted(table)}{_where(where)}"
    table = said.table()
    where, _ = _tail(said, table)
    return f"SELECT count(*) AS {quoted(mention.text.lower())} FROM {quoted(table)}{_where(where)}"


def _groups(said: _Said) -> str:
    """How many rows for each value of a column; the one with the most or least of them."""
    table = said.table()
    column = said.mention("c").column(table)
    if said.tables[table].columns[column] == "float":
        raise Unclear(f"{column} is another number in almost every row.")
    where, _ = said.where(table, said.match["tail"])
    least = said.has("sup") and re.fullmatch(LEAST, said.match["sup"], re.IGNORECASE)
    limit = " LIMIT 1" if said.has("sup") and not said.mention("c").plural else ""
    name = quoted(column)
    return (
        f"SELECT {name}, count(*) AS {quoted(table)} FROM {quoted(table)}{_where(where)} "
        f"GROUP BY {name} ORDER BY count(*){'' if least else ' DESC'}, {name}{limit}"
    )


def _numeric(said: _Said, table: str, column: str, what: str) -> None:
    kind = said.tables[table].columns[column]
    if kind not in ("int", "float") and not (what == "order" and kind in ("date", "datetime")):
        numbers = [name for name, k in said.tables[table].columns.items() if k in ("int", "float")]
        listed = f" Numbers are: {', '.join(numbers)}." if numbers else ""
        raise Unclear(f"{column} is {kind}, which has no {what}.{listed}")


def _average(said: _Said) -> str:
    each = "g" if said.has("g") else "t" if said.has("t") and not said.mention("t").tables else ""
    wanted = said.table() if said.has("t") and each != "t" else None
    table, column = said.mention("c").place(wanted)
    how = "sum" if re.match(r"total|sum", said.match["how"], re.IGNORECASE) else "avg"
    _numeric(said, table, column, "average" if how == "avg" else "sum")
    where, _ = _tail(said, table)
    name = quoted(f"{'average' if how == 'avg' else 'total'}_{column}")
    found = f"{how}({quoted(column)}) AS {name}"
    source = f"FROM {quoted(table)}{_where(where)}"
    if not each:
        return f"SELECT {found} {source}"
    group = quoted(said.mention(each).column(table))
    return f"SELECT {group}, {found} {source} GROUP BY {group} ORDER BY {name} DESC"


def _best(said: _Said) -> str:
    """The rows with the most or least of a column: so many as are said, or all that share the first place."""
    named = said.has("t") and bool(said.mention("t").tables or said.mention("t").condition)
    wanted = said.table() if named else None
    table, column = said.mention("c").place(wanted)
    _numeric(said, table, column, "order")
    where, more = _tail(said, table)
    if said.has("t") and not named:  # which section has the highest ...
        more = [said.mention("t").column(table), *more]
    name, least = quoted(column), False
    if said.has("sup"):
        least = bool(re.fullmatch(LEAST, said.match["sup"], re.IGNORECASE))
    shown = _shown(said.tables[table], *more, column)
    count = number_of(said.match["n"]) if said.has("n") else 0
    plural = said.mention("t").plural if said.has("t") else not said.has("sup")
    if not count and not plural:
        extreme = f"(SELECT {'min' if least else 'max'}({name}) FROM {quoted(table)}{_where(where)})"
        return f"SELECT {shown} FROM {quoted(table)}{_where([*where, f'{name} = {extreme}'])}"
    order = f"ORDER BY {name} {'ASC' if least else 'DESC'} NULLS LAST LIMIT {count or TOP}"
    return f"SELECT {shown} FROM {quoted(table)}{_where(where)} {order}"


def _peak(said: _Said) -> str:
    """The same where no row is named: "the highest depth" may be a parameter's range."""
    return _best(said)


def _list(said: _Said) -> str:
    table = said.table()
    where, columns = _tail(said, table)
    limit = f" LIMIT {number_of(said.match['n'])}" if said.has("n") else ""
    return f"SELECT {_shown(said.tables[table], *columns)} FROM {quoted(table)}{_where(where)}{limit}"


_MANY = r"(?:how many|(?:total )?number of|count of|count)"
FORMS: list[tuple[str, Callable[[_Said], str]]] = [
    (rf"(?:{_MANY}(?: the)? )?{_T}(?: (?:are|were) there)? {_PER} {_C}{_TAIL}", _groups),
    (rf"{_MANY}(?: the| all)*(?: (?P<distinct>different|distinct|unique))? {_T}{_TAIL}", _count),
    (rf"(?P<how>average|avg|mean|total|sum)(?: of| value| number)*(?: the| all)* {_C}{_OF}"
     rf"(?: {_PER} §(?P<g>\d+))?{_TAIL}", _average),
    (rf"(?:(?:which|what) )?{_N}{_T}{_HAS} {_SUP} {_C}{_TAIL}", _best),
    (rf"(?:which|what) {_C}{_HAS} {_SUP} {_T}{_TAIL}", _groups),
    (rf"(?:which is |what is |the )*{_N}{_SUP} {_C} {_T}{_TAIL}", _best),
    (rf"(?:top|first) {_N}(?:{_T} )?(?:by|in terms of|with the {_SUP}) {_C}{_TAIL}", _best),
    (rf"{_N}{_SUP} (?:{_T} )?(?:by|in terms of|in) {_C}{_TAIL}", _best),
    (rf"{_SUP} (?P<n>\d+|{NUMBER}) (?:{_T} )?(?:by|in terms of|in) {_C}{_TAIL}", _best),
    (rf"{_T} (?:sorted|ordered|ranked) by {_C}{_TAIL}", _best),
    (rf"{_SUP}(?: value (?:of|for))?(?: the)? {_C}{_OF}{_TAIL}", _peak),
    (rf"(?:(?:which|what) )?(?:all )?(?:the )?(?:first )?{_N}{_T}{_TAIL}", _list),
]  # fmt: skip
