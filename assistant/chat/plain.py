"""What the user's words settle by themselves, whichever model is chosen: plain commands, and open questions.

"next", "yes"    ──▶  a command, which the guide's rules carry out
"red"            ──▶  answers the model's open question "Red or blue?"; the words still go to the model
an edited form   ──▶  what was asked and suggested after the earlier form lapses
"""

from ..log import Entry, Fact
from ..models.guide import recognise, rest
from ..session import Session
from .slash import parse

COMMANDS = frozenset("next skip back undo redo run start_over use_last".split())
ANSWERS = frozenset("yes no cancel decline".split())


def is_command(text: str, session: Session) -> bool:
    """Whether the whole message is a plain command ("next", "undo", "run it", "yes" to what is open).

    The guide's rules carry these out, whichever model is chosen: there is nothing in them to understand.
    """
    intents = recognise(text)
    asked = session.question is not None and session.question.get("about") is not None
    known = COMMANDS | (ANSWERS if asked or _only_open(session, text) else frozenset())
    if not intents or any(
        intent.kind not in known or (intent.kind == "decline" and intent.about) for intent in intents
    ):
        return False
    return not rest(text, [intent.span for intent in intents]).strip(" \n\t.,!?;")


def _only_open(session: Session, text: str) -> Entry | None:
    """The one suggestion or question of the guide that is open, where the user said nothing else since.

    A question of the model's own is none: what "yes" means to it only the model knows.
    """
    waiting = [*session.questions.values(), *session.proposals.values()]
    if len(waiting) != 1 or (waiting[0].did == "asked" and waiting[0].by == "model"):
        return None
    later = [e for e in session.chat if e.n > waiting[0].n and e.did == "said" and e.by == "user"]
    return waiting[0] if all(e.get("text") == text for e in later[-1:]) and len(later) < 2 else None


def withdrawn(session: Session, start: int) -> list[Fact]:
    """Questions and suggestions that came of words which are said anew lapse with them."""
    waiting = [*session.questions.items(), *session.proposals.items()]
    return [Fact("user", "answered", {"id": id, "action": "cancel"}) for id, e in waiting if e.n >= start]


def closed(session: Session, text: str) -> list[Fact]:
    """A message that answers the model's open question closes it; the words still go to the model."""
    question = session.question
    if question is None or question.get("about") is not None or is_command(text, session) or parse(text):
        return []
    options = [str(option).casefold() for option in question.get("options") or []]
    if options and text.casefold().rstrip(".!") not in options:
        return []
    return [Fact("user", "answered", {"id": question["id"], "action": "accept", "value": text[:200]})]
