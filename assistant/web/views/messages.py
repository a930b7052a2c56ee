"""The chat's messages: each entry that the chat shows. What there is of values is in values.py."""

from itertools import islice
from typing import Any

from fasthtml.components import A, Article, B, Details, Div, P, Small, Summary

from ...chat.slash import parse
from ...log import Entry
from ...models import GUIDE
from ...session import Session
from ...session.undoing import after_all, fates
from ..markdown import markdown
from .base import number, with_code
from .queries import is_query, query_view
from .runs import duration
from .shown import Shown
from .tools import again, edit, is_last, links, tools
from .values import VALUES, value_view

WINDOW = 50
OTHERS = ("model", "guide", "mcp", "cli")


def newest(session: Session, most: int = WINDOW, before: int | None = None) -> list[Entry]:
    """The newest entries that the chat shows, or the newest before an entry, in order."""
    found = (e for e in reversed(session.chat) if (before is None or e.n < before) and is_shown(e))
    return list(islice(found, most))[::-1]


def is_shown(entry: Entry) -> bool:
    """Values typed on a card are not news to who typed them; what the model did and said is."""
    if entry.did in ("set", "cleared", "refused"):
        return entry.by in OTHERS
    if entry.did == "failed":
        return entry.get("where") in ("model", "run")
    if entry.did == "called":
        return is_query(entry)
    return entry.did not in ("answered", "started")


def flags(session: Session, entry: Entry) -> tuple[Any, ...]:
    """What else than the entry a message's markup depends on; the last: whether it can be asked again."""
    id = entry.get("id")
    return (
        entry.n in session.undone,
        id in session.answers,
        id in session.proposals or id in session.questions,
        session.turns.get(entry.get("turn")) is entry if entry.did == "said" else None,
        was_answered(session, entry) if entry.did == "failed" else None,
        session.is_replaced(entry.n),
        len(session.notes.get(entry.n, ())),
        (fates(session, entry), after_all(session, entry)) if entry.did == "proposed" else None,
        is_last(session, entry) if entry.did == "said" else None,
    )


def was_answered(session: Session, failure: Entry) -> bool:
    """Whether a reply to the same words came after the failure."""
    answers = (e for e in reversed(session.chat) if e.did == "said" and e.by in ("model", "guide"))
    return any(e.n > failure.n and e.get("turn") == failure.get("turn") for e in answers)


def message_view(shown: Shown, entry: Entry) -> Any:
    """One entry as the chat shows it."""
    draw = {
        "said": _said,
        "helped": _helped,
        **dict.fromkeys(VALUES, _values),
        "failed": _failed,
        "called": _called,
    }.get(entry.did, _line)
    return draw(shown, entry)


def _message(entry: Entry, *content: Any, cls: str = "") -> Any:
    return Article(
        *content,
        cls=f"message {cls}".strip(),
        data_by=entry.by,
        data_n=entry.n,
        data_did=entry.did,
        id=f"m{entry.n}",
    )


# --- words ---------------------------------------------------------------------------------------------


def _said(shown: Shown, entry: Entry) -> Any:
    text = str(entry.get("text") or "")
    if shown.session.is_replaced(entry.n):
        return _replaced(entry, text)
    if entry.by == "user":
        waits = ""
        # words that no reply is being written to any more: the program ended meanwhile
        if shown.session.turns.get(entry.get("turn")) is entry and shown.draft is None and not shown.fixed:
            waits = again(shown, str(entry.get("turn")), "No answer came: the program ended meanwhile.")
        anew = "" if shown.fixed or parse(text) else edit(shown, entry)
        return _message(entry, P(text, cls="words"), waits, anew)
    if entry.by == "app":
        return _message(entry, Small(text), cls="line")
    thinking = entry.get("thinking")
    thought = Details(Summary("Thinking"), markdown(thinking), cls="thinking") if thinking else ""
    words = Div(markdown(text), cls="words")
    return _message(entry, Small(_meta(entry)), thought, words, links(shown, entry), tools(shown, entry))


def _meta(entry: Entry) -> str:
    """Who said it, how much, how fast, after how long."""
    meta = [model_name(entry.get("model") or entry.by)]
    if entry.get("tokens"):
        tokens = entry.get("tokens")
        meta.append("1 token" if tokens == 1 else f"{tokens} tokens")
    if entry.get("rate"):
        meta.append(f"{number(entry.get('rate'))}/s")
    if entry.get("first") is not None:
        meta.append(f"first after {_time(entry.get('first'))}")
    if entry.get("seconds") is not None:
        meta.append(_time(entry.get("seconds")))
    return " · ".join([*meta, *(word for word in ("stopped", "incomplete") if entry.get(word))])


def _time(seconds: Any) -> str:
    text = duration(seconds) if seconds >= 0.1 else f"{seconds * 1000:.0f} ms"
    return text.replace(" ", "\N{NO-BREAK SPACE}")


def _replaced(entry: Entry, text: str) -> Any:
    """Words that gave way to others, folded."""
    what = {"user": "An earlier form of the message", "app": "A notice"}.get(entry.by, "An earlier reply")
    words: Any = P(text, cls="words") if entry.by == "user" else Div(markdown(text), cls="words")
    return _message(entry, Details(Summary(what), words), cls="replaced")


def model_name(name: str) -> str:
    return "Built-in guide" if name == GUIDE else str(name)


def _helped(shown: Shown, entry: Entry) -> Any:
    question, _, text = str(entry.get("text") or "").partition("\n")
    return _message(entry, B(question), markdown(text.strip(), False) if text.strip() else "", cls="help")


# --- troubles, and what happened -----------------------------------------------------------------------


def _values(shown: Shown, entry: Entry) -> Any:
    return _message(entry, value_view(shown, entry), cls="change")


def _failed(shown: Shown, entry: Entry) -> Any:
    reason = str(entry.get("reason") or "")
    if entry.get("where") == "run":
        return _message(entry, Div(B("The run failed. "), reason, cls="trouble"), cls="change")
    turn = entry.get("turn")
    later = was_answered(shown.session, entry) or shown.session.is_replaced(entry.n)
    ask = "" if later or shown.fixed or not turn else again(shown, str(turn), "")
    get: Any = ""
    if ask and entry.get("kind") == "not_found":
        get = A("Models", href=f"models?session={shown.sid}")
    return _message(entry, Div(*with_code(reason), " " if get else "", get, ask, cls="trouble"), cls="change")


def _called(shown: Shown, entry: Entry) -> Any:
    return _message(entry, query_view(entry), cls="change")


def _of(shown: Shown, entry: Entry) -> str:
    """The values that an undo or redo was about: " of Depth, Limit"; "" where it was about none."""
    lines = [shown.session.lines.get(n) for n in entry.get("entries") or ()]
    changes = [line for line in lines if line and line.did in ("set", "cleared") and line.by != "workflow"]
    names = dict.fromkeys(name for line in changes for name in line.names)
    fields = shown.flow.fields() if shown.flow else {}
    labels = [fields[name].label if name in fields else name for name in names]
    return f" of {', '.join(labels)}" if labels else ""


def _line(shown: Shown, entry: Entry) -> Any:
    who = {"user": "You", "guide": "The guide", "model": "The assistant"}.get(entry.by, entry.by.capitalize())
    took = f" after {duration(entry.get('seconds'))}" if entry.get("seconds") else ""
    text = {
        "undid": f"{who} undid the change{_of(shown, entry)}.",
        "redid": f"{who} redid the change{_of(shown, entry)}.",
        "realigned": "A fresh start: earlier words stay here, but the model no longer sees them.",
        "chose": f"From here on: {model_name(str(entry.get('model')))}.",
        "finished": f"The run finished{took}.",
        "cancelled": "The run was cancelled.",
        "interrupted": "The run was interrupted: the program ended before it did. It can be started again.",
    }.get(entry.did, entry.did)
    return _message(entry, Small(text), cls="line")
