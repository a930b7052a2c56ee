"""Ollama's wire as pure functions: its address, what goes out, and what comes in."""

import ipaddress
import json
import re
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import urlsplit

from pydantic_core import from_json

from assistant.errors import ModelError
from assistant.models import Call, Delta, Done, Request
from assistant.models.failures import not_sent, short
from assistant.models.repair import parse_arguments

PORT = 11434
SAMPLING = {"temperature", "top_p", "top_k", "min_p", "seed", "num_predict", "repeat_penalty", "stop"}

_NANOSECONDS = 1_000_000_000


def parse_host(text: str) -> str:
    """The base address that OLLAMA_HOST means, in any of its forms: "", "host", ":port", "http://host:port/".

    0.0.0.0 and [::] are where a server listens; a client goes to the loopback address instead.
    """
    text = text.strip().strip("\"'").rstrip("/")
    scheme, separator, rest = text.partition("://")
    if not separator:
        scheme, rest = "http", text
    if scheme not in ("http", "https"):
        raise ValueError(f"OLLAMA_HOST is {text!r}: it must begin with http:// or https://, or be a host.")
    if rest.count(":") > 1 and not rest.startswith("["):
        rest = f"[{rest}]"
    try:
        parts = urlsplit(f"{scheme}://{rest}")
        host, port = parts.hostname or "127.0.0.1", parts.port
    except ValueError as error:
        raise ValueError(f"OLLAMA_HOST is {text!r}, which is no address: {error}.") from None
    if port is None:
        port = {"http": 80, "https": 443}[scheme] if separator else PORT
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)
    return f"{scheme}://{f'[{host}]' if ':' in host else host}:{port}{parts.path}"


def is_loopback(address: str) -> bool:
    """Does this base address stay on this machine? A name is not looked up: only localhost counts."""
    host = urlsplit(address).hostname or ""
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def is_cloud(model: str) -> bool:
    """Does the name alone say that the vendor's cloud runs it (`x:cloud`, `x:120b-cloud`)?"""
    tag = model.rpartition("/")[2].partition(":")[2]
    return tag == "cloud" or tag.endswith("-cloud")


# What goes out


def encode_body(request: Request, num_ctx: int, num_predict: int, keep_alive: str) -> bytes:
    """The bytes of one /api/chat request; ModelError "bad_request" for what Ollama would refuse or lose."""
    check_messages(request.messages)
    if request.format is not None and request.tools:
        raise not_sent("a schema for the answer and tools exclude each other")
    return _encode(
        {
            "model": request.model,
            "messages": list(request.messages),
            **({"tools": list(request.tools)} if request.tools else {}),
            **({"format": request.format} if request.format is not None else {}),
            **_profile(request.model, request.think, keep_alive),
            "options": _options(request.options, num_ctx, num_predict),
        }
    )


def encode_preload(model: str, num_ctx: int, num_predict: int, keep_alive: str) -> bytes:
    """A request without messages: it only loads. What a load depends on is as in a chat, or that reloads."""
    profile = _profile(model, False, keep_alive)
    return _encode({"model": model, "messages": [], **profile, "options": _options({}, num_ctx, num_predict)})


def _profile(model: str, think: bool | str, keep_alive: str) -> dict[str, Any]:
    if think is False and model.rpartition("/")[2].startswith("gpt-oss"):
        think = "low"  # it can not be silenced, and has no "false"
    seconds = re.fullmatch(r"-?\d+", keep_alive)  # as a string it would need a unit
    return {
        "stream": True,
        "think": think,
        "truncate": False,
        "shift": False,
        "keep_alive": int(keep_alive) if seconds else keep_alive,
    }


def _options(given: Mapping[str, Any], num_ctx: int, num_predict: int) -> dict[str, Any]:
    """num_ctx is constant for a model, as another one reloads it; what only steers sampling may vary."""
    if unknown := sorted(set(given) - SAMPLING):
        raise not_sent(f"the option {unknown[0]!r} may not vary between requests")
    return {"num_ctx": num_ctx, "num_predict": num_predict, "temperature": 0.2, **given}


def _encode(body: Mapping[str, Any]) -> bytes:
    try:
        return json.dumps(body, ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode()
    except (TypeError, ValueError, RecursionError) as error:
        raise not_sent(f"it can not be written as JSON ({error})") from None


def check_messages(messages: Sequence[Mapping[str, Any]]) -> None:
    """Raise ModelError "bad_request" unless Ollama takes these messages whole.

    Contents are text, a call's arguments are an object, each call has exactly one result, in order and at
    once; no two assistant messages in a row (the second one's calls would vanish); the last is not the
    assistant's (it would be continued); some user message says something.
    """
    waiting: list[str] = []  # calls without a result yet
    before = ""
    for position, message in enumerate(messages, 1):
        role = message.get("role")
        where = f"message {position} ({role})"
        if role not in ("system", "user", "assistant", "tool"):
            raise not_sent(f"{where} has no role that Ollama knows")
        if not isinstance(message.get("content"), str) or not isinstance(message.get("thinking", ""), str):
            raise not_sent(f"{where} has a content that is not text")
        if role == "tool":
            if not waiting or message.get("tool_name") != waiting.pop(0):
                raise not_sent(f"{where} is not the result of the next call")
        elif waiting:
            raise not_sent(f"{where} comes before the result of {waiting[0]}")
        if role == "assistant":
            if before == "assistant":
                raise not_sent(f"{where} follows another assistant message")
            waiting = _called(message.get("tool_calls") or (), where)
        elif message.get("tool_calls"):
            raise not_sent(f"{where} has tool calls")
        before = str(role)
    if waiting or before == "assistant":
        raise not_sent("the last message is the assistant's")
    if not any(message["role"] == "user" and message["content"].strip() for message in messages):
        raise not_sent("no user message says anything")


def _called(calls: Sequence[Any], where: str) -> list[str]:
    names = []
    for call in calls:
        function = call.get("function") if isinstance(call, Mapping) else None
        if not isinstance(function, Mapping) or not isinstance(function.get("name"), str):
            raise not_sent(f"{where} has a tool call without a name")
        if not isinstance(function.get("arguments"), Mapping):
            raise not_sent(f"{where} has a tool call whose arguments are not an object")
        names.append(function["name"])
    return names


# What comes in


def decode_line(line: bytes) -> dict[str, Any]:
    """One line of a stream; ModelError "not_json" if it is no JSON object."""
    try:
        found = from_json(line.decode("utf-8", "replace"), allow_inf_nan=False)
    except ValueError:
        found = None
    if not isinstance(found, dict):
        told = f"Ollama sent a line that is no JSON object: {short(line)}. Is it Ollama? Check OLLAMA_HOST."
        raise ModelError("not_json", told)
    return found


def read_delta(line: Mapping[str, Any]) -> Delta:
    """What one line of a reply says. Everything in it is optional; a call is never split over lines."""
    message = line.get("message")
    message = message if isinstance(message, Mapping) else {}
    calls = message.get("tool_calls")
    calls = calls if isinstance(calls, list) else []
    ended = line.get("done") is True or bool(line.get("done_reason"))
    return Delta(
        text=_text(message.get("content")),
        thinking=_text(message.get("thinking")),
        calls=tuple(_call(each) for each in calls if isinstance(each, Mapping)),
        done=_done(line) if ended else None,
    )


def _call(found: Mapping[str, Any]) -> Call:
    function = found.get("function")
    function = function if isinstance(function, Mapping) else {}
    return Call(
        id=_text(found.get("id")),
        tool=_text(function.get("name")),
        arguments=parse_arguments(function.get("arguments")),
    )


def _done(line: Mapping[str, Any]) -> Done:
    return Done(
        reason=_text(line.get("done_reason")) or "stop",
        prompt_tokens=_number(line.get("prompt_eval_count")),
        tokens=_number(line.get("eval_count")),
        load_seconds=_seconds(line.get("load_duration")),
        prompt_seconds=_seconds(line.get("prompt_eval_duration")),
        seconds=_seconds(line.get("total_duration")),
        eval_seconds=_seconds(line.get("eval_duration")),
    )


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""


def _number(value: Any) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def _seconds(value: Any) -> float | None:
    found = _number(value)
    return None if found is None else found / _NANOSECONDS
