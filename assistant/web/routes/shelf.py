"""What is done with a session as a whole, or with several: name, pin, archive, delete, and undo of that."""

from typing import Any

from starlette.datastructures import QueryParams
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from ...errors import AssistantError, Conflict, Refused
from ...log import Fact
from ...workspace import Handle
from ...workspace.summaries import name_of
from ..answers import done, page_answer, prefix_of, text_of
from ..views.base import problem_page
from ..views.sessions import address_of
from .home import wish_of
from .sessions import opened

MOST = 1_000  # sessions in one form
SWITCHES = {
    "pin": ("pinned", True),
    "unpin": ("pinned", False),
    "archive": ("archived", True),
    "unarchive": ("archived", False),
}


def add(app: Any, site: Any) -> None:
    @app.post("/sessions/bulk")
    async def bulk(request: Request) -> Response:
        """`action` on each `sid`; what did not work is said, the others are done."""
        action = await text_of(request, "action")
        form = await request.form()
        sids = list(dict.fromkeys(str(sid) for sid in form.getlist("sid")))[:MOST]
        if action not in (*SWITCHES, "delete", "undelete"):
            raise Refused("action", action, "it is pin, unpin, archive, unarchive, delete or undelete.")
        if not sids:
            raise Refused(None, None, "No session is ticked, so nothing was done. Tick some and try again.")
        problems = []
        for sid in sids:
            try:
                await act(site, sid, action)
            except AssistantError as error:
                problems.append(str(error))
        if problems:
            count = len(sids) - len(problems)
            sentence = f"Done with {count} of {len(sids)} sessions. " + " ".join(dict.fromkeys(problems[:5]))
            return page_answer(problem_page(prefix_of(request), "Not all of it worked", sentence), 409)
        return await to_list(request)

    @app.post("/sessions/{sid}/name")
    async def name(request: Request, sid: str) -> Response:
        handle = await opened(site, sid)
        text = " ".join((await text_of(request, "name")).split())[:120]
        if not text:
            raise Unnamed("A name needs at least one letter.")
        await handle.write(lambda _: [Fact("user", "named", {"name": text})])
        return await back(request, f"sessions/{sid}")

    @app.post("/sessions/{sid}/pin")
    async def pin(request: Request, sid: str) -> Response:
        await switch(await opened(site, sid), "pinned", await is_on(request))
        return await back(request, f"sessions/{sid}")

    @app.post("/sessions/{sid}/archive")
    async def archive(request: Request, sid: str) -> Response:
        await switch(await opened(site, sid), "archived", await is_on(request))
        return await back(request, f"sessions/{sid}")

    @app.post("/sessions/{sid}/delete")
    async def delete(request: Request, sid: str) -> Response:
        await discard(site, sid)
        return await to_list(request)

    @app.post("/sessions/{sid}/undelete")
    async def undelete(request: Request, sid: str) -> Response:
        site.trash.take_back(sid)
        return RedirectResponse(f"{prefix_of(request)}/sessions/{sid}", 303)


async def act(site: Any, sid: str, action: str) -> None:
    """One of the actions on one session. AssistantError where it can not be done."""
    if action == "delete":
        await discard(site, sid)
    elif action == "undelete":
        site.trash.take_back(sid)
    else:
        handle = await opened(site, sid)
        await switch(handle, *SWITCHES[action])
        handle.log.close()  # a thousand sessions at once must not keep two thousand descriptors


async def switch(handle: Handle, did: str, on: bool) -> None:
    await handle.write(lambda _: [Fact("user", did, {"on": on})])


async def discard(site: Any, sid: str) -> None:
    """Deletes a session that can be brought back for a while. Conflict where it runs."""
    handle = await opened(site, sid)
    name = idle_name(handle)
    await site.chat.stop(handle)
    idle_name(handle)  # a reply may have started a run meanwhile
    site.trash.throw(sid, name)


def idle_name(handle: Handle) -> str:
    """The name of a session; Conflict where a run of it is under way."""
    session = handle.session()
    name = session.name or name_of(session) or handle.sid
    if session.run and session.run.state == "running":
        raise Conflict(f"A run of “{name}” is under way. Cancel it, then delete the session.")
    return name


async def is_on(request: Request) -> bool:
    return await text_of(request, "on") not in ("false", "off", "0")


async def back(request: Request, address: str) -> Response:
    """To the list where the form came from there, else as after every change."""
    form = await request.form()
    if "back" not in form:
        return done(request, address)
    return await to_list(request)


async def to_list(request: Request) -> Response:
    """To the list: as the form's `back` has it, of which only what a list can be asked for is kept."""
    query = (await request.form()).get("back")
    if not isinstance(query, str):
        return RedirectResponse(f"{prefix_of(request)}/", 303)
    address = address_of(wish_of(QueryParams(query[:1_000]))).removeprefix(".")
    return RedirectResponse(f"{prefix_of(request)}/{address}#sessions", 303)


class Unnamed(AssistantError):
    status = 422
