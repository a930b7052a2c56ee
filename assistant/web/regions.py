"""The session page as regions: drawn from what is shown, compared, and sent where they differ. Pure.

page at n ──┐
stream:     └─ regions(shown) ─ compare with what this connection had ─▶ <hx-partial> for each that differs
"""

from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass, field
from typing import Any

from fasthtml.components import Div, Span, to_xml

from ..live import Draft
from ..log import Entry
from ..session.undoing import redo_of, undo_of
from .markdown import blocks, markdown
from .views.base import rail, where_view
from .views.cards import card_view, fields_of, head, trigger, undo_bar
from .views.changed import changed_view
from .views.chat import chips, draft_meta, draft_view, send_or_stop
from .views.messages import flags, message_view, newest
from .views.runs import runs_view
from .views.shown import Shown
from .views.status import model_picker, notice, status_view


@dataclass
class Sent:
    """What one connection has: markup by region id, the messages' flags, and how much of the draft."""

    regions: dict[str, str] = field(default_factory=dict)
    frames: dict[str, str] = field(default_factory=dict)
    messages: dict[int, tuple[Any, ...]] = field(default_factory=dict)
    turn: str | None = None
    blocks: int = 0
    tail: str = ""
    thinking: str = ""
    meta: str = ""


def html(component: Any) -> str:
    return str(to_xml(component, indent=False))


def partial(target: str, how: str, markup: str) -> str:
    return f'<hx-partial hx-target="{target}" hx-swap="{how}">{markup}</hx-partial>'


def undo(shown: Shown) -> Any:
    return undo_bar(shown, bool(undo_of(shown.session)), bool(redo_of(shown.session)))


TALK = frozenset({"said", "called"})  # entries that change nothing but the conversation
SPOKEN = frozenset({"status", "chat-buttons"})  # the regions that a word, or the phase of a reply, may change
RUNNING = frozenset({"status", "runs"})  # those that a run's progress may change


def regions(shown: Shown, results: Callable[[], Any], today: str) -> dict[str, Callable[[], Any]]:
    """How every region but the cards and the conversation is drawn, by id."""
    return {
        "where": lambda: where_view(shown.heading),
        "status": lambda: status_view(shown),
        "model": lambda: model_picker(shown),
        "notice": lambda: notice(shown),
        "changed": lambda: changed_view(shown),
        "head": lambda: head(shown),
        "trigger": lambda: trigger(shown),
        "undo-bar": lambda: undo(shown),
        "runs": lambda: runs_view(shown),
        "results": results,
        "chips": lambda: chips(shown),
        "chat-buttons": lambda: send_or_stop(shown),
        "rail": lambda: rail(shown.sessions, shown.sid, today),
    }


def changes(
    shown: Shown, results: Callable[[], Any], today: str, sent: Sent, only: Collection[str] | None = None
) -> Iterator[str]:
    """The partials that bring a page which has `sent` up to what is shown; `sent` is brought along.

    With `only`, cards and other regions are known to be as they were, and not drawn.
    """
    if only is None:
        yield from _cards(shown, sent)
    for id, draw in regions(shown, results, today).items():
        if only is not None and id not in only:
            continue
        markup = html(draw())
        if sent.regions.get(id) != markup:
            sent.regions[id] = markup
            how = "outerMorph" if id != "trigger" else "outerHTML"
            yield partial(f"#{id}", how, markup)
    yield from _messages(shown, sent)
    yield from draft_changes(shown.draft, sent)


def forget_live(shown: Shown, again: bool, sent: Sent) -> frozenset[str]:
    """What is not in the log may have begun, gone on or ended since the page had it: it is sent anew.

    So is what Ollama was found to be, perhaps after the page was made. A page that connects `again` may have
    missed what became of other sessions, too. Returns the regions, but the messages.
    """
    sent.turn = ""  # of no turn: even that there is no draft is news
    forgotten = SPOKEN | RUNNING | {"model", "notice"} | (frozenset({"rail"}) if again else frozenset())
    for id in forgotten:
        sent.regions.pop(id, None)
    for entry in shown.session.turns.values():
        if entry.n in sent.messages:
            sent.messages[entry.n] = ()
            sent.regions.pop(f"m{entry.n}", None)
    return forgotten


def _cards(shown: Shown, sent: Sent) -> Iterator[str]:
    """A card is swapped as a whole when its frame differs, else field by field."""
    for number, card in enumerate(shown.cards, 1):
        id = f"card-{card.step.name}"
        whole = html(card_view(shown, card, number))
        if sent.regions.get(id) == whole:
            continue
        rows = {f"field-{f.name}": "" for f in card.step.fields} if card.state == "open" else {}
        frame = whole
        if card.state == "open":
            for field_, row in zip(card.step.fields, fields_of(shown, card), strict=True):
                rows[f"field-{field_.name}"] = html(row)
                frame = frame.replace(rows[f"field-{field_.name}"], f"<{field_.name}>")
        same = sent.frames.get(id) == frame
        opening = shown.session.opening(card.step.name)
        frame_key = f"{card.state} {opening.n if opening else 0}"
        again = sent.frames.get(f"{id} state") == frame_key
        sent.regions[id], sent.frames[id], sent.frames[f"{id} state"] = whole, frame, frame_key
        if same and card.state == "open":
            for row_id, markup in rows.items():
                if sent.regions.get(row_id) != markup:
                    yield partial(f"#{row_id}", "outerMorph", markup)
        else:
            # the same opening keeps what is typed on it; another one is a new card
            yield partial(f"#{id}", "outerMorph" if again else "outerHTML", whole)
        sent.regions.update(rows)


def _messages(shown: Shown, sent: Sent) -> Iterator[str]:
    """New messages stand before the draft; those whose buttons have gone are swapped."""
    for entry in newest(shown.session):
        key = (_waits(shown, entry), shown.model, *flags(shown.session, entry))
        known = sent.messages.get(entry.n)
        # while words are written nothing is asked again, and the page hides that anyway
        if known == key or (known and shown.draft and known[:-1] == key[:-1]):
            continue
        markup = html(message_view(shown, entry))
        if entry.n in sent.messages:
            if sent.regions.get(f"m{entry.n}") != markup:
                yield partial(f"#m{entry.n}", "outerHTML", markup)
        else:
            yield partial("#draft", "beforebegin", markup)
        sent.messages[entry.n], sent.regions[f"m{entry.n}"] = key, markup


def _waits(shown: Shown, entry: Entry) -> bool:
    """Whether the message's words are being answered now."""
    return (
        entry.did in ("said", "failed") and shown.draft is not None and shown.draft.turn == entry.get("turn")
    )


def draft_changes(draft: Draft | None, sent: Sent) -> Iterator[str]:
    """Finished blocks once, and only the block being written again."""
    if draft is None:
        if sent.turn is not None:
            sent.turn = None
            yield partial("#draft", "outerHTML", html(draft_view(None)))
        return
    finished, tail = blocks(draft.text)
    anew = not draft.thinking.startswith(sent.thinking) or bool(draft.thinking and not sent.thinking)
    if sent.turn != draft.turn or len(finished) < sent.blocks or anew:
        sent.turn, sent.blocks, sent.tail = draft.turn, len(finished), tail
        sent.meta, sent.thinking = html(draft_meta(draft)), draft.thinking
        yield partial("#draft", "outerHTML", html(draft_view(draft)))
        return
    meta = html(draft_meta(draft))
    if meta != sent.meta:
        sent.meta = meta
        yield partial("#draft-meta", "outerHTML", meta)
    if len(draft.thinking) > len(sent.thinking):
        new, sent.thinking = draft.thinking[len(sent.thinking) :], draft.thinking
        yield partial("#draft-thinking", "beforeend", html(Span(new)))
    if len(finished) > sent.blocks:
        new = "".join(html(Div(markdown(block))) for block in finished[sent.blocks :])
        sent.blocks = len(finished)
        yield partial("#draft-done", "beforeend", new)
    if tail != sent.tail:
        sent.tail = tail
        yield partial("#draft-tail", "innerHTML", str(markdown(tail, colours=False)))
