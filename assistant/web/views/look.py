"""How the record is looked at, and the addresses that keep it so."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from ...log import Entry
from ...parameters import Field
from ...record.account import Account, Told, Value, Wanted, values_told, window
from ...session import Session
from .shown import Shown

MESSAGES, ROWS = 120, 120  # drawn at once


@dataclass(frozen=True)
class Look:
    """The record of `shown` up to an entry, as far as it is `wanted`, around entry `near`.

    `now` is the session as it is by now: notes, and replies that were replaced later, are shown at any entry.
    Of `messages` and `values`, what stands in these windows is drawn; `ids` are the places of that on the
    page. `spoken`: the user's words, by turn. `marked`: the entry `at`, and what its message tells of.
    """

    shown: Shown
    account: Account
    wanted: Wanted
    now: Session
    near: int | None
    chosen: list[Entry]
    messages: list[Told]
    values: list[Value]
    totals: Mapping[str, int]
    messages_drawn: slice
    values_drawn: slice
    spoken: Mapping[str, int]
    fields: Mapping[str, Field]
    ids: frozenset[str]
    marked: frozenset[int]

    def href(self, mark: str = "", **changes: Any) -> str:
        """The record's address with these changes; `mark` is where on the page."""
        query = {**vars(self.wanted), "near": self.near, "at": self.shown.at} | changes
        text = urlencode({key: value for key, value in query.items() if value})
        return f"{self.shown.address}/record{'?' if text else ''}{text}{'#' if mark else ''}{mark}"

    def to(self, mark: str) -> str:
        """The address of `c{n}` or `p{n}`: on this page if it is drawn, else on one where it is."""
        if mark in self.ids:
            return self.href(mark)
        return self.href(mark, who="", what="", step="", text="", near=mark[1:])

    @property
    def can_write(self) -> bool:
        return self.shown.problem is None

    def is_at(self, entry: Entry) -> bool:
        return entry.n in self.marked


def look_at(shown: Shown, account: Account, now: Session, wanted: Wanted, near: int | None) -> Look:
    """Chooses what is wanted, and of that what is drawn."""
    chosen = account.chosen(wanted)
    messages = account.messages(chosen, wanted)
    values = told = values_told(account.entries)
    if wanted:
        numbers = {entry.n for entry in chosen}
        values = [value for value in told if value.entry.n in numbers and value.is_by(wanted.who)]
    drawn = window([entry.n for entry, _ in messages], near, MESSAGES)
    rows = window([value.entry.n for value in values], near, ROWS)
    ids = {f"c{each.n}" for entry, changes in messages[drawn] for each in (entry, *changes)}
    ids |= {f"p{value.entry.n}" for value in values[rows]}
    return Look(
        shown,
        account,
        wanted,
        now,
        near,
        chosen,
        messages,
        values,
        {value.name: value.number for value in told if value.number},
        drawn,
        rows,
        account.spoken(),
        shown.flow.fields() if shown.flow else {},
        frozenset(ids),
        frozenset(_marked(messages[drawn], shown.at)),
    )


def _marked(messages: list[Told], at: int | None) -> list[int]:
    """The entry, and the changes that its message tells of."""
    if at is None:
        return []
    return [at, *[change.n for entry, changes in messages if entry.n == at for change in changes]]
