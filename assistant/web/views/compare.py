"""Two sessions side by side: pickers, where they part, values, results, conversation."""

from collections.abc import Iterable, Sequence
from typing import Any

from fasthtml.components import (
    H1,
    H2,
    A,
    B,
    Button,
    Caption,
    Details,
    Div,
    Em,
    Form,
    Label,
    Li,
    Main,
    Mark,
    Optgroup,
    Option,
    P,
    Section,
    Select,
    Small,
    Span,
    Summary,
    Table,
    Tbody,
    Td,
    Th,
    Thead,
    Tr,
    Ul,
)

from ...compare import Block, Comparison, Side, Value, text_of
from ...parameters import MISSING
from ...workspace import Summary as Line
from ..markdown import markdown
from .base import WHO, by_tag, page, top
from .differences import result_view, runs_view
from .parting import both, clip, first_difference, in_words, kinship, label_of

PICKED = 300  # sessions that can be picked
MESSAGE = 800  # characters of a message
ROWS = 120  # rows of messages that differ


def compare_page(
    prefix: str, sessions: list[Line], chosen: tuple[str, str], comparison: Comparison | None = None
) -> Any:
    """The two pickers, and below them the comparison of what is picked; `chosen` are SID[@n] or ""."""
    pickers = _pickers(sessions, chosen)
    title = "Compare"
    parts: tuple[Any, ...] = (P("Pick two sessions, and see where they differ.", cls="quiet"),)
    if comparison:
        title = f"Compare · {comparison.a.name} and {comparison.b.name}"
        parts = (
            Div(_head(comparison.a, "A"), _head(comparison.b, "B"), cls="sides"),
            _told(comparison),
            _values(comparison),
            _results(comparison),
            _words(comparison),
        )
    if len(sessions) < 2 and not comparison:
        parts = (P("There are no two sessions yet.", cls="quiet"),)
    return page(title, prefix, top("Compare"), Main(H1("Compare"), pickers, *parts), cls="plain compare")


def _pickers(sessions: list[Line], chosen: tuple[str, str]) -> Any:
    """Both sessions, the newest first, those of the same workflow as the first before the others."""
    known = {line.sid: line for line in sessions}
    sids = [reference.partition("@")[0] for reference in chosen]
    first = next((known[sid] for sid in sids if sid in known), next(iter(sessions), None))
    alike = [line for line in sessions if first and line.workflow == first.workflow]
    others = [line for line in sessions if first and line.workflow != first.workflow]
    # what is not chosen yet: the newest that is not chosen already
    free = iter([line.sid for line in (*alike, *others) if line.sid not in sids])
    held = [reference or next(free, "") for reference in chosen]
    selects = [_picker(name, alike, others, each, known) for name, each in zip("ab", held, strict=True)]
    swap = A("Swap", href=f"compare?a={chosen[1]}&b={chosen[0]}", cls="chip") if all(chosen) else ""
    button = Button("Compare", type="submit")
    return Form(*selects, button, swap, method="get", action="compare", cls="pickers")


def _picker(name: str, alike: list[Line], others: list[Line], held: str, known: dict[str, Line]) -> Any:
    sid, _, at = held.partition("@")
    shown = {line.sid for line in (alike[:PICKED] + others[:PICKED])}
    own = []
    if held and (at or sid not in shown):
        text = known[sid].name if sid in known else sid
        own = [Option(f"{text} at entry {at}" if at else text, value=held, selected=True)]

    def options(lines: list[Line]) -> list[Any]:
        return [Option(_option(line), value=line.sid, selected=line.sid == held) for line in lines[:PICKED]]

    groups = [Optgroup(*options(alike), label="Same workflow")] if alike else []
    groups += [Optgroup(*options(others), label="Other workflows")] if alike and others else options(others)
    return Label(name.upper(), Select(*own, *groups, name=name))


def _option(line: Line) -> str:
    title, when = line.title if line.title != line.name else "", line.changed[:16].replace("T", " ")
    return " · ".join(part for part in (line.name[:60], when, line.state, title) if part)


# --- what they are, and where they part ------------------------------------------------------------------


def _head(side: Side, letter: str) -> Any:
    session = side.session
    then = f"?at={side.at}" if side.at else ""
    until = f"as it was at entry {side.at}" if side.at else f"{session.n} entries"
    about = (session.title, session.began_at[:16].replace("T", " "), until)
    return Div(
        B(letter, cls="letter"),
        A(side.name, href=f"sessions/{side.sid}{then}"),
        Small(" · ".join(part for part in about if part)),
        cls="side",
    )


def _told(comparison: Comparison) -> Any:
    """Lineage, the first difference, and what keeps the two from being of one kind."""
    a, b = comparison.a, comparison.b
    lines: list[Any] = [P(part) for part in (kinship(comparison),) if part]
    lines.append(P(Mark(first_difference(comparison)), cls="first"))
    if not comparison.same_workflow:
        text = "The workflows differ: what has the same name is compared"
        lines.append(P(f"{text} ({a.session.title}; {b.session.title})."))
    elif comparison.file_changed:
        lines.append(P("The workflow's file was changed between the two."))
    return Section(*lines, id="first-difference", aria_label="First difference")


# --- values ----------------------------------------------------------------------------------------------


def _values(comparison: Comparison) -> Any:
    differ = [value for value in comparison.values if value.same is not True]
    equal = [value for value in comparison.values if value.same is True]
    named = _named(comparison)
    first = next((value for value in differ if value.same is False and value.name in named), None)
    parts: list[Any] = [H2("Values")]
    if differ:
        parts.append(_table(comparison, differ, first))
    elif comparison.values:
        parts.append(P("All values are the same.", cls="quiet"))
    else:
        parts.append(P("Neither has a value.", cls="quiet"))
    if equal:
        count = f"{len(equal)} equal {'value' if len(equal) == 1 else 'values'}"
        parts.append(Details(Summary(count), _table(comparison, equal, None)))
    return Section(*parts, id="compare-values")


def _named(comparison: Comparison) -> set[str]:
    """The parameters that the first difference is about."""
    first = comparison.first
    if first.kind == "value":
        return {first.name}
    entries = [entry for entry in (first.a, first.b) if entry and first.kind == "entry"]
    return {name for e in entries for name in (*(e.get("values") or {}), *(e.get("names") or ()))}


def _table(comparison: Comparison, values: Sequence[Value], first: Value | None) -> Any:
    rows = []
    for value in values:
        cells = [
            cell
            for side, held in both(comparison, value)
            for cell in (Td(_held(side, value.name, held)), Td(_who(comparison, side, value.name)))
        ]
        sign = {True: "", False: "differs", None: "not told"}[value.same]
        mark = Mark("first difference") if value is first else Small(sign)
        label = label_of(comparison, value.name).strip("“”")
        head = Th(label, " ", mark if sign else "", scope="row", title=value.name)
        rows.append(Tr(head, *cells, cls="differs" if value.same is False else None, data_name=value.name))
    heads = [Th(text, scope="col") for text in ("Parameter", "A", "Who", "B", "Who")]
    return _scroll(Table(Caption("Values", cls="hidden"), Thead(Tr(*heads)), Tbody(*rows)), "Values")


def _who(comparison: Comparison, side: Side, name: str) -> Any:
    """Who set the value; of one that was taken from an earlier session, from which."""
    setting = side.session.setting(name)
    if setting is None:
        return ""
    sid = setting.source["session"] if setting.source else None
    letters = {comparison.b.sid: "from B", comparison.a.sid: "from A"}
    return by_tag(setting.by, sid, letters.get(sid, "earlier session")) if sid else by_tag(setting.by)


def _held(side: Side, name: str, held: Any) -> Any:
    text = in_words(side, name, held)
    if held is MISSING:
        return Em(text, cls="quiet")
    file = side.session.files.get(str(held.get("file"))) if isinstance(held, dict) else None
    if file is None:
        return text
    return Span(text, " ", Small(f"{file.get('bytes')} bytes, sha256 {str(file.get('sha256'))[:8]}"))


def _scroll(table: Any, label: str) -> Any:
    return Div(table, cls="scroll", tabindex="0", role="region", aria_label=label)


# --- results and words -----------------------------------------------------------------------------------


def _results(comparison: Comparison) -> Any:
    first = comparison.first.name if comparison.first.kind == "result" else None
    runs = runs_view([(letter, side.session) for letter, side in (("A", comparison.a), ("B", comparison.b))])
    differ = [result_view(each, each.name == first) for each in comparison.results if each.same is not True]
    equal = [each for each in comparison.results if each.same is True]
    more: Any = ""
    if equal:
        count = f"{len(equal)} equal {'result' if len(equal) == 1 else 'results'}"
        more = Details(Summary(count), *[result_view(each, False) for each in equal])
    return Section(H2("Runs and results"), runs, *differ, more, id="compare-results")


def _words(comparison: Comparison) -> Any:
    first = comparison.first
    marked = {id(entry) for entry in (first.a, first.b) if entry}
    parts: list[Any] = []
    left = ROWS
    for block in comparison.words:
        if block.same:
            parts.append(_equal(block))
            continue
        rows = max(len(block.a), len(block.b))
        parts += [_pair(comparison, block, n, marked) for n in range(min(rows, left))]
        left -= min(rows, left)
    if not comparison.words:
        parts.append(P("Nothing was said in either.", cls="quiet"))
    if not left:
        parts.append(P(f"Only the first {ROWS} rows that differ are shown.", cls="quiet"))
    if comparison.left_out:
        parts.append(P(f"{comparison.left_out:,} later messages are not compared.", cls="quiet"))
    return Section(H2("Conversation"), *parts, id="compare-words")


def _equal(block: Block) -> Any:
    count = f"{len(block.a)} equal {'message' if len(block.a) == 1 else 'messages'}"
    told = [Li(B(WHO.get(entry.by, entry.by)), " ", clip(text_of(entry), 200)) for entry in block.a]
    return Details(Summary(count), Ul(*told), cls="equal")


def _pair(comparison: Comparison, block: Block, n: int, marked: Iterable[int]) -> Any:
    cells = []
    for letter, side, entries in (("A", comparison.a, block.a), ("B", comparison.b, block.b)):
        if n >= len(entries):
            cells.append(Div(Small(f"{letter} · nothing here"), cls="said nothing"))
            continue
        entry = entries[n]
        there = A(f"entry {entry.n}", href=f"sessions/{side.sid}/record?at={entry.n}#c{entry.n}")
        head = Small(f"{letter} · {WHO.get(entry.by, entry.by)} · ", there, " ")
        mark = Mark("first difference") if id(entry) in marked else ""
        text = clip(text_of(entry), MESSAGE)
        words = P(text, cls="words") if entry.by == "user" else markdown(text, colours=False)
        cells.append(Div(head, mark, words, cls="said", data_by=entry.by))
    return Div(*cells, cls="pair")
