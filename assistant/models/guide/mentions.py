"""What words call a table or a column of the results: by its name, or by a word that people use for it."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from ...queries import TableFile, quoted
from ...words import fold, keys

_WORD = re.compile(r"[^\W_]+")
_LONGEST = 5  # words of a name
_NUMBERS = "one two three four five six seven eight nine ten".split()
NUMBER = "|".join(_NUMBERS)
_CUES = frozenset(
    "count number total sum average mean max min most least top first value has is are the".split()
)

# What people say of the columns of a graph, where there is a column of that name.
_CALLED = {
    "in_degree": (
        "linked",
        "linked to",
        "incoming links",
        "links in",
        "inlinks",
        "inbound links",
        "backlinks",
    ),
    "out_degree": ("outgoing links", "links out", "outlinks", "outbound links"),
    "pagerank": ("important",),
    "depth": ("deep",),
    "price": ("expensive",),
}
_FLAGS = {
    "orphan": ("in_degree", "= 0"),
    "dead end": ("out_degree", "= 0"),
    "broken": ("status", "NOT BETWEEN 200 AND 399"),
}
_IS = re.compile(r"(?:is|are|was|were)_(?=.)", re.IGNORECASE)  # of a column that is yes or no


class Unclear(Exception):
    """Words that do not tell which table or column they mean; its text is a sentence."""


@dataclass(frozen=True)
class Mention:
    """What a word of the question may mean: tables, columns (table, name), or rows that fit a condition."""

    text: str
    plural: bool
    tables: tuple[str, ...] = ()
    columns: tuple[tuple[str, str], ...] = ()
    condition: str = ""
    flags: bool = False  # its columns are yes or no

    @property
    def adjective(self) -> bool:
        """Whether it says what rows are like: "broken"."""
        return not self.tables and (bool(self.condition) or self.flags)

    def table(self) -> str:
        """The table that it names, or whose rows it stands for."""
        found = self.tables or (tuple({t for t, _ in self.columns}) if self.condition else ())
        if len(found) != 1:
            raise Unclear(f"“{self.text}” is no table.")
        return found[0]

    def place(self, table: str | None = None) -> tuple[str, str]:
        """The column that it names, of `table` where that is known."""
        found = [place for place in self.columns if table in (None, place[0])]
        if not found:
            where = f" of {table}" if table else ""
            raise Unclear(f"“{self.text}” is no column{where}.")
        if len(found) > 1:
            raise Unclear(f"“{self.text}” is in {' and in '.join(t for t, _ in found)}; say of which.")
        return found[0]

    def column(self, table: str) -> str:
        return self.place(table)[1]


def number_of(text: str) -> int:
    """A number in digits or, up to ten, in words."""
    return _NUMBERS.index(text.lower()) + 1 if text.lower() in _NUMBERS else int(text)


def marked(text: str, tables: Mapping[str, TableFile], with_cues: bool) -> tuple[str, list[Mention]]:
    """The text with each name of a table or column as §0, §1 ..., the longest first, and what they mean.

    With `with_cues` also names that are words of a question themselves, such as "count".
    """
    known = _known(tables)
    words, mentions, made, at, i = list(_WORD.finditer(text)), list[Mention](), "", 0, 0
    while i < len(words):
        for size in range(min(_LONGEST, len(words) - i), 0, -1):
            first, last = words[i].start(), words[i + size - 1].end()
            said = text[first:last]
            found = known.get(_key(said))
            if not found or re.search(r"[^\w\s-]", said) or (not with_cues and said.lower() in _CUES):
                continue
            plural = fold(words[i + size - 1].group()) != keys(words[i + size - 1].group())[-1]
            made += f"{text[at:first]}§{len(mentions)}"
            flags = bool(found[1]) and all(tables[t].columns[c] == "bool" for t, c in found[1])
            mentions.append(Mention(said, plural, *found, flags))
            at, i = last, i + size - 1
            break
        i += 1
    return made + text[at:], mentions


_Meant = tuple[tuple[str, ...], tuple[tuple[str, str], ...], str]


def _known(tables: Mapping[str, TableFile]) -> dict[str, _Meant]:
    """What is meant, by the words run together: "in_degree", "in degree" and "indegree" are one."""
    columns = [(table, column) for table, file in tables.items() for column in file.columns]
    found: dict[str, _Meant] = {}
    for text, condition, place in _others(columns, tables):
        before = found.get(_key(text), ((), (), ""))
        found[_key(text)] = ((), (*before[1], place), condition)
    for table, column in columns:
        before = found.get(_key(column), ((), (), ""))
        found[_key(column)] = ((), (*[p for p in before[1] if not before[2]], (table, column)), "")
    for table in tables:
        before = found.get(_key(table), ((), (), ""))
        found[_key(table)] = ((*before[0], table), () if before[2] else before[1], "")
    found.pop("", None)
    return found


def _others(
    columns: list[tuple[str, str]], tables: Mapping[str, TableFile]
) -> Iterator[tuple[str, str, tuple[str, str]]]:
    bools = [(t, c) for t, c in columns if tables[t].columns[c] == "bool" and _IS.match(c)]
    named = {(table, _key(_IS.sub("", column))): (table, column) for table, column in bools}
    for (_, said), place in named.items():
        yield said, "", place
    for place in columns:
        for text in (*_stems(place[1]), *_CALLED.get(place[1].lower(), ())):
            yield text, "", place
        for text, (column, test) in _FLAGS.items():
            is_number = tables[place[0]].columns[place[1]] in ("int", "float")
            if place[1].lower() == column and is_number and (place[0], _key(text)) not in named:
                yield text, f"{quoted(place[1])} {test}", place


def _stems(column: str) -> tuple[str, ...]:
    """What is done where the column says what was done: "owe" of "owed"."""
    done = column.lower().rpartition("_")[2]
    return (done[:-2], done[:-1]) if done.endswith("ed") and len(done) > 3 else ()


def _key(text: str) -> str:
    words = [fold(word) for word in _WORD.findall(text)]
    return "".join([*words[:-1], *keys(words[-1])]) if words else ""
