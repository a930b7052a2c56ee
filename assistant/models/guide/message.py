"""The user's words, understood: what is wanted, and the words that are left for values."""

from dataclasses import dataclass

from ...cards import Situation, open_card
from ...queries import tables_of
from ...words import find, labels_of, quantities, read, split
from .context import asked_for, missing_of
from .keeping import kept
from .moving import unmoved
from .phrases import Intent, clauses_of, recognise, rest
from .questions import asked, of_results, rates, surely_of_results
from .session import whats_next
from .topics import named_fields, suggested, suggested_names, topic
from .verdicts import Verdict, verdicts

_ENDED = {"failed": "failed", "cancelled": "was cancelled", "interrupted": "was interrupted"}
_CLAUSES = 6  # beside what is said of a suggestion
TOO_EARLY = "The run is not finished yet; ask again when it is."


@dataclass(frozen=True)
class Message:
    """What is wanted (`intents`), and the words with the commands and questions blanked (`left`)."""

    words: str
    intents: list[Intent]
    left: str

    @property
    def kinds(self) -> set[str]:
        return {intent.kind for intent in self.intents}

    @property
    def beside_yes_or_no(self) -> str:
        """What is left without "yes", "no" and marks."""
        spans = [intent.span for intent in self.intents if intent.kind in ("yes", "no")]
        return rest(self.left, spans).strip(" .,!;")

    @property
    def bare(self) -> bool:
        """Whether the message is only "yes", or only "no"."""
        return len(self.kinds & {"yes", "no"}) == 1 and not self.beside_yes_or_no


def understand(situation: Situation) -> Message:
    """The words of the situation; a step or field to go to has to be one that there is."""
    labels = labels_of(situation.workflow.fields().values())
    found = recognise(situation.words, labels)
    intents = [i for i in found if i.kind != "goto" or topic(situation, i.about)]
    if any("model" in label for label in labels):
        intents = [i for i in intents if i.kind != "model"]  # that is a value here
    intents = _too_early(situation, _of_results(situation, _of_suggestions(situation, intents)))
    intents = _unmoved(situation, _kept(situation, intents))
    left = rest(situation.words, [i.span for i in intents if i.kind not in ("yes", "no")])
    intents = [i for i in intents if not _concludes(situation.words, i, intents)]
    return Message(situation.words, intents, left)


def _unmoved(situation: Situation, intents: list[Intent]) -> list[Intent]:
    """With why nothing comes of "double it", before anything was done in this turn."""
    for text, start, asks in split(situation.words) if not situation.results else ():
        span = (start, start + len(text))
        if not asks and not any(_overlap(i.span, span) for i in intents):
            told = unmoved(situation, text)
            intents = [*intents, *([Intent("unclear", told, span)] if told else [])]
    return sorted(intents, key=lambda intent: intent.span)


def _kept(situation: Situation, intents: list[Intent]) -> list[Intent]:
    """With "keep it at 3", which sets nothing anew; `about` are the parameters that are meant."""
    for text, start, asks in split(situation.words):
        for piece, at in () if asks else ((text, start), *clauses_of(text, start)):
            span = (at, at + len(piece))
            if any(_overlap(i.span, span) for i in intents):
                continue
            if (names := kept(situation, piece)) is not None:
                intents = [*intents, Intent("keep", " ".join(names), span)]
    return sorted(intents, key=lambda intent: intent.span)


def _of_suggestions(situation: Situation, intents: list[Intent]) -> list[Intent]:
    """With what is said of the open suggestions; `about` are the parameters that are meant."""
    taken: list[tuple[int, int]] = []
    for said in verdicts(situation.words) if suggested(situation) else ():
        if any(_overlap(said.span, span) for span in taken):
            continue
        meant = [] if _in_doubt(situation, said) else _meant(situation, said)
        taken += [said.span] if meant or said.but else []
        if meant:
            intents = [intent for intent in intents if not _overlap(intent.span, said.span)]
            intents += [Intent(kind, " ".join(names), said.span) for kind, names in meant]
    return sorted(intents, key=lambda intent: intent.span)


def _in_doubt(situation: Situation, said: Verdict) -> bool:
    """Whether "accept the width" stands beside a "but" or a number, where it is not told of what."""
    for text, start, _ in split(situation.words) if not said.all else ():
        if start <= said.span[0] < start + len(text):
            beside = [c for c in clauses_of(text, start) if not _overlap((c[1], c[1] + len(c[0])), said.span)]
            unclear = (_of_nothing(situation, piece, at) for piece, at in beside)
            return len(beside) > _CLAUSES or any(unclear)
    return False


def _of_nothing(situation: Situation, piece: str, at: int) -> bool:
    """Whether a clause that is led by "but", or has a number, names no field and says no value."""
    if situation.words[:at].split()[-1:] != ["but"] and not quantities(read(piece)):
        return False
    return not named_fields(situation, piece) and not find([*situation.workflow.fields().values()], piece)


def _overlap(one: tuple[int, int], other: tuple[int, int]) -> bool:
    return one[0] < other[1] and other[0] < one[1]


def _meant(situation: Situation, said: Verdict) -> list[tuple[str, list[str]]]:
    """What is accepted and what is dismissed, each by parameters; nothing where some of it is unclear."""
    every, asked = list(suggested(situation)), asked_for(situation)
    but = suggested_names(situation, said.but) if said.but else []
    named = every if said.all else suggested_names(situation, said.named)
    named = [name for name in named if name not in but]
    if not named or (said.but and not but) or (said.short and asked and asked not in every):
        return []
    other = "accept" if said.kind == "dismiss" else "dismiss"
    return [(kind, names) for kind, names in ((said.kind, named), (other, but)) if names]


def _concludes(words: str, intent: Intent, intents: list[Intent]) -> bool:
    """Whether "that's all" only leads to the next or run that is said, too."""
    said = words[slice(*intent.span)].lower()
    last = intent.kind == "next" and any(end in said for end in ("that's", "that\u2019s", "done"))
    return last and any(i.kind in ("next", "run", "skip") and i is not intent for i in intents)


def _of_results(situation: Situation, intents: list[Intent]) -> list[Intent]:
    """With questions about the tables of a finished run as queries; a question of a parameter stays one."""
    tables = tables_of(situation.session)
    for text, start, _ in split(situation.words) if tables else ():
        query, span = asked(text, tables), (start, start + len(text))
        if query is None:
            continue
        here = [i for i in intents if _overlap(i.span, span)]
        known = any(i.kind != "search" and (not i.about or topic(situation, i.about)) for i in here)
        if (query.weak or query.loose or not query.sql) and known and not query.firm:
            continue
        if query.loose and named_fields(situation, text):
            continue
        kept, kind = [i for i in intents if i not in here], "query" if query.sql else "unclear"
        intents = [*kept, Intent(kind, query.sql or query.sentence, span, query.note)]
    return sorted(intents, key=lambda intent: intent.span)


def _too_early(situation: Situation, intents: list[Intent]) -> list[Intent]:
    """With questions that only results could answer, where there are none, as such; they say no value."""
    if tables_of(situation.session):
        return intents
    for text, start, _ in split(situation.words):
        span = (start, start + len(text))
        here = [i for i in intents if _overlap(i.span, span)]
        open_ = all(i.kind in ("search", "meaning") or (i.kind == "range" and rates(text)) for i in here)
        asks = bool(here) and of_results(text) and not named_fields(situation, text)
        if open_ and (asks or surely_of_results(text)):
            intents = [*(i for i in intents if i not in here), Intent("unclear", no_results(situation), span)]
    return sorted(intents, key=lambda intent: intent.span)


def no_results(situation: Situation) -> str:
    """Why there are no results to ask of, and what is missing for them."""
    run = situation.session.run
    if run is not None and run.state == "running":
        return TOO_EARLY
    if run is None:
        return f"There are no results yet: nothing has run. {_to_run(situation)}"
    if run.state == "finished":
        return "The run made no table that could be asked."
    ended = _ENDED.get(run.state, run.state)
    return f"The run {ended}, so there are no results to ask of. {_to_run(situation)}"


def _to_run(situation: Situation) -> str:
    card = open_card(situation.cards)
    waiting = [c for c in situation.cards if c.state in ("locked", "stale") and c.step.when is None]
    later = [field.label for other in waiting for field in missing_of(other)]
    also = f" Also needed before a run: {', '.join(later)}." if later and card else ""
    return whats_next(situation) + also
