"""Which models an Ollama has, what is loaded, and getting and deleting models.

Listing reads the wire itself, as the `ollama` package drops capabilities, names and windows from it.
Pulling, deleting and what is loaded go through the package, imported as late as that, as it loads slowly.
"""

import asyncio
import re
from collections.abc import AsyncGenerator, Iterator
from contextlib import aclosing, contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

import httpx

from assistant.errors import ModelError
from assistant.models import Catalogue, ModelInfo
from assistant.models.failures import cloud_refused, short, told_failure
from assistant.models.ollama import Ollama, trained_context
from assistant.models.wire import is_cloud, is_loopback

if TYPE_CHECKING:
    from ollama import AsyncClient

OLDEST = (0, 12, 10)
AT_ONCE = 4  # questions to /api/show at one time
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:/-]{0,199}")


@dataclass(frozen=True)
class Loaded:
    """A model in memory: its size (bytes), its window as it really is (tokens), until when it stays."""

    name: str
    size: int | None = None
    context: int | None = None
    until: datetime | None = None


@dataclass(frozen=True)
class Pulling:
    """How far a pull is, in bytes of the present part (after a retry it can go down). The last is `done`."""

    status: str
    completed: int | None = None
    total: int | None = None
    done: bool = False


async def catalogue(ollama: Ollama) -> Catalogue:
    """What there is to pick from. Never raises: without an Ollama it says so in `problem`.

    Models that can not chat are left out; those of the vendor's cloud are marked.
    """
    try:
        told, tags = await asyncio.gather(ollama.ask("GET", "/api/version"), ollama.ask("GET", "/api/tags"))
    except ModelError as error:
        return Catalogue(ollama.address, problem=str(error))
    version = told.get("version") if isinstance(told.get("version"), str) else None
    models = tags.get("models")
    listed = [each for each in models if isinstance(each, dict)] if isinstance(models, list) else []
    gate = asyncio.Semaphore(AT_ONCE)
    found = await asyncio.gather(*(_info(ollama, each, gate) for each in listed))
    offered = sorted((each for each in found if each), key=lambda each: each.name)
    return Catalogue(ollama.address, tuple(offered), version, notice=_notice(ollama.address, version))


async def _info(ollama: Ollama, tag: dict[str, Any], gate: asyncio.Semaphore) -> ModelInfo | None:
    """One model of /api/tags; None if it has no name or can not chat."""
    name = tag.get("name") or tag.get("model")
    if not isinstance(name, str):
        return None
    details = tag.get("details")
    context = _count(details.get("context_length")) if isinstance(details, dict) else None
    capabilities = tag.get("capabilities")
    cloud = is_cloud(name) or bool(tag.get("remote_host") or tag.get("remote_model"))
    if not cloud and (context is None or not isinstance(capabilities, list)):
        shown = await _show(ollama, name, tag.get("digest"), gate)
        context = context or trained_context(shown)
        capabilities = capabilities if isinstance(capabilities, list) else shown.get("capabilities")
    known = capabilities if isinstance(capabilities, list) and capabilities else None
    if known and "completion" not in known:
        return None
    return ModelInfo(
        name=name,
        tools="tools" in known if known else None,
        thinking="thinking" in known if known else None,
        size=_count(tag.get("size")),
        context=context,
        cloud=cloud,
    )


async def _show(ollama: Ollama, name: str, digest: Any, gate: asyncio.Semaphore) -> dict[str, Any]:
    """The answer of /api/show, asked once per digest; {} if this one model can not be shown."""
    if isinstance(digest, str) and digest in ollama.shown:
        return ollama.shown[digest]
    try:
        async with gate:
            answer = await ollama.ask("POST", "/api/show", {"model": name})
    except ModelError:
        return {}
    kept: dict[str, Any] = {key: answer[key] for key in ("capabilities", "model_info") if key in answer}
    if isinstance(digest, str) and digest:
        ollama.shown[digest] = kept
    return kept


def _count(value: Any) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) and value > 0 else None


def _notice(address: str, version: str | None) -> str | None:
    notices = []
    numbers = re.match(r"(\d+)\.(\d+)\.(\d+)", version or "")
    if numbers and (0, 0, 0) < tuple(int(each) for each in numbers.groups()) < OLDEST:
        oldest = ".".join(str(each) for each in OLDEST)
        notices.append(f"Ollama is {version}; some things need {oldest} or newer. Please update it.")
    if not is_loopback(address):
        notices.append(f"Ollama is not on this machine: what is said in the chat goes to {address}.")
    return " ".join(notices) or None


async def loaded(ollama: Ollama) -> tuple[Loaded, ...]:
    """The models in memory. One that is still loading is not among them. Raises ModelError."""
    async with _package(ollama) as client:
        with _told(ollama, ""):
            answer = await client.ps()
    return tuple(
        Loaded(each.name or each.model or "", each.size, each.context_length, each.expires_at)
        for each in answer.models
    )


async def is_loaded(ollama: Ollama, model: str) -> bool | None:
    """Whether the model is in memory; None where that is not known. Without the package, for speed."""
    try:
        answer = await ollama.ask("GET", "/api/ps")
    except ModelError:
        return None
    models = answer.get("models")
    listed = [each for each in models if isinstance(each, dict)] if isinstance(models, list) else []
    names = {each.get(key) for each in listed for key in ("name", "model")}
    return model in names or f"{model}:latest" in names


async def pull(ollama: Ollama, name: str) -> AsyncGenerator[Pulling, None]:
    """Get a model. Closing the iterator stops it; a second pull goes on from there. Raises ModelError."""
    check_name(ollama, name)
    async with _package(ollama) as client:
        with _told(ollama, name):
            async with aclosing(await client.pull(name, stream=True)) as lines:
                async for line in lines:
                    done = line.status == "success"
                    yield Pulling(line.status or "", line.completed, line.total, done)
                    if done:
                        return
    told = f"The download of {name} broke off. Start it again: it goes on where it stopped."
    raise ModelError("incomplete", told)


async def delete(ollama: Ollama, name: str) -> None:
    """Delete a model. Raises ModelError, "not_found" if there is none of that name."""
    from ollama import ResponseError

    check_name(ollama, name)
    async with _package(ollama) as client:
        with _told(ollama, name):
            try:
                await client.delete(name)
            except ResponseError as error:
                if error.status_code != 404:
                    raise
                told = f"There is no model {name} here. It may have been deleted already."
                raise ModelError("not_found", told) from None


def check_name(ollama: Ollama, name: str) -> None:
    """Raises ModelError for what is no name, and for a model of the vendor's cloud where it is hidden."""
    if not NAME.fullmatch(name):
        raise ModelError("bad_request", f"{name[:80]!r} is no name of a model. A name looks like qwen3:4b.")
    if is_cloud(name) and not ollama.settings.show_cloud:
        raise cloud_refused(name)


def _package(ollama: Ollama) -> "AsyncClient":
    from ollama import AsyncClient

    def anonymous(request: httpx.Request) -> httpx.Request:
        request.headers.pop("Authorization", None)  # the package sends OLLAMA_API_KEY to whatever listens
        return request

    timeout = httpx.Timeout(connect=3.0, write=30.0, read=600.0, pool=None)
    return AsyncClient(
        ollama.address,
        timeout=timeout,
        trust_env=False,
        verify=ollama.address.startswith("https:"),
        follow_redirects=False,
        auth=anonymous,
    )


@contextmanager
def _told(ollama: Ollama, name: str) -> Iterator[None]:
    """Turn what the package raises into a ModelError."""
    from ollama import ResponseError

    try:
        yield
    except ResponseError as error:
        raise _failure(error.status_code, str(error.error), name, ollama.address) from None
    except httpx.HTTPError as error:
        raise ollama.broken(error) from None
    except ConnectionError:
        raise ollama.broken(httpx.ConnectError("")) from None
    except (ValueError, AttributeError, TypeError):  # how the package fails at an answer that is not Ollama's
        told = f"What answers at {ollama.address} does not speak as Ollama does. Check OLLAMA_HOST."
        raise ModelError("not_json", told) from None


def _failure(status: int, text: str, name: str, address: str) -> ModelError:
    """An error of the package, which has taken the text out of its JSON; -1 is an error within a stream."""
    if "file does not exist" in text:
        return ModelError("not_found", f"There is no model {name} to get. Look at how its name is spelt.")
    if status == -1:
        told = f"{name} could not be fetched: {short(text)}. Start it again: it goes on where it stopped."
        return ModelError("stream_error", told)
    return told_failure(status, text.strip(), name, address)
