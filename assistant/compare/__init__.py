"""Two sessions side by side: what they share, values, results and words, and where they first differ.

Side a ─┐                    common beginning · values · results · words
        ├─▶ compare ──▶ Comparison
Side b ─┘                    and the first difference of them all

Pure but for the results' files (differences.py). Secrets are never read: whether two are the same is not
told.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from pathlib import Path
from typing import Any

from ..actions.judging import same
from ..log import Entry
from ..parameters import MISSING, REDACTED
from ..session import Session
from ..workflow import Workflow
from .differences import Result, compare_results

WORDS = 400  # messages of each session that are compared
UNTOLD = ({"secret": True}, REDACTED)
TELLING = frozenset(
    "set cleared said refused answered proposed undid redid reopened skipped advanced chose realigned "
    "started failed finished cancelled interrupted produced".split()
)
PASSING = frozenset(  # fields that differ where the same was done
    "turn id run file seconds output tokens rate first read prompt extraction left_out thinking".split()
)


@dataclass(frozen=True)
class Side:
    """One of the two: a session up to its entry `session.n`; `at` where that is not its end."""

    sid: str
    name: str
    session: Session
    entries: Sequence[Entry]
    files: Path
    flow: Workflow | None = None
    at: int | None = None


@dataclass(frozen=True)
class Value:
    """A parameter in both: JSON or MISSING, and who set it. `same` is None where that is not told."""

    name: str
    a: Any
    by_a: str
    b: Any
    by_b: str
    same: bool | None


@dataclass(frozen=True)
class Block:
    """Messages that are the same in both, or stand in the same place and differ."""

    same: bool
    a: tuple[Entry, ...]
    b: tuple[Entry, ...]


@dataclass(frozen=True)
class First:
    """The first difference. `kind` is entry (of kin), value, result, words, or none.

    `a` and `b` are the entries where kin part (None: it has ended), `name` the parameter or the result.
    """

    kind: str
    name: str = ""
    a: Entry | None = None
    b: Entry | None = None


@dataclass(frozen=True)
class Comparison:
    """`common` is the last entry of the beginning that both share: of kin more than 0."""

    a: Side
    b: Side
    common: int
    values: tuple[Value, ...]
    results: tuple[Result, ...]
    words: tuple[Block, ...]
    left_out: int
    first: First

    @property
    def same_workflow(self) -> bool:
        return self.a.session.workflow == self.b.session.workflow

    @property
    def file_changed(self) -> bool:
        """Whether the two go by different versions of the workflow's file."""
        return self.same_workflow and self.a.session.source != self.b.session.source


def compare(a: Side, b: Side) -> Comparison:
    """All of it; to be called in a thread, since it reads the results."""
    common = common_beginning(a.entries, b.entries)
    values, results = compare_values(a, b), compare_results(_produced(a), _produced(b))
    words_a, words_b = _words(a.entries), _words(b.entries)
    words = align(words_a[:WORDS], words_b[:WORDS])
    left_out = max(0, len(words_a) - WORDS) + max(0, len(words_b) - WORDS)
    first = _first(a, b, common, values, results, words)
    return Comparison(a, b, common, values, results, words, left_out, first)


def common_beginning(a: Sequence[Entry], b: Sequence[Entry]) -> int:
    """How many first lines are the same, to the time: a fork has them of its origin."""
    count = 0
    for one, other in zip(a, b, strict=False):
        if (one.n, one.at, one.by, one.did) != (other.n, other.at, other.by, other.did):
            break
        if _bare(one.fields, {"forked_from"}) != _bare(other.fields, {"forked_from"}):
            break
        count += 1
    return count


def _bare(fields: Mapping[str, Any], without: Iterable[str]) -> dict[str, Any]:
    return {key: value for key, value in fields.items() if key not in without}


def _first(
    a: Side, b: Side, common: int, values: Sequence[Value], results: Sequence[Result], words: Sequence[Block]
) -> First:
    """Of kin where their lines part, else the first value, result or message that differs."""
    if common:
        told_a, told_b = ([e for e in side.entries[common:] if e.did in TELLING] for side in (a, b))
        for n in range(max(len(told_a), len(told_b))):
            one, other = (told[n] if n < len(told) else None for told in (told_a, told_b))
            if one is None or other is None or _deed(one) != _deed(other):
                return First("entry", "", one, other)
        return First("none")
    if value := next((value for value in values if value.same is False), None):
        return First("value", value.name)
    if result := next((result for result in results if result.same is False), None):
        return First("result", result.name)
    if block := next((block for block in words if not block.same), None):
        return First("words", "", *(side[0] if side else None for side in (block.a, block.b)))
    return First("none")


def _deed(entry: Entry) -> tuple[str, str, dict[str, Any]]:
    """What was done, whenever and in whichever turn."""
    return entry.by, entry.did, _bare(entry.fields, PASSING)


def _produced(side: Side) -> tuple[Sequence[Mapping[str, Any]], Path]:
    """The results of the newest run, and where their files are."""
    return side.session.run.results if side.session.run else (), side.files


# --- values --------------------------------------------------------------------------------------------


def compare_values(a: Side, b: Side) -> tuple[Value, ...]:
    """The values of both by name, in the order of the cards."""
    known = [name for side in (a, b) if side.flow for name in side.flow.fields()]
    names = dict.fromkeys([*known, *a.session.values, *b.session.values])
    return tuple(_value(a, b, name) for name in names if name in a.session.values or name in b.session.values)


def _value(a: Side, b: Side, name: str) -> Value:
    one, other = (side.session.values.get(name, MISSING) for side in (a, b))
    by_a, by_b = (side.session.origins.get(name, "") for side in (a, b))
    untold = one in UNTOLD and other in UNTOLD
    is_same = None if untold else same(_content(a, one), _content(b, other))
    return Value(name, one, by_a, other, by_b, is_same)


def _content(side: Side, value: Any) -> Any:
    """The value with the checksum of each file in place of its name."""
    if isinstance(value, list):
        return [_content(side, each) for each in value]
    if isinstance(value, dict) and isinstance(file := value.get("file"), str) and len(value) == 1:
        entry = side.session.files.get(file)
        return {"file": entry.get("sha256") if entry else f"{side.sid}/{file}"}
    return value


# --- words ---------------------------------------------------------------------------------------------


def _words(entries: Sequence[Entry]) -> list[Entry]:
    return [entry for entry in entries if entry.did in ("said", "asked")]


def text_of(entry: Entry) -> str:
    """What a message says."""
    return str(entry.get("question" if entry.did == "asked" else "text") or "")


def align(a: Sequence[Entry], b: Sequence[Entry]) -> tuple[Block, ...]:
    """The messages of both, those that are the same beside each other."""
    keys = [[(entry.by, text_of(entry)) for entry in side] for side in (a, b)]
    matcher = SequenceMatcher(None, keys[0], keys[1], autojunk=False)
    return tuple(
        Block(what == "equal", tuple(a[i:j]), tuple(b[k:m])) for what, i, j, k, m in matcher.get_opcodes()
    )
