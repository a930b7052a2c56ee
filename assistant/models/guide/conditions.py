"""The conditions of a question: "where depth is 3", "with more than 5 links in", "that are orphans"."""

import re
from collections.abc import Sequence
from datetime import date

from ...queries import TableFile, quoted
from .mentions import NUMBER, Mention, Unclear, number_of

_JOIN = re.compile(
    r"(?:[ ,]+|(?:and|but|that|which|who|where|with|whose|having|have|has|had|are|is|were|was|a|an|the|in|of"
    r"|on|at(?! least| most)|for|from|there)\b)*",
    re.IGNORECASE,
)
_OPS = [
    (">=", r"at least|>=|no less than|not less than"),
    ("<=", r"at most|<=|up to|no more than|not more than"),
    (">", r"(?:more|greater|larger|higher|bigger|later|longer|deeper) than|above|over|after|>"),
    ("<", r"(?:less|fewer|smaller|lower|earlier|shorter) than|below|under|before|<"),
    ("!=", r"not equal to|not|isn't|aren't|other than|!=|<>"),
    ("has", r"contains?|containing|includes?|including|like|mentions?|mentioning"),
    ("begins", r"(?:starts?|starting|begins?|beginning) with"),
    ("ends", r"(?:ends?|ending) with"),
    ("=", r"equals|equal to|exactly|==?|:|of|is|are|was|were"),
]
_OP = "|".join(pattern for _, pattern in _OPS)
_NUM = rf"-?\d[\d,]*(?:\.\d+)?(?:e-?\d+)?|{NUMBER}"
_BE = r"(?:is |are |was |were |of )?"
_IS_EMPTY = re.compile(rf" {_BE}(?P<no>not )?(?:empty|missing|unknown|blank|null)(?= |,|$)", re.IGNORECASE)
_BETWEEN = re.compile(rf" {_BE}between (?P<a>\S+) and (?P<b>[^\s,]+)", re.IGNORECASE)
_TEST = re.compile(
    rf"(?: |(?=[<>=!:])){_BE}(?:(?P<op>{_OP})(?:(?<=[<>=:]) ?| ))?(?:the )?"
    r"(?P<value>\"[^\"]*\"|'[^']*'|.+?)(?=,? and .*§|, .*§| (?:with|whose|where) .*§|$)",
    re.IGNORECASE,
)
_FLAG = re.compile(r"(?P<no>not |no |without (?:an? |any )?|non-)?§(?P<c>\d+)", re.IGNORECASE)
_DAY = r"\d{4}-\d\d-\d\d"
_WHEN = re.compile(rf"(?:(?P<op>after|before|since|on|until) )?(?P<day>{_DAY})(?= |,|$)", re.IGNORECASE)
_DAYS = re.compile(rf"between (?P<a>{_DAY}) and (?P<b>{_DAY})(?= |,|$)", re.IGNORECASE)
_AROUND = re.compile(rf"between (?P<a>{_NUM}) and (?P<b>{_NUM}) §(?P<c>\d+)", re.IGNORECASE)
_IN = re.compile(r"(?P<value>\"[^\"]+\"|[\w./-]+(?: [\w./-]+)?) §(?P<c>\d+)(?= |,|$)", re.IGNORECASE)
_HOLDS = re.compile(
    r"(?P<op>contain(?:s|ing)?|includ(?:e|es|ing)|mention(?:s|ing)?|(?:start|begin|end)(?:s|n?ing)? with) "
    r"(?P<value>\"[^\"]+\"|'[^']+'|[^§ ]+)(?: in (?:the |their |its )?§(?P<c>\d+))?(?= |,|$)",
    re.IGNORECASE,
)
_BEFORE = re.compile(rf"(?:(?P<op>{_OP}) )?(?P<value>{_NUM}) §(?P<c>\d+)", re.IGNORECASE)


def conditions(
    tail: str, mentions: Sequence[Mention], name: str, table: TableFile
) -> tuple[list[str], list[str]]:
    """The conditions in SQL, and the columns that they are about; Unclear, unless all is understood."""
    tests: list[str] = []
    columns: list[str] = []
    while rest := tail[_end(_JOIN.match(tail)) :]:
        before = tail[: len(tail) - len(rest)]
        within = re.search(r"\b(?:in|of|from|for)(?: the)?\s*$", before, re.IGNORECASE)
        having = re.search(r"\b(?:with|have|has|having)(?: an?| the| any)?\s*$", before, re.IGNORECASE)
        found = (
            _special(rest, mentions, name, table, bool(within))
            or (_filled(rest, mentions, name, table) if having else None)
            or _one(rest, mentions, name, table)
        )
        tests.append(found[0])
        columns.append(found[1])
        tail = rest[found[2] :]
    return tests, columns


def _end(match: re.Match[str] | None) -> int:
    return match.end() if match else 0


def _special(
    rest: str, mentions: Sequence[Mention], name: str, table: TableFile, within: bool
) -> tuple[str, str, int] | None:
    """Conditions that do not begin with a column: "contain api", "2 to 5 links in", "in the x section"."""
    if held := _HOLDS.match(rest):
        texts = [column for column, kind in table.columns.items() if kind == "text"]
        named = [mentions[int(held["c"])].column(name)] if held["c"] else texts[:6]
        if not named:
            raise Unclear(f"{name} has no column of text.")
        op = {"s": "starts with", "b": "begins with", "e": "ends with"}.get(held["op"][0].lower(), "contains")
        tests = [_compare(column, table, op, held["value"]) for column in named]
        return (tests[0] if len(tests) == 1 else f"({' OR '.join(tests)})"), named[0], held.end()
    if around := _AROUND.match(rest):
        column = mentions[int(around["c"])].column(name)
        low, high = (_value(around[part], table.columns[column]) for part in "ab")
        return f"{quoted(column)} BETWEEN {low} AND {high}", column, around.end()
    days = [column for column, kind in table.columns.items() if kind in ("date", "datetime")]
    if len(days) == 1 and (span := _DAYS.match(rest)):
        low, high = (_value(span[part], "date") for part in "ab")
        return f"{quoted(days[0])} BETWEEN {low} AND {high}", days[0], span.end()
    if len(days) == 1 and (when := _WHEN.match(rest)):
        sign = {"after": ">", "before": "<", "since": ">=", "until": "<="}.get(
            (when["op"] or "").lower(), "="
        )
        return f"{quoted(days[0])} {sign} {_value(when['day'], 'date')}", days[0], when.end()
    if within and (inside := _IN.match(rest)) and mentions[int(inside["c"])].columns:
        column = mentions[int(inside["c"])].column(name)
        if table.columns[column] == "text":
            return _compare(column, table, "=", inside["value"]), column, inside.end()
    return None


def _filled(
    rest: str, mentions: Sequence[Mention], name: str, table: TableFile
) -> tuple[str, str, int] | None:
    """ "With a title": the column has some value."""
    bare = re.match(r"§(?P<c>\d+)(?= and |,|$)", rest, re.IGNORECASE)
    mention = mentions[int(bare["c"])] if bare else None
    if bare is None or mention is None or mention.condition:
        return None
    column = mention.column(name)
    return None if table.columns[column] == "bool" else (f"{quoted(column)} IS NOT NULL", column, bare.end())


def _one(rest: str, mentions: Sequence[Mention], name: str, table: TableFile) -> tuple[str, str, int]:
    """One condition at the begin of the text: its SQL, its column, and where it ends."""
    if before := _BEFORE.match(rest):  # more than 5 links in
        column = mentions[int(before["c"])].column(name)
        return _compare(column, table, before["op"] or "=", before["value"]), column, before.end()
    flag = _FLAG.match(rest)
    if not flag:
        raise Unclear(f"I can not tell what “{_said(rest, mentions)}” means there.")
    mention, no = mentions[int(flag["c"])], bool(flag["no"])
    column, end = mention.column(name), flag.end()
    if mention.condition:
        return (f"NOT {mention.condition}" if no else mention.condition), column, end
    after = rest[end:]
    if empty := _IS_EMPTY.match(after):
        return f"{quoted(column)} IS {'NOT ' if empty['no'] else ''}NULL", column, end + empty.end()
    kind = table.columns[column]
    if no and kind != "bool":
        test = f"{quoted(column)} = 0" if kind in ("int", "float") else f"{quoted(column)} IS NULL"
        return test, column, end
    if kind == "bool" and (no or not re.match(r" (?:is|are|=|yes|no|true|false)\b", after, re.IGNORECASE)):
        return f"{quoted(column)} = {0 if no else 1}", column, end
    if between := _BETWEEN.match(after):
        low, high = (_value(between[part], kind) for part in "ab")
        return f"{quoted(column)} BETWEEN {low} AND {high}", column, end + between.end()
    if test_ := _TEST.match(after):
        said = _said(test_["value"], mentions)
        return _compare(column, table, test_["op"] or "=", said), column, end + test_.end()
    raise Unclear(f"I can not tell what “{_said(rest, mentions)}” means there.")


def _compare(column: str, table: TableFile, said: str, value: str) -> str:
    op = next(sign for sign, pattern in _OPS if re.fullmatch(pattern, said, re.IGNORECASE))
    kind, name = table.columns[column], quoted(column)
    if op in ("has", "begins", "ends"):
        plain = re.sub(r"([\\%_])", r"\\\1", _unquoted(value)).replace("'", "''")
        pattern = {"has": f"%{plain}%", "begins": f"{plain}%", "ends": f"%{plain}"}[op]
        escape = r" ESCAPE '\'" if "\\" in pattern else ""
        return f"{name} LIKE '{pattern}'{escape}"
    text = " COLLATE NOCASE" if kind == "text" else ""
    return f"{name} {op} {_value(value, kind)}{text}"


def _unquoted(value: str) -> str:
    value = value.strip()
    return value[1:-1] if len(value) > 1 and value[0] == value[-1] and value[0] in "\"'" else value


def _value(said: str, kind: str) -> str:
    """A value as SQL writes it; Unclear where it does not fit the column."""
    plain = _unquoted(said)
    if kind in ("int", "float") and re.fullmatch(_NUM, plain, re.IGNORECASE):
        return str(number_of(plain)) if plain.isalpha() else plain.replace(",", "")
    if kind == "bool" and plain.lower() in ("yes", "true", "no", "false", "0", "1"):
        return str(int(plain.lower() in ("yes", "true", "1")))
    if kind in ("date", "datetime") and re.fullmatch(r"\d{4}-\d\d-\d\d(?:[T ][\d:.]+)?", plain):
        try:
            date.fromisoformat(plain[:10])
        except ValueError:
            raise Unclear(f"“{plain}” is no day.") from None
        return f"'{plain.replace(' ', 'T')}'"
    if kind == "text" and plain:
        return "'" + plain.replace("'", "''") + "'"
    what = {"int": "number", "float": "number", "bool": "yes or no"}.get(kind, "day such as 2026-11-21")
    raise Unclear(f"“{plain}” is no {what}.")


def _said(text: str, mentions: Sequence[Mention]) -> str:
    """The text as it was said, without marks."""
    return re.sub(r"§(\d+)", lambda mark: mentions[int(mark[1])].text, text).strip()
