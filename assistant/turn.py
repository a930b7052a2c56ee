"""The control tower of the chat: who speaks when, with which model, and what is written at the end.

say ─▶ said (fsync) ─▶ answered 2xx          again, answer ─┐
  └─ meanwhile ─▶ line of the session ─▶ one turn at a time ◀┘ ─▶ chat/reply.py ─▶ said, or failed
                                            stop ─▶ closes the stream; what was said so far is kept
"""

import asyncio
import time
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

from loguru import logger

from . import live
from .actions import Outcome, new_id
from .actions.launch import start_run as launch
from .chat.errands import errand
from .chat.means import Means
from .chat.plain import closed, is_command, withdrawn
from .chat.preload import Preloader
from .chat.reply import guided, modelled, words_of
from .chat.seen import keep
from .chat.slash import Slash, parse
from .chat.stream import Reply
from .errors import AssistantError, Conflict, ModelError, NotFound, Refused
from .log import Fact
from .models import GUIDE, Catalogue
from .models.catalogue import catalogue
from .models.guide import recognise
from .models.ollama import Ollama
from .models.preferences import PreferencesFile
from .prompts import Prompts
from .session import Session
from .tools.desk import Desk, clean, words_that_count
from .tools.settle import LONGEST, StartRun, settle
from .workspace import Handle, Workspace

FRESH = 3.0  # seconds that a look at Ollama is good for
WATCH = 5.0  # seconds between looks while a page is open
BEAT = 0.5  # seconds between looks whether a card has opened


@dataclass
class _Job:
    """One turn to be made: `replaces` is the earlier reply where it is asked again."""

    turn: str
    on_disk: asyncio.Future[Any] | None = None
    replaces: int | None = None
    stop: asyncio.Event = field(default_factory=asyncio.Event)
    done: asyncio.Event = field(default_factory=asyncio.Event)


@dataclass
class _Line:
    """A session's turns: the one that is made now, and those that wait."""

    jobs: deque[_Job] = field(default_factory=deque)
    job: _Job | None = None
    task: asyncio.Task[None] | None = None


class Chat:
    """All chats of the program (a class: it has turns under way, a client, and what it saw of Ollama)."""

    def __init__(self, workspace: Workspace, start_run: StartRun = launch) -> None:
        self.workspace, self.start_run = workspace, start_run
        settings = workspace.settings
        self.means = Means(Ollama(settings), Prompts(settings.workspace), settings.bounds, settings.think)
        self.preloader = Preloader(self.means)
        self.preferences = PreferencesFile(settings.workspace)
        self.catalogue: Catalogue | None = None
        self._looked = 0.0
        self._looking = asyncio.Lock()
        self._lines: dict[str, _Line] = {}

    async def say(self, handle: Handle, text: str, replaces: int | None = None) -> str:
        """Appends the user's words and lets a turn answer them; returns its id once they are on disk.

        `replaces` is the message of which these are an edited form: it and what followed leave the prompt.
        """
        text = clean(text).strip()
        if not text:
            raise Refused(None, None, "The message is empty.")
        if len(text) > LONGEST:
            reason = f"A message has at most {LONGEST:,} characters; this one has {len(text):,}."
            raise Refused(None, None, reason)
        turn, appended = new_id("t"), asyncio.Event()

        def decide(session: Session) -> list[Fact]:
            appended.set()
            if replaces is not None:
                edited = {"text": text, "turn": turn, "replaces": replaces}
                return [Fact("user", "said", edited), *withdrawn(session, replaces)]
            return [Fact("user", "said", {"text": text, "turn": turn}), *closed(session, text)]

        # the model is asked while the line is being synced; nothing of the reply is written before
        writing = asyncio.ensure_future(handle.write(decide))
        waiting = asyncio.ensure_future(appended.wait())
        await asyncio.wait({writing, waiting}, return_when=asyncio.FIRST_COMPLETED)
        waiting.cancel()
        if writing.done():
            writing.result()
        self._enqueue(handle, _Job(turn, on_disk=writing))
        await asyncio.shield(writing)
        return turn

    def may_ask_again(self, handle: Handle, turn: str) -> None:
        """Raises NotFound, or Conflict where the words were edited or a reply to them is being written."""
        session = handle.session()
        words = words_of(session, turn)
        if words is None:
            raise NotFound(f"There is no message {turn[:40]!r} in this session.")
        if session.is_replaced(words.n):
            raise Conflict("This message was edited; ask the newer one again.")
        line = self._lines.get(handle.sid)
        if line and turn in {job.turn for job in [*line.jobs, *([line.job] if line.job else [])]}:
            raise Conflict("This message is being answered already.")

    async def again(self, handle: Handle, turn: str) -> str:
        """A new reply to the same words. Raises as `may_ask_again`."""
        self.may_ask_again(handle, turn)
        session = handle.session()
        replies = (e for e in reversed(session.chat) if e.did == "said" and e.by in ("model", "guide"))
        before = next((e.n for e in replies if e.get("turn") == turn), None)
        self._enqueue(handle, _Job(turn, replaces=before))
        return turn

    async def edit(self, handle: Handle, turn: str, text: str) -> str:
        """Says the words of `turn` anew and goes on from there; what is being answered after it is stopped.

        Raises NotFound, or Conflict where they were edited before.
        """
        session = handle.session()
        words = words_of(session, turn)
        if words is None:
            raise NotFound(f"There is no message {turn[:40]!r} in this session.")
        if session.is_replaced(words.n):
            raise Conflict("This message was edited already; edit the newer one.")
        await self.stop(handle)
        return await self.say(handle, text, words.n)

    async def stop(self, handle: Handle) -> bool:
        """Ends the reply that is being written, if there is one; returns when what it said is written."""
        line = self._lines.get(handle.sid)
        if line is None or line.job is None:
            return False
        line.job.stop.set()
        await line.job.done.wait()
        return True

    def running(self, sid: str) -> bool:
        """Whether a reply is being written or waits for its turn."""
        line = self._lines.get(sid)
        return line is not None and (line.job is not None or bool(line.jobs))

    async def idle(self, sid: str) -> None:
        """Waits until all replies of the session are written."""
        while (line := self._lines.get(sid)) and line.task:
            await asyncio.wait({line.task})

    def model_of(self, session: Session) -> str:
        """The session's model: its choice, its workflow's, the program's, the first local one with tools.

        Where there is none of them it is the guide. A workflow's model that is not there does not count.
        """
        found = self.catalogue.models if self.catalogue else ()
        own = self.preferences.now().workflows.get(session.workflow)
        if own and self.catalogue and own not in {GUIDE, *(m.name for m in found)}:
            own = None
        chosen = session.model or own or self.workspace.settings.model
        if chosen:
            return chosen
        return next((m.name for m in found if m.tools and not m.cloud), GUIDE)

    async def look(self, anew: bool = False) -> Catalogue:
        """What there is to pick from, at most a few seconds old; or as it is now."""
        async with self._looking:
            if anew or self.catalogue is None or time.monotonic() - self._looked > FRESH:
                found = await catalogue(self.means.ollama)
                if not self.workspace.settings.show_cloud:
                    found = replace(found, models=tuple(m for m in found.models if not m.cloud))
                if found != self.catalogue:  # what is equal stays the same object
                    self.catalogue = found
                self.means.learn(found)
                self._looked = time.monotonic()
            return self.catalogue

    async def watch(self, sids: Callable[[], Iterable[str]]) -> None:
        """While a page is open: notices that Ollama appears, goes or changes, and preloads prompts.

        Runs until it is cancelled.
        """
        self.means.prompts.warm()
        due = 0.0
        while True:
            open_ = list(sids())
            if open_ and time.monotonic() >= due:
                before, due = self.catalogue, time.monotonic() + WATCH
                if await self.look() is not before:
                    for sid in open_:
                        live.wake(sid)
            if open_:
                self.preload(open_)
            await asyncio.sleep(min(BEAT, WATCH))

    def preload(self, sids: Iterable[str]) -> bool:
        """Begins to preload the prompt of one of these sessions, if nobody speaks; whether it did."""
        if not self.workspace.settings.preload or self._lines or not self.catalogue:
            return False
        local = {m.name for m in self.catalogue.models if not m.cloud}
        for sid in sids:
            try:
                handle = self.workspace.open(sid)
                model = self.model_of(handle.session())
                if {model, f"{model}:latest"} & local and self.preloader.offer(handle, model):
                    return True
            except AssistantError:
                continue  # its page says so
        return False

    async def close(self) -> None:
        """Ends all turns without a word, and the connections."""
        tasks = [line.task for line in self._lines.values() if line.task]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await self.preloader.close()
        await self.means.ollama.close()

    # One turn at a time in a session

    def _enqueue(self, handle: Handle, job: _Job) -> None:
        line = self._lines.setdefault(handle.sid, _Line())
        line.jobs.append(job)
        if line.task is None or line.task.done():
            line.task = asyncio.create_task(self._work(handle, line))

    async def _work(self, handle: Handle, line: _Line) -> None:
        while line.jobs:
            job = line.job = line.jobs.popleft()
            try:
                await self._turn(handle, job)
            except AssistantError as error:  # the log takes no lines, or the session is gone
                logger.warning("The turn {} of {} was not written: {}", job.turn, handle.sid, error)
            except Exception as error:  # a fault of ours must not keep the turns that wait from their answers
                logger.opt(exception=error).error("The turn {} of {} broke.", job.turn, handle.sid)
            finally:
                line.job = None
                live.drafts.pop(handle.sid, None)
                live.wake(handle.sid)
                job.done.set()
        self._lines.pop(handle.sid, None)

    async def _turn(self, handle: Handle, job: _Job) -> None:
        if self.catalogue is None and not (handle.session().model or self.workspace.settings.model):
            await self.look()
        session = handle.session()
        words = words_of(session, job.turn)
        text = str(words.get("text")) if words else ""
        if words and session.is_replaced(words.n):
            return  # edited while it waited
        slash = parse(text)
        if slash and not slash.words:
            return await self._errand(handle, job, slash)
        text = slash.words if slash else text
        model = GUIDE if slash or is_command(text, session) else self.model_of(session)
        draft = live.drafts[handle.sid] = live.Draft(job.turn, model)
        live.wake(handle.sid)
        reply = Reply(job.turn, model, draft, job.replaces, job.on_disk)
        bounds = self.means.bounds
        reply.thinking_bytes = bounds.thinking_bytes
        if model != GUIDE:
            self.preloader.make_way(model)
        facts = await self._until_stopped(handle, reply, text, job.stop)
        await reply.may_write()
        if reply.asked:
            await asyncio.to_thread(keep, handle, reply.asked, bounds.prompts_kept)
        await handle.write(lambda _: facts)

    async def _errand(self, handle: Handle, job: _Job, slash: Slash) -> None:
        """A command of the chat that needs no reply of a model, nor of the guide."""
        found = (await self.look()).models if slash.name == "model" else ()
        session = handle.session()
        facts = errand(slash, session, job.turn, self.model_of(session), found)
        if job.on_disk is not None:
            await asyncio.shield(job.on_disk)
        await handle.write(lambda _: facts)

    async def _until_stopped(
        self, handle: Handle, reply: Reply, text: str, stop: asyncio.Event
    ) -> list[Fact]:
        """The lines that end the turn: what was said, stopped or not, or why it failed."""
        work = asyncio.create_task(self._reply(handle, reply, text))
        stopped = asyncio.create_task(stop.wait())
        try:
            await asyncio.wait({work, stopped}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            stopped.cancel()
            over = work.done()
            work.cancel()
            await asyncio.gather(work, return_exceptions=True)
        if not over:
            return [reply.said(reply.draft.text, stopped=True)]
        error = work.exception()
        if error is None:
            return reply.facts()
        return self._failed(handle, reply, error)

    async def _reply(self, handle: Handle, reply: Reply, text: str) -> None:
        session = handle.session()
        runs = any(intent.kind == "run" for intent in recognise(text))
        desk = Desk(
            handle, reply.turn, reply.by, words_that_count(session, reply.turn), self.start_run, runs,
            leave=partial(self._leave, session.workflow), most=self.means.bounds.calls,
            repairs=self.means.bounds.repairs,
        )  # fmt: skip
        if reply.model == GUIDE:
            await guided(self.means, handle, reply, desk, text)
        else:
            await modelled(self.means, handle, reply, desk, text)

    def _leave(self, workflow: str, reason: str, name: str, label: str) -> str:
        return self.means.prompts.render("refusal", workflow, reason=reason, name=name, label=label)

    def _failed(self, handle: Handle, reply: Reply, error: BaseException) -> list[Fact]:
        if isinstance(error, AssistantError):
            reason = str(error)
        else:
            logger.opt(exception=error).error("The turn {} of {} failed.", reply.turn, handle.sid)
            reason = f"The program failed as it answered ({type(error).__name__}). Ask again."
        said = [reply.said(reply.draft.text, incomplete=True)] if reply.draft.text else []
        reason = " ".join([*reply.notices, reason])
        fields = {"where": "model", "reason": clean(reason), "turn": reply.turn}
        if isinstance(error, ModelError):
            fields["kind"] = error.kind
        return [*said, Fact("app", "failed", fields)]


async def answer(
    chat: Chat,
    handle: Handle,
    id: str,
    action: str,
    value: str | None = None,
    by: str = "user",
    edited: Mapping[str, str] | None = None,
) -> Outcome:
    """Answers a question or a proposal; what follows (values, a run, the model going on) happens.

    Raises NotFound, Refused (no such action), or Conflict where it was answered already.
    """
    answered = await settle(handle, id, action, value, by, chat.start_run, edited)
    if answered.words:
        await chat.say(handle, answered.words)
    return answered.outcome
