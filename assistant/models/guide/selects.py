"""What a question of the results selects: rows, counts, averages, the most and the least, as SQL."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace

from ...queries import TableFile, quoted
from .conditions import conditions
from .mentions import Mention, Unclear, number_of

MOST = "most|highest|largest|biggest|greatest|longest|maximum|maximal|max"
LEAST = "least|lowest|smallest|fewest|shortest|minimum|minimal|min"
TOP = 10  # rows, where more than one is asked for and no number is said

ORDINALS = "second third fourth fifth sixth seventh eighth ninth tenth".split()

_FOUND = re.compile(
    r"^ (?:(?:are|were|was|is|do|does|did|have|has) (?:there|it|we|you|i|the run|the crawl|been)(?: "
    r"(?:have|has|find|found|crawl|crawled|get|got|make|made|see|visit|visited))?"
    r"|(?:were|was) (?:found|crawled|visited|made)|exist)(?= |$)",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class Said:
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


def where_of(conditions: list[str]) -> str:
    return f" WHERE {' AND '.join(conditions)}" if conditions else ""


def shown_of(table: TableFile, *columns: str) -> str:
    """What names a row (its first two columns of text), and the columns that the question is about."""
    texts = [name for name, kind in table.columns.items() if kind == "text"][:2]
    names = texts or list(table.columns)[:1]
    return ", ".join(quoted(name) for name in dict.fromkeys([*names, *columns]))


def tail_of(said: Said, table: str) -> tuple[list[str], list[str]]:
    """Conditions of the tail, and of a word such as "orphans" that stands for one."""
    where, columns = said.where(table, _FOUND.sub("", said.match["tail"]))
    if said.has("t") and (own := said.mention("t")).condition and own.table() == table:
        where, columns = [own.condition, *where], [own.column(table), *columns]
    return where, columns


def count_of(said: Said) -> str:
    mention = said.mention("t")
    if mention.columns and not (mention.tables or mention.condition or said.match["distinct"]):
        table, column = mention.place()
        kind, name = said.tables[table].columns[column], quoted(column)
        if kind == "bool":
            where, _ = said.where(table, said.match["tail"])
            return f"SELECT count(*) AS {name} FROM {quoted(table)}{where_of([f'{name} = 1', *where])}"
        if counts(column, kind):
            where, _ = said.where(table, _FOUND.sub("", said.match["tail"]))
            return f"SELECT sum({name}) AS {name} FROM {quoted(table)}{where_of(where)}"
    if mention.columns and (said.match["distinct"] or not (mention.tables or mention.condition)):
        table, column = mention.place()
        where, _ = said.where(table, _FOUND.sub("", said.match["tail"]))
        name = quoted(column)
        alias = quoted(mention.text.lower())
        return f"SELECT count(DISTINCT {name}) AS {alias} FROM {quoted(table)}{where_of(where)}"
    table = said.table()
    where, _ = tail_of(said, table)
    return f"SELECT count(*) AS {quoted(mention.text.lower())} FROM {quoted(table)}{where_of(where)}"


def groups_of(said: Said) -> str:
    """How many rows for each value of a column; the one with the most or least of them."""
    mention = said.mention("t")
    if mention.columns and not (mention.tables or mention.condition or said.has("sup")):
        return _sums(said, mention)
    table = said.table()
    column = said.mention("c").column(table)
    if said.tables[table].columns[column] == "float":
        raise Unclear(f"{column} is another number in almost every row.")
    where, _ = said.where(table, said.match["tail"])
    least = said.has("sup") and re.fullmatch(LEAST, said.match["sup"], re.IGNORECASE)
    limit = " LIMIT 1" if said.has("sup") and not said.mention("c").plural else ""
    name = quoted(column)
    return (
        f"SELECT {name}, count(*) AS {quoted(table)} FROM {quoted(table)}{where_of(where)} "
        f"GROUP BY {name} ORDER BY count(*){'' if least else ' DESC'}, {name}{limit}"
    )


def counts(column: str, kind: str) -> bool:
    """Whether a column counts something itself: "units", "times"."""
    return (
        kind in ("int", "float") and column.endswith("s") and not column.endswith("ss") and column != "status"
    )


def _sums(said: Said, mention: Mention) -> str:
    """ "How many units per region", where each row has its units."""
    table, column = mention.place()
    if not counts(column, said.tables[table].columns[column]):
        raise Unclear(f"“{mention.text}” is no table.")
    where, _ = said.where(table, said.match["tail"])
    name, group = quoted(column), quoted(said.mention("c").column(table))
    return (
        f"SELECT {group}, sum({name}) AS {name} FROM {quoted(table)}{where_of(where)} "
        f"GROUP BY {group} ORDER BY sum({name}) DESC, {group}"
    )


def _numeric(said: Said, table: str, column: str, what: str) -> None:
    kind = said.tables[table].columns[column]
    if kind not in ("int", "float") and not (what == "order" and kind in ("date", "datetime")):
        numbers = [name for name, k in said.tables[table].columns.items() if k in ("int", "float")]
        listed = f" Numbers are: {', '.join(numbers)}." if numbers else ""
        raise Unclear(f"{column} is {kind}, which has no {what}.{listed}")


def average_of(said: Said) -> str:
    each = "g" if said.has("g") else "t" if said.has("t") and not said.mention("t").tables else ""
    tail = said.match["tail"]
    if each == "t" and tail.strip():  # "for product lamp"
        each, tail = "", f"§{said.match['t']}{tail}"
    wanted = said.table() if said.has("t") and said.mention("t").tables else None
    table, column = said.mention("c").place(wanted)
    how = "sum" if re.match(r"total|sum", said.match["how"], re.IGNORECASE) else "avg"
    _numeric(said, table, column, "average" if how == "avg" else "sum")
    where, _ = said.where(table, _FOUND.sub("", tail))
    name = quoted(f"{'average' if how == 'avg' else 'total'}_{column}")
    found = f"{how}({quoted(column)}) AS {name}"
    source = f"FROM {quoted(table)}{where_of(where)}"
    if not each:
        return f"SELECT {found} {source}"
    group = quoted(said.mention(each).column(table))
    least = said.has("sup") and re.fullmatch(LEAST, said.match["sup"], re.IGNORECASE)
    limit = " LIMIT 1" + _skipped(said) if said.has("sup") and not said.mention(each).plural else ""
    return (
        f"SELECT {group}, {found} {source} GROUP BY {group} ORDER BY {name}{'' if least else ' DESC'}{limit}"
    )


def _skipped(said: Said) -> str:
    """The rows before "the second highest", "the 3rd lowest"."""
    if not said.has("ord"):
        return ""
    word = said.match["ord"].lower()
    place = ORDINALS.index(word) + 2 if word in ORDINALS else int(word[:-2])
    if not 1 <= place <= 1000:
        raise Unclear(f"“{word}” is no place.")
    return f" OFFSET {place - 1}"


def best_of(said: Said) -> str:
    """The rows with the most or least of a column: so many as are said, or all that share the first place."""
    named = said.has("t") and bool(said.mention("t").tables or said.mention("t").condition)
    wanted = said.table() if named else None
    table, column = said.mention("c").place(wanted)
    kind = said.tables[table].columns[column]
    long = kind == "text" and said.has("sup") and said.match["sup"].lower() in ("longest", "shortest")
    if not said.has("sort") and not long:
        _numeric(said, table, column, "order")
    where, more = tail_of(said, table)
    if said.has("t") and not named:  # which section has the highest ...
        more = [said.mention("t").column(table), *more]
    name, least = quoted(column), False
    if said.has("sup"):
        least = bool(re.fullmatch(LEAST, said.match["sup"], re.IGNORECASE))
    by, text = f"length({name})" if long else name, kind == "text" and not long
    if said.has("last") and kind not in ("date", "datetime"):
        raise Unclear(f"{column} has no last; say top or bottom.")
    least = least or said.has("low") or (text if not said.has("dir") else said.match["dir"].startswith("asc"))
    shown = shown_of(said.tables[table], *more, column)
    count = number_of(said.match["n"]) if said.has("n") else 0
    plural = said.mention("t").plural if said.has("t") else not said.has("sup") or said.mention("c").plural
    plural = plural or said.has("sort")
    if said.has("ord") and not count:
        which = f"SELECT DISTINCT {by} FROM {quoted(table)}{where_of([*where, f'{name} IS NOT NULL'])}"
        order = f"ORDER BY {by}{'' if least else ' DESC'} LIMIT 1{_skipped(said)}"
        return f"SELECT {shown} FROM {quoted(table)}{where_of([*where, f'{by} = ({which} {order})'])}"
    return extreme_of(shown, table, by, where, least, count or (TOP if plural else 0))


def extreme_of(shown: str, table: str, by: str, where: list[str], least: bool, count: int) -> str:
    """The `count` rows with the most or least of `by`, or 0: all that share the first place."""
    if not count:
        first = f"(SELECT {'min' if least else 'max'}({by}) FROM {quoted(table)}{where_of(where)})"
        return f"SELECT {shown} FROM {quoted(table)}{where_of([*where, f'{by} = {first}'])}"
    order = f"ORDER BY {by} {'ASC' if least else 'DESC'} NULLS LAST LIMIT {count}"
    return f"SELECT {shown} FROM {quoted(table)}{where_of(where)} {order}"


def peak_of(said: Said) -> str:
    """The same where no row is named: "the highest depth" may be a parameter's range."""
    return best_of(said)


def doer_of(said: Said) -> str:
    """ "Who owes the most": what is done is no plural."""
    return best_of(replace(said, mentions=[replace(each, plural=False) for each in said.mentions]))


def list_of(said: Said) -> str:
    """The rows that fit: of a table, or of those that a word such as "orphans" or "returned" stands for."""
    table, where, columns = _flagged(said)
    limit = f" LIMIT {number_of(said.match['n'])}" if said.has("n") else ""
    return f"SELECT {shown_of(said.tables[table], *columns)} FROM {quoted(table)}{where_of(where)}{limit}"


def _flagged(said: Said) -> tuple[str, list[str], list[str]]:
    """The table, and the conditions with that of a word such as "live" or "broken", and their columns."""
    table = said.table() if said.has("t") else said.mention("f").place()[0]
    where, columns = tail_of(said, table)
    if not said.has("f"):
        return table, where, columns
    mention, no = said.mention("f"), said.has("no")
    flag = mention.column(table)
    if mention.condition:
        test = f"NOT {mention.condition}" if no else mention.condition
    elif said.tables[table].columns[flag] == "bool":
        test = f"{quoted(flag)} = {0 if no else 1}"
    else:
        raise Unclear(f"“{mention.text}” is neither yes nor no.")
    return table, [test, *where], [flag, *columns]


def flagged_count(said: Said) -> str:
    table, where, _ = _flagged(said)
    words = f"{'not ' if said.has('no') else ''}{said.mention('f').text} {said.mention('t').text}"
    return f"SELECT count(*) AS {quoted(words.lower())} FROM {quoted(table)}{where_of(where)}"


def values_of(said: Said) -> str:
    """The different values of a column, in order; "which titles contain guide" is about the column itself."""
    table, column = said.mention("c").place()
    tail = _FOUND.sub("", said.match["tail"])
    if re.match(r" (?:contain|includ|start|begin|end)", tail):
        tail = f"§{said.match['c']}{tail}"
    where, _ = said.where(table, tail)
    name = quoted(column)
    if said.tables[table].columns[column] == "bool":  # "the classics" are rows
        tests = where_of([f"{name} = 1", *where])
        return f"SELECT {shown_of(said.tables[table], column)} FROM {quoted(table)}{tests}"
    return f"SELECT DISTINCT {name} FROM {quoted(table)}{where_of(where)} ORDER BY {name}"
