"""Questions of the results in which a column is not named: "the biggest file", "the library pages", rows."""

from collections.abc import Mapping

from ...queries import TableFile, quoted
from ...words import keys
from .mentions import Unclear, number_of
from .selects import TOP, Said, extreme_of, shown_of, tail_of, where_of

WIDE = 8  # columns of rows that are shown as they stand

# What a superlative without a column is about, by a word of the column's name; DAYS is a column of days.
DAYS = "days"
_MEASURES = {
    ("biggest", "largest", "greatest", "smallest"): {"size", "byte"},
    ("longest", "shortest"): {"length", "duration"},
    ("highest", "tallest", "lowest"): {"height"},
    ("heaviest", "lightest"): {"weight"},
    ("dearest", "cheapest"): {"price", "cost"},
    ("fastest", "slowest"): {"speed"},
    ("newest", "latest", "oldest", "earliest"): {DAYS, "year"},
}
_LEAST = frozenset("smallest shortest lowest lightest cheapest slowest oldest earliest".split())
ALONE = "|".join(word for words in _MEASURES for word in words)


def measure_of(said: Said) -> str:
    """ "The biggest file", where one column alone measures that."""
    mention, superlative = said.mention("t"), said.match["sup"].lower()
    if not mention.tables:
        raise Unclear(f"“{mention.text}” is no table.")
    table = said.table()
    names = next(names for words, names in _MEASURES.items() if superlative in words)
    found = [
        column
        for column, kind in said.tables[table].columns.items()
        if (DAYS in names and kind in ("date", "datetime")) or (names & {*keys(column)} and kind != "text")
    ]
    if len(found) != 1:
        raise Unclear(f"I can not tell by which column “{superlative}” is meant.")
    where, more = tail_of(said, table)
    count = number_of(said.match["n"]) if said.has("n") else TOP if mention.plural else 0
    shown = shown_of(said.tables[table], *more, found[0])
    return extreme_of(shown, table, quoted(found[0]), where, superlative in _LEAST, count)


def rows_of(said: Said) -> str:
    """The first rows of a table as they stand."""
    return rows(said.table(), said.tables, said.match["n"] if said.has("n") else None)


def number_of_rows(table: str) -> str:
    return f"SELECT count(*) AS rows FROM {quoted(table)}"


def rows(table: str, tables: Mapping[str, TableFile], count: str | None) -> str:
    """The same of this table; `count` of them, if it is said."""
    columns = ", ".join(map(quoted, list(tables[table].columns)[:WIDE]))
    return f"SELECT {columns} FROM {quoted(table)} LIMIT {number_of(count) if count else TOP}"


def valued_of(said: Said) -> str:
    """ "The library pages", of a word that may be a value of any column of text; counted, no row for none."""
    mention, word = said.mention("t"), said.match["w"]
    if not mention.tables:
        raise Unclear(f"“{mention.text}” is no table.")
    table = said.table()
    texts = [column for column, kind in said.tables[table].columns.items() if kind == "text"][:WIDE]
    if not texts:
        raise Unclear(f"I can not tell what “{word}” means there.")
    is_ = " OR ".join(f"{quoted(column)} = '{word}' COLLATE NOCASE" for column in texts)
    where, columns = tail_of(said, table)
    tests = where_of([f"({is_})" if len(texts) > 1 else is_, *where])
    if not said.has("many"):
        return f"SELECT {shown_of(said.tables[table], *texts, *columns)} FROM {quoted(table)}{tests}"
    counted = f"SELECT count(*) AS n FROM {quoted(table)}{tests}"
    return f"SELECT n AS {quoted(f'{word} {mention.text}'.lower())} FROM ({counted}) WHERE n > 0"
