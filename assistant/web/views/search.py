"""The page of the search over all sessions: what is looked for, and where it was found."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from fasthtml.components import (
    H1,
    H2,
    A,
    Article,
    Button,
    Code,
    Datalist,
    Div,
    Fieldset,
    Form,
    Header,
    Input,
    Label,
    Li,
    Main,
    Mark,
    Nav,
    P,
    S,
    Search,
    Select,
    Small,
    Span,
    Time,
    Ul,
)
from fasthtml.components import Option as Choice

from ...search import Group, Hit, Page
from ...search.matching import QUERY, excerpt
from ...search.texts import Passage
from .base import WHO, by_tag, page, top

WHAT = {
    "conversation": "conversation",
    "value": "values",
    "refused": "refused values",
    "call": "tool calls",
    "help": "help",
    "result": "results",
    "note": "notes",
    "file": "files",
    "failure": "failures",
    "name": "names of sessions",
}
PLACES = 3  # shown of one entry
HINT = (
    "Finds what was said, set, called, shown as help, given back by a run or noted, in all sessions. Several "
    "words must all be in one entry; words in quotes are looked for as they stand. Case makes no difference."
)


@dataclass(frozen=True)
class Asked:
    """What the form holds, as it was typed. `trouble`: a sentence on what of it can not be used."""

    q: str = ""
    workflow: str = ""
    by: str = ""
    model: str = ""
    what: str = ""
    since: str = ""
    until: str = ""
    session: str = ""
    trouble: str = ""

    def address(self, **changes: str) -> str:
        """The address of this search with other values here and there."""
        fields = {name: value for name, value in vars(self).items() if name != "trouble"}
        return f"search?{urlencode({name: value for name, value in (fields | changes).items() if value})}"


def search_page(
    prefix: str,
    asked: Asked,
    words: Sequence[str],
    found: Page,
    workflows: Mapping[str, str],
    models: Sequence[str],
    after: str = "",
) -> Any:
    """The form, and a page of what was found for the folded `words`."""
    title = f"Search · {asked.q}" if asked.q else "Search"
    return page(
        title,
        prefix,
        top("Search", search=False),
        Main(
            H1("Search", cls="unseen"),
            _form(asked, workflows, models),
            P(asked.trouble, cls="notice", role="alert") if asked.trouble else "",
            P(_told(asked, words, found, after), cls="quiet", role="status"),
            *[_group(asked, words, group) for group in found.groups],
            _pages(asked, found, after),
            cls="search",
        ),
        cls="plain",
    )


def _form(asked: Asked, workflows: Mapping[str, str], models: Sequence[str]) -> Any:
    words = Input(
        type="search",
        name="q",
        value=asked.q,
        maxlength=str(QUERY),
        placeholder="Words, or “a phrase”",
        aria_label="Words",
        autofocus=not asked.q,
    )
    only = Input(type="hidden", name="session", value=asked.session) if asked.session else ""
    filters = (
        _choice("Workflow", "workflow", asked.workflow, {"": "any", **workflows}),
        _choice("Who", "by", asked.by, {"": "anybody", **WHO}),
        _choice("Where", "what", asked.what, {"": "anywhere", **WHAT}),
        Label(
            "Model",
            Input(name="model", value=asked.model, list="models-known", placeholder="any", maxlength="200"),
        ),
        Label("From", Input(type="date", name="since", value=asked.since)),
        Label("To", Input(type="date", name="until", value=asked.until)),
        Datalist(*[Choice(value=name) for name in models], id="models-known"),
    )
    fields = (Div(words, Button("Search", type="submit"), cls="row"), Fieldset(*filters, cls="filters"), only)
    return Search(Form(*fields, method="get", action="search"))


def _choice(label: str, name: str, value: str, options: Mapping[str, str]) -> Any:
    if value not in options:
        options = {**options, value: value}
    listed = [Choice(text, value=key, selected=key == value) for key, text in options.items()]
    return Label(label, Select(*listed, name=name))


def _told(asked: Asked, words: Sequence[str], found: Page, after: str) -> Any:
    """What was found, as one sentence."""
    if not words:
        return HINT
    where = (" in this session; ", A("search all", href=asked.address(session=""))) if asked.session else ()
    if not found.groups:
        narrow = any((asked.workflow, asked.by, asked.model, asked.what, asked.since, asked.until))
        less = ". Fewer words or filters find more." if narrow or len(words) > 1 else "."
        return Span(
            f"Nothing{' more' * bool(after)} was found for “{asked.q}”{'' if where else less}", *where
        )
    count = sum(len(group.hits) + group.more for group in found.groups)
    least = "at least " if found.older or after or any(group.open_ended for group in found.groups) else ""
    entries = f"{least}{count:,} {'entry' if count == 1 else 'entries'}".capitalize()
    sessions = len(found.groups)
    many = "" if asked.session else f" in {sessions} {'session' if sessions == 1 else 'sessions'}"
    order = ", the last changed first" if sessions > 1 else ""
    return Span(f"{entries}{many}{order}", *(where or (".",)))


def _group(asked: Asked, words: Sequence[str], group: Group) -> Any:
    head = group.headline
    about = [head.title if head.title != head.name else "", f"changed {_when(head.changed)}"]
    about += ["archived"] if head.archived else []
    about += [f"damaged after entry {head.good}"] if head.damaged else []
    more = ""
    if group.more and asked.session:
        more = Small(f"{'at least ' * group.open_ended}{group.more} more are in the record")
    elif group.more:
        text = f"and {'at least ' * group.open_ended}{group.more} more in this session"
        more = A(text, href=asked.address(session=head.sid), cls="quiet")
    return Article(
        Header(
            H2(A(head.name, href=f"sessions/{head.sid}")), Small(" · ".join(part for part in about if part))
        ),
        Ul(*[_hit(head.sid, words, hit) for hit in group.hits]),
        more,
        cls="found",
        data_sid=head.sid,
    )


def _hit(sid: str, words: Sequence[str], hit: Hit) -> Any:
    shown = [_passage(passage, words) for passage in hit.passages[:PLACES]]
    undone = (Small("undone"), " ") if hit.undone else ()
    return Li(
        Small(*_place(hit.passages[0], words), cls="place"),
        A(
            S(*shown) if hit.undone else Span(*shown),
            href=f"sessions/{sid}/record?at={hit.n}#c{hit.n}",
            cls="words",
        ),
        Span(*undone, by_tag(hit.passages[0].by, hit.model or None), cls="who"),
        Time(_when(hit.at), datetime=hit.at),
        data_n=str(hit.n),
    )


def _place(passage: Passage, words: Sequence[str]) -> tuple[Any, ...]:
    """Where it was found: "conversation", "value of depth"."""
    name = (" ", Code(*_marked(passage.name, words))) if passage.name else ()
    return (passage.where, *name)


def _passage(passage: Passage, words: Sequence[str]) -> Any:
    if not passage.text:
        return Small("not in the log", cls="piece")
    # what makes words bold is none of them; a person's own stay as they were typed
    text = passage.text if passage.by == "user" else passage.text.replace("**", "")
    return Span(*_marked(text, words), cls="piece")


def _marked(text: str, words: Sequence[str]) -> list[Any]:
    return [Mark(piece) if marked else piece for piece, marked in excerpt(text, words)]


def _when(at: str) -> str:
    return at[:16].replace("T", " ")


def _pages(asked: Asked, found: Page, after: str) -> Any:
    newest = A("Newest", href=asked.address(), cls="chip") if after else ""
    older = A("Older", href=asked.address(after=found.older), cls="chip", rel="next") if found.older else ""
    return Nav(newest, older, cls="row", aria_label="Pages") if newest or older else ""
