"""The chat: messages, stop, again; questions and proposals; which model answers."""

from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from ...errors import NotFound
from ...log import Fact
from ...models import GUIDE
from ...turn import answer
from ..answers import done, text_of
from .sessions import opened


def add(app: Any, site: Any) -> None:
    @app.post("/sessions/{sid}/messages")
    async def message(request: Request, sid: str) -> Response:
        handle = await opened(site, sid)
        await site.chat.say(handle, await text_of(request, "text"))
        return done(request, f"sessions/{sid}")

    @app.post("/sessions/{sid}/messages/stop")
    async def stop(request: Request, sid: str) -> Response:
        handle = await opened(site, sid)
        await site.chat.stop(handle)
        return done(request, f"sessions/{sid}")

    @app.post("/sessions/{sid}/messages/{turn}/again")
    async def again(request: Request, sid: str, turn: str) -> Response:
        handle = await opened(site, sid)
        await site.chat.again(handle, turn)
        return done(request, f"sessions/{sid}")

    @app.post("/sessions/{sid}/realign")
    async def realign(request: Request, sid: str) -> Response:
        handle = await opened(site, sid)
        await handle.write(lambda _: [Fact("user", "realigned")])
        return done(request, f"sessions/{sid}")

    @app.post("/sessions/{sid}/answers/{id}")
    async def answers(request: Request, sid: str, id: str) -> Response:
        handle = await opened(site, sid)
        form = await request.form()
        value = form.get("value")
        action = str(form.get("action") or "accept")
        await answer(site.chat, handle, id, action, str(value) if value is not None else None)
        return done(request, f"sessions/{sid}")

    @app.post("/sessions/{sid}/model")
    async def model(request: Request, sid: str) -> Response:
        handle = await opened(site, sid)
        name = await text_of(request, "model")
        known = {GUIDE, *(found.name for found in (await site.chat.look()).models)}
        if name not in known:
            raise NotFound(f"There is no model {name[:80]!r} here. There are: {', '.join(sorted(known))}.")
        if name != site.chat.model_of(handle.session()):
            await handle.write(lambda _: [Fact("user", "chose", {"model": name})])
        return done(request, f"sessions/{sid}")

    @app.get("/models")
    async def models(request: Request) -> Response:
        found = await site.chat.look()
        return JSONResponse(
            {
                "ollama": found.address,
                "version": found.version,
                "problem": found.problem,
                "notice": found.notice,
                "models": [
                    {
                        "name": m.name,
                        "tools": m.tools,
                        "thinking": m.thinking,
                        "size": m.size,
                        "context": m.context,
                    }
                    for m in found.models
                ],
            }
        )
