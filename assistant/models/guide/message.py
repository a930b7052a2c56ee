"""The user's words, understood: what is wanted, and the words that are left for values."""

from dataclasses import dataclass

from ...cards import Situation
from .phrases import Intent, recognise, rest
from .topics import topic


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
    intents = [i for i in recognise(situation.words) if i.kind != "goto" or topic(situation, i.about)]
    left = rest(situation.words, [i.span for i in intents if i.kind not in ("yes", "no")])
    return Message(situation.words, intents, left)
