"""What the user's words settle by themselves, whichever model is chosen: plain commands, and open questions.

"next", "yes"    ──▶  a command, which the guide's rules carry out
"accept all"     ──▶  so are the words that settle what is suggested
"red"            ──▶  answers the model's open question "Red or blue?"; the words still go to the model
an edited form   ──▶  what was asked and suggested after the earlier form lapses
"""

from ..log import Entry, Fact
from ..models.guide import recognise, rest
from ..models.guide.verdicts import is_plain, settles_all
from ..session import Session
from .slash import parse

COMMANDS = frozenset("next skip back undo redo run start_over use_last".split())
ANSWERS = frozenset("yes no cancel decline".split())


def is_command(text: str, session: Session) -> bool:
    """Whether the whole message is a plain command ("next", "undo", "run it", "yes" to what is open).

    The guide's rules carry these out, whichever model is chosen: there is nothing in them to understand.
    """
    if _has_closed(text, session):
        return False
    if _settles(text, session):
        return True
    intents = recognise(text)
    asked = session.question is not None and session.question.get("about") is not None
    known = COMMANDS | (ANSWERS if asked or _just_asked(session, text) else frozenset())
    if not intents or any(
        intent.kind not in known or (intent.kind == "decline" and intent.about) for intent in intents
    ):
        return False
    return not rest(text, [intent.span for intent in intents]).strip(" \n\t.,!?;")


def _has_closed(text: str, session: Session) -> bool:
    """Whether these words were an answer to the model's question, which they closed as they were said."""
    said = (e for e in reversed(session.chat) if e.did == "said" and e.by == "user")
    own = next((entry for entry in said if entry.get("text") == text), None)
    return own is not None and any(
        answer.at == own.at and answer.n > own.n and answer.get("value") == text[:200]
        for answer in session.answers.values()
    )


def _settles(text: str, session: Session) -> bool:
    """Whether the words accept or dismiss what is suggested on the open card.

    "None of them" may be said of other things, too, so it counts only right after the suggestions.
    """
    if not _on_open_card(session) or any(_is_the_models(e) for e in session.questions.values()):
        return False
    return is_plain(text) or (settles_all(text) and _just_asked(session, text))


def _on_open_card(session: Session) -> bool:
    return any(e.get("step") == session.last_opened for e in session.proposals.values())


def _is_the_models(waiting: Entry) -> bool:
    """Whether it is a question of the model's own: what "yes" means to it only the model knows."""
    return waiting.did == "asked" and waiting.by == "model" and waiting.get("about") is None


def _just_asked(session: Session, text: str) -> bool:
    """Whether a question of the guide or suggestions are open, and the user said nothing else since."""
    waiting = [*session.questions.values(), *session.proposals.values()]
    if not waiting or any(_is_the_models(each) for each in waiting):
        return False
    if len(waiting) > 1 and (session.questions or not _on_open_card(session)):
        return False
    first = min(each.n for each in waiting)
    later = [e for e in session.chat if e.n > first and e.did == "said" and e.by == "user"]
    return all(e.get("text") == text for e in later[-1:]) and len(later) < 2


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
