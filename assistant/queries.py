"""One read-only SQL query over the tables of a run, in an SQLite that lives in memory while it is answered.

    name.csv ── read_table ──▶ SQLite in memory ── authorizer, bounds ──▶ SELECT ──▶ Answer

A query may be a stranger's: a model writes it, and a model reads what strangers wrote. So what is not known
to be harmless is denied, and texts, rows, memory and time have bounds.
"""

import json
import math
import re
import sqlite3
import time
from collections.abc import Iterable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from .errors import Refused
from .results.tables import read_table
from .session import Session

QUERY = "query_results"  # the tool's name
ROWS = 200  # of an answer
SECONDS = 2.0
LONGEST = 10_000  # characters of a query
LOADED = 1_000_000  # rows of the tables that a query names
WIDEST = 50  # columns of an answer
CELL = 500  # characters of an answer's cell
TEXT = 10_000  # characters of a cell that are loaded
LENGTH = 200_000  # bytes of a text or row that SQLite makes: some functions take its square in time
HEAP = 256 * 2**20  # bytes that SQLite may have, in the whole process
LISTED = 30  # columns of a table that are named
LOGGED = 30  # rows that a `called` entry keeps
LOGGED_TEXT = 60_000  # characters of them
STEPS = 1_000  # of SQLite's machine between two looks at the clock

TYPES = {"int": "INTEGER", "float": "REAL", "bool": "BOOL"}  # else TEXT
FUNCTIONS = frozenset(
    "abs avg ceil ceiling coalesce count cume_dist date datetime dense_rank first_value floor glob "
    "group_concat ifnull iif instr julianday lag last_value lead length like lower max min nth_value ntile "
    "nullif percent_rank pow power rank replace round row_number sign sqrt strftime substr substring sum "
    "time total typeof upper".split()
)
ONLY = "Only one SELECT is allowed here: a query can not change, create, attach or set anything."

sqlite3.register_converter("bool", lambda raw: raw != b"0")  # a column of this type comes back as it was


@dataclass(frozen=True)
class TableFile:
    """A table of a run: its CSV, its `columns` {name: kind} in order, and how many rows it has."""

    path: Path
    columns: dict[str, str]
    rows: int = 0


@dataclass(frozen=True)
class Answer:
    """What a query found. `truncated`: there were more rows; `seconds` is what the query itself took."""

    columns: tuple[str, ...]
    rows: tuple[tuple[Any, ...], ...]
    truncated: bool
    seconds: float


def tables_of(session: Session, folder: Path = Path()) -> dict[str, TableFile]:
    """The tables of the newest run by name, none where it did not finish. `folder` is where its files are."""
    run, found = session.run, dict[str, TableFile]()
    for result in run.results if run and run.state == "finished" else ():
        file, columns = str(result.get("file")), result.get("columns")
        if result.get("kind") != "table" or not isinstance(columns, dict) or Path(file).name != file:
            continue
        rows = result.get("rows")
        names = dict(zip(_distinct(columns), map(str, columns.values()), strict=True))
        table = TableFile(folder / file, names, rows if isinstance(rows, int) else 0)
        found[_distinct([*found, str(result.get("name"))])[-1]] = table
    return found


def _distinct(names: Iterable[str]) -> list[str]:
    """The names as SQLite can tell them apart: it knows no case, and keeps `sqlite_` to itself."""
    found: dict[str, str] = {}
    for name in names:
        name = name.replace("\0", "")
        whole = f"t_{name}" if name.lower().startswith("sqlite_") else name
        n = 1
        while whole.lower() in found:
            n += 1
            whole = f"{name}_{n}"
        found[whole.lower()] = whole
    return list(found.values())


def described(tables: Mapping[str, TableFile]) -> str:
    """The tables with their columns and kinds, on one line."""
    told = []
    for name, table in tables.items():
        columns = [f"{_plain(column)} {kind}" for column, kind in table.columns.items()]
        more = [f"and {len(columns) - LISTED} more"] if len(columns) > LISTED else []
        told.append(f"{_plain(name)} ({', '.join([*columns[:LISTED], *more])})")
    return "; ".join(told)


def _plain(name: str) -> str:
    return name if re.fullmatch(r"[A-Za-z_]\w*", name) else quoted(name)


def quoted(name: str) -> str:
    """The name as SQL writes it, whatever is in it."""
    return '"' + name.replace('"', '""') + '"'


def query(tables: Mapping[str, TableFile], sql: str, *, seconds: float = SECONDS, rows: int = ROWS) -> Answer:
    """Runs one SELECT over the tables. Blocking: up to `seconds`, and as long as reading the tables takes.

    Refused, with a sentence that names the tables and columns that there are.
    """
    if not sql.strip(" \t\r\n;"):
        raise Refused(None, sql, "The query is empty.")
    if len(sql) > LONGEST:
        raise Refused(None, sql, f"A query has at most {LONGEST:,} characters; this one has {len(sql):,}.")
    denied: list[str] = []
    try:
        with closing(_loaded(tables, sql)) as connection:
            _bound(connection, tables, denied)
            start = time.monotonic()
            connection.set_progress_handler(lambda: time.monotonic() - start > seconds, STEPS)
            cursor = connection.execute(sql)
            found = cursor.fetchmany(rows + 1)
            took = time.monotonic() - start
            columns = tuple(_cut(column[0]) for column in cursor.description or ())
    except (sqlite3.Error, sqlite3.Warning, ValueError, MemoryError) as error:
        raise Refused(None, sql, _reason(error, denied, tables, seconds)) from error
    except OSError as error:
        raise Refused(None, sql, f"A table of the run can not be read: {error.strerror}.") from error
    if not columns:
        raise Refused(None, sql, ONLY)
    shown = tuple(tuple(map(_shown, row)) for row in found[:rows])
    return Answer(columns, shown, len(found) > rows, took)


def _loaded(tables: Mapping[str, TableFile], sql: str) -> sqlite3.Connection:
    """All tables in memory; those that the query does not name stay empty."""
    said = sql.replace('""', '"').casefold()
    named = {name for name in tables if name.replace('""', '"').casefold() in said}
    if (total := sum(tables[name].rows for name in named)) > LOADED:
        raise ValueError(f"The tables have {total:,} rows; a query may go over {LOADED:,}.")
    types = sqlite3.PARSE_DECLTYPES
    connection = sqlite3.connect(":memory:", isolation_level=None, detect_types=types)
    try:
        connection.execute(f"PRAGMA hard_heap_limit = {HEAP}")
        connection.execute("PRAGMA temp_store = MEMORY")  # nothing of it goes to disk
        connection.text_factory = lambda raw: raw.decode("utf-8", "replace")
        for name, table in tables.items():
            typed = [f"{quoted(column)} {TYPES.get(kind, 'TEXT')}" for column, kind in table.columns.items()]
            if not typed:
                continue
            connection.execute(f"CREATE TABLE {quoted(name)} ({', '.join(typed)})")
            if name in named:
                # the names may differ from the file's, the kinds are in its order
                lines = read_table(table.path, table.columns)
                marks = ", ".join("?" * len(typed))
                into = f"INSERT INTO {quoted(name)} VALUES ({marks})"
                connection.execute("BEGIN")
                connection.executemany(into, (tuple(map(_stored, line)) for line in lines))
                connection.execute("COMMIT")
    except BaseException:
        connection.close()
        raise
    return connection


def _stored(value: Any) -> Any:
    """A typed value as SQLite keeps it: days and times as ISO text, what is too large for it as a float."""
    if isinstance(value, str):
        return value[:TEXT]
    if isinstance(value, int) and not -(2**63) <= value < 2**63:
        return float(value) if abs(value) < 10**308 else (math.inf if value > 0 else -math.inf)
    return value.isoformat() if isinstance(value, date) else value


def _bound(connection: sqlite3.Connection, tables: Mapping[str, TableFile], denied: list[str]) -> None:
    """Only reading is left possible; why something was denied is put into `denied`."""
    connection.execute("PRAGMA query_only = ON")
    connection.setlimit(sqlite3.SQLITE_LIMIT_ATTACHED, 0)
    connection.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, LENGTH)
    connection.setlimit(sqlite3.SQLITE_LIMIT_COLUMN, WIDEST)
    connection.setlimit(sqlite3.SQLITE_LIMIT_LIKE_PATTERN_LENGTH, 200)
    known = {name.lower() for name in tables}

    def authorize(
        action: int, one: str | None, two: str | None, database: str | None, inner: str | None
    ) -> int:
        if action in (sqlite3.SQLITE_SELECT, sqlite3.SQLITE_RECURSIVE):  # the clock bounds recursion
            return sqlite3.SQLITE_OK
        if action == sqlite3.SQLITE_READ:
            # no column of it: rows are counted, also those of a WITH's own table
            if str(one).lower() in known or not two:
                return sqlite3.SQLITE_OK
            denied.append(f"There is no table {one}. There are: {described(tables)}.")
        elif action == sqlite3.SQLITE_FUNCTION:
            if str(two).lower() in FUNCTIONS:
                return sqlite3.SQLITE_OK
            allowed = ", ".join(sorted(FUNCTIONS))
            denied.append(f"The function {two} is not allowed here. These are: {allowed}.")
        else:
            denied.append(ONLY)
        return sqlite3.SQLITE_DENY

    connection.set_authorizer(authorize)


def _reason(error: Exception, denied: Sequence[str], tables: Mapping[str, TableFile], seconds: float) -> str:
    """What was wrong, in a sentence that helps to write the next query."""
    there = f"There are: {described(tables)}."
    if denied:
        return denied[0]
    if isinstance(error, MemoryError):
        return "The query takes too much memory. Ask for less: fewer tables, or with a condition."
    text = str(error)
    if "interrupted" in text:
        return f"The query was stopped after {seconds:g} s. Ask for less: fewer tables, or with a condition."
    if "one statement" in text:
        return "Only one statement can be run. Send one SELECT."
    if "too many columns" in text:
        return f"An answer has at most {WIDEST} columns. Name those that are needed. {there}"
    if "too big" in text:
        return f"A text or row grew longer than {LENGTH:,} bytes. Ask for less of it."
    if missing := re.search(r"no such (table|column): (.+)", text):
        return f"There is no {missing[1]} {missing[2][:80]}. {there}"
    if isinstance(error, UnicodeError) or "null character" in text:
        return "The query holds characters that are no text."
    if isinstance(error, ValueError):
        return text
    return f"SQLite can not run it: {text[:300].rstrip('.')}. {there}"


def _shown(value: Any) -> Any:
    """A cell as JSON takes it."""
    if isinstance(value, bytes):
        return f"x'{value[: CELL // 2].hex()}'"
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    return _cut(value) if isinstance(value, str) else value


def _cut(text: str) -> str:
    return text if len(text) <= CELL else f"{text[: CELL - 1]}…"


def as_result(answer: Answer) -> dict[str, Any]:
    """The answer as a tool's result: columns, `count` of rows (`more`: over that), and the first rows."""
    kept: list[list[Any]] = []
    room = LOGGED_TEXT
    for row in answer.rows[:LOGGED]:
        room -= len(json.dumps(row))
        if room < 0 and kept:
            break
        kept.append(list(row))
    more = {"more": True} if answer.truncated else {}
    return {"columns": list(answer.columns), "count": len(answer.rows), **more, "rows": kept}
