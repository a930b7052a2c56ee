"""One or several of the choices that there are."""

from collections.abc import Callable, Sequence
from typing import Any

from .choices import Choice, choices_of
from .field import MISSING, Field
from .refusal import No, allowed, say
from .texts import entries_of
from .values import to_json

Inner = Callable[[Field, Any], Any]  # the judge of a part


class _Chooser:
    """The choices of a field, indexed once for all entries of a list."""

    def __init__(self, field: Field, offered: Sequence[Any] | None, inner: Inner) -> None:
        self.item, self.offered, self.inner = field.item, offered, inner
        known = choices_of(field, offered)
        self.free = known is None
        self.texts: dict[Any, Choice] = {}
        self.folded: dict[str, Choice | None] = {}
        for choice in known or ():
            self.texts.setdefault(choice.text, choice)
            if not isinstance(choice.json, str):
                self.texts.setdefault((isinstance(choice.json, bool), choice.json), choice)
        for choice in known or ():
            self.texts.setdefault(choice.label, choice)
            for said in (choice.text, choice.label, getattr(choice.value, "name", choice.text)):
                folded = said.strip().casefold()
                self.folded[folded] = choice if self.folded.get(folded, choice) is choice else None
        for said, meant in (field.ask.aliases or {}).items():
            if (choice_meant := self.find(to_json(meant))) is not None:
                self.folded.setdefault(said.strip().casefold(), choice_meant)

    def find(self, raw: Any) -> Choice | None:
        if isinstance(raw, str):
            return self.texts.get(raw) or self.folded.get(raw.strip().casefold())
        return self.texts.get((isinstance(raw, bool), raw)) if isinstance(raw, int | float) else None

    def choose(self, field: Field, raw: Any) -> Any:
        found = None if self.free else self.find(raw)
        if found is None and self.item is not None:
            try:  # another way to write it, such as 1.50 for 1.5
                value = self.inner(self.item, raw)
            except No:
                if self.free:
                    raise
                value = MISSING
            if self.free:
                return value
            found = None if value is MISSING else self.find(to_json(value))
        if found is None:
            raise No(f"{field.label} is {allowed(field, self.offered)}; {say(raw)} was not taken.")
        if found.value is not MISSING or self.item is None:
            return found.value
        return self.inner(self.item, found.json)


def choice(field: Field, raw: Any, offered: Sequence[Any] | None, inner: Inner) -> Any:
    return _Chooser(field, offered, inner).choose(field, raw)


def choices(field: Field, raw: Any, offered: Sequence[Any] | None, inner: Inner) -> Any:
    assert field.item is not None
    chooser = _Chooser(field.item, offered, inner)
    entries = [raw] if isinstance(raw, str) and chooser.find(raw) else entries_of(field, raw)
    if isinstance(raw, str) and len(entries) == 1 and not chooser.free and not chooser.find(entries[0]):
        parts = [part for part in str(entries[0]).split(",") if part.strip()]
        entries = parts if len(parts) > 1 else entries
    return field.container(
        [
            None if entry is None and field.item.optional else chooser.choose(field.item, entry)
            for entry in entries
        ]
    )
