"""What the views of a session draw: everything they need, gathered beforehand."""

from dataclasses import dataclass, field
from typing import Any

from ...actions.outdated import Outdated
from ...cards import Card, help_due, open_card
from ...live import Draft
from ...log import Entry
from ...models import GUIDE, Catalogue
from ...models.preferences import Suggestion
from ...record.moment import Moment
from ...session import Session
from ...workflow import Workflow
from ...workspace import Summary


@dataclass(frozen=True)
class Shown:
    """A session as it is drawn. `at` is an earlier entry, and then nothing can be changed.

    `typed` is a refused form as it was sent, `problem` what keeps the session from being used.
    """

    sid: str
    session: Session
    flow: Workflow | None
    cards: list[Card] = field(default_factory=list)
    name: str = ""
    at: int | None = None
    problem: str | None = None
    damaged: bool = False
    last_good: int = 0
    last: int = 0
    draft: Draft | None = None
    progress: dict[str, Any] | None = None
    catalogue: Catalogue | None = None
    model: str = GUIDE
    sessions: list[Summary] = field(default_factory=list)
    typed: dict[str, dict[str, Any]] = field(default_factory=dict)
    upload_bytes: int = 0
    suggested: tuple[Suggestion, ...] = ()
    reread: bool = False  # older messages alone, of which a change can still be taken back
    edit: Entry | None = None  # the user's message that is being said anew
    outdated: Outdated | None = None  # what a changed file of the workflow means
    moment: Moment | None = None  # the entry that is shown, among all
    kin: list[Summary] = field(default_factory=list)  # the sessions that it came from or that came of it

    @property
    def address(self) -> str:
        return f"sessions/{self.sid}"

    @property
    def heading(self) -> str:
        """The session and its workflow, as the tab's title has it."""
        title = self.session.title
        return title if self.name == title else f"{self.name} · {title}"

    @property
    def fixed(self) -> bool:
        """Nothing can be changed: an earlier entry, a damaged log, a workflow that is gone."""
        return self.at is not None or self.problem is not None

    @property
    def open(self) -> Card | None:
        return open_card(self.cards)

    @property
    def help_due(self) -> bool:
        return not self.fixed and help_due(self.session, self.open)

    @property
    def busy(self) -> bool:
        """Something is under way that the page will show."""
        run = self.session.run
        return self.draft is not None or bool(run and run.state == "running")
