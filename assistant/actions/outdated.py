"""Whether a session's values still fit its workflow's file, which may have changed; remembered."""

from dataclasses import dataclass
from weakref import WeakKeyDictionary

from ..errors import ReadOnly
from ..parameters import Place
from ..session import Session
from ..workflow import Workflow
from ..workspace import Handle
from .fitting import Misfit, misfits

TO_DO = ("refused", "missing", "new")  # what keeps a run from starting


@dataclass(frozen=True)
class Outdated:
    """What does not fit any more. `adopted`: a card was opened or a run made with the file as it is."""

    misfits: tuple[Misfit, ...]
    adopted: bool


_known: WeakKeyDictionary[Handle, tuple[tuple[str, int, int], Outdated | None]] = WeakKeyDictionary()


def outdated(handle: Handle, session: Session, flow: Workflow) -> Outdated | None:
    """What a changed file means for the session as it is now; None where there is nothing to say.

    It calls no function of the workflow.
    """
    if session.began.get("source") in (None, flow.digest) and session.source in ("", flow.digest):
        return None
    key = (flow.digest, handle.log.generation, session.n)
    known = _known.get(handle)
    if known is None or known[0] != key:
        known = _known[handle] = (key, _outdated(handle, session, flow))
    return known[1]


def _outdated(handle: Handle, session: Session, flow: Workflow) -> Outdated | None:
    try:
        place, unknown = handle.place(), list[str]()
    except ReadOnly:  # where a secret is needed, its card says that it can not be read
        secrets = [name for name, value in session.values.items() if value == {"secret": True}]
        place, unknown = Place(files=handle.files), secrets
    found = [each for each in misfits(session, flow, place, unknown) if each.kind != "altered"]
    if session.source != flow.digest:
        return Outdated(tuple(found), False)
    left = tuple(each for each in found if each.kind in TO_DO)
    return Outdated(left, True) if left else None
