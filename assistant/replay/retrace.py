"""Fills a copy of a session card by card as it was filled, and compares what the cards and their bodies say.

It goes through the real actions, so it sees whether a card is asked, its choices and its defaults, why its
body refuses, and what that derives.
"""

from collections.abc import Mapping

from ..actions import complete
from ..actions.fitting import CLOSED, Misfit, misfits, not_offered, text_of, told_apart
from ..cards import Card, cards, open_card
from ..parameters import MISSING, show
from ..session import Session
from ..workflow import Step
from ..workspace import Handle


class Walk:
    """One walk through the cards (a class: it collects what it finds)."""

    def __init__(self, session: Session, handle: Handle, unknown: Mapping[str, str]) -> None:
        self.session, self.handle, self.unknown = session, handle, unknown
        self.flow = handle.workflow()
        self.found = misfits(session, self.flow, handle.place(), unknown)
        self.untold: list[str] = []

    async def go(self) -> None:
        """Completes card by card what the session had completed, then compares."""
        while card := open_card(cards(self.handle.session(), self.flow)):
            then = self.session.status(card.step.name)
            is_new = any(m.step == card.step.name and m.kind in ("missing", "new") for m in self.found)
            if not is_new and (then is None or then.did not in CLOSED):
                break
            self._compare_opened(card)
            if not await self._complete(card):
                later = self.flow.steps[self.flow.steps.index(card.step) + 1 :]
                if any((s := self.session.status(step.name)) and s.did in CLOSED for step in later):
                    self.untold.append(f"The cards after “{card.step.question}” were not replayed.")
                break
        self._compare_ended()

    def _add(self, kind: str, name: str, sentence: str, step: Step) -> None:
        known = {each.kind for each in self.found if (each.name, each.step) == (name, step.name)}
        if not known & {kind, "refused", "missing", "new"}:  # said already
            self.found.append(Misfit(kind, name, sentence, step.name))

    def _compare_opened(self, card: Card) -> None:
        """The choices and the defaults that the card has now, beside those that it had."""
        for field in card.step.fields:
            if told := not_offered(self.session, card.step, field, card.offered.get(field.name, ())):
                self._add("choices", field.name, told, card.step)
            value, default = self.session.values.get(field.name), card.defaults.get(field.name)
            if self.session.origins.get(field.name) == "default" and text_of(default) != text_of(value):
                now, was = told_apart(field, default, value)
                told = f"The default of {field.label} is {now} now, not {was}."
                self._add("default", field.name, told, card.step)
        failure = self.handle.session().failures.get(card.step.name)
        if failure and card.step.name not in self.session.failures:
            self._add("failed", "", str(failure.get("reason")), card.step)

    async def _complete(self, card: Card) -> bool:
        """Whether the card could be completed with the session's values."""
        step = card.step
        old = {m.heir: m.name for m in self.found if m.kind == "renamed"}
        values = {f.name: self.session.values.get(old.get(f.name, f.name)) for f in step.fields}
        given = {f.name: values[f.name] for f in step.fields if values[f.name] is not None}
        given |= {
            f.name: None for f in step.fields if f.optional and self.session.values.get(f.name, 0) is None
        }
        outcome = await complete(self.handle, step.name, given, "cli")
        if not outcome.refused:
            return True
        if blind := [name for name in given if name in self.unknown]:
            self.untold.append(f"“{step.question}” could not be replayed without {', '.join(blind)}.")
        else:
            for name, why in outcome.refused.items():
                told = why if name else f"“{step.question}” is refused now: {why}"
                self._add("refused", name or "", told, step)
        return False

    def _compare_ended(self) -> None:
        """Which cards are asked, and the values, where both have them."""
        now = self.handle.session()
        differ = set[str]()
        for step in self.flow.steps:
            was, is_ = self.session.status(step.name), now.status(step.name)
            if was and is_ and {was.did, is_.did} == set(CLOSED):
                differ.add(step.name)
                told = (
                    "was skipped and is asked now" if was.did == "skipped" else "was asked and is skipped now"
                )
                self._add(
                    "asked" if was.did == "skipped" else "skipped", "", f"“{step.question}” {told}.", step
                )
        for name in dict.fromkeys([*self.session.values, *now.values]):
            step_now = self.flow.step_of(name)
            if step_now is None:
                self._compare_derived(name, now)
            elif name in now.values and name in self.session.values and step_now.name not in differ:
                a, b, field = self.session.values[name], now.values[name], step_now.field(name)
                if text_of(a) != text_of(b):
                    new, old = told_apart(field, b, a)
                    self._add("altered", name, f"{name} is {new} now; it was {old}.", step_now)

    def _compare_derived(self, name: str, now: Session) -> None:
        setting = now.setting(name) or self.session.setting(name)
        step = self.flow.find(str(setting.step)) if setting else None
        derived = "workflow" in (now.origins.get(name), self.session.origins.get(name))
        if derived and step is None and name not in now.values:
            told = f"The card that derived {name} is gone; it was {show(None, self.session.values[name])}."
            self.found.append(Misfit("derived", name, told))
        if step is None or not derived or not now.status(step.name):
            return
        was, is_ = self.session.values.get(name, MISSING), now.values.get(name, MISSING)
        if is_ is MISSING:
            self._add("derived", name, f"{name} is not derived any more; it was {show(None, was)}.", step)
        elif was is MISSING:
            if (status := self.session.status(step.name)) and status.did == "advanced":
                self._add("derived", name, f"{name} is derived now: {show(None, is_)}.", step)
        elif text_of(was) != text_of(is_):
            new, old = told_apart(None, is_, was)
            self._add("derived", name, f"{name}, which is derived, is {new} now; it was {old}.", step)
