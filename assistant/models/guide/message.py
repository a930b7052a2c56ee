"""The user's words, understood: what is wanted, and the words that are left for values."""

from dataclasses import dataclass

from ...cards import Situation
from ...queries import tables_of
from ...words import labels_of, split
from .phrases import Intent, recognise, rest
from .questions import asked, of_results
from .topics import topic

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
    intents = _too_early(situation, _of_results(situation, intents))
    left = rest(situation.words, [i.span for i in intents if i.kind not in ("yes", "no")])
    intents = [i for i in intents if not _concludes(situation.words, i, intents)]
    return Message(situation.words, intents, left)


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
        here = [i for i in intents if i.span[0] < span[1] and span[0] < i.span[1]]
        known = any(i.kind != "search" and (not i.about or topic(situation, i.about)) for i in here)
        if (query.weak or not query.sql) and known:
            continue
        kept = [i for i in intents if i not in here]
        intents = [*kept, Intent("query" if query.sql else "unclear", query.sql or query.sentence, span)]
    return sorted(intents, key=lambda intent: intent.span)


def _too_early(situation: Situation, intents: list[Intent]) -> list[Intent]:
    """While a run is going, questions that only its results could answer are told so."""
    run = situation.session.run
    if run is None or run.state != "running":
        return intents
    return [
        Intent("unclear", TOO_EARLY, intent.span)
        if intent.kind in ("search", "meaning") and of_results(situation.words[slice(*intent.span)])
        else intent
        for intent in intents
    ]
