"""What goes wrong with a model, as a ModelError: a kind, short and stable, and a sentence with what to do.

unreachable  nobody listens             busy          its queue is full, after three tries
not_found    model not installed        load_failed   the model could not be loaded
no_tools     model can not use tools    stream_error  it failed while it worked on the reply
no_thinking  model can not think        parser_error  it could not read the model's own tool call
no_chat      model can not chat         dropped       the connection broke
too_long     prompt over the window     incomplete    the reply ended without its last line
bad_request  we sent something wrong    timeout       silence, or too long in all
forbidden    host or origin refused     too_much      more text than a reply may have
cloud        runs in the vendor's cloud not_json      something else answers there
"""

import re
from collections.abc import Mapping
from typing import Any

from pydantic_core import from_json, to_json

from assistant.errors import ModelError

_PARSER = re.compile(
    r"XML syntax error|pars(?:e|ing) (?:tool call|JSON)|empty function name|tool '.*' not found"
    r"|incomplete \w+ tool call|after top-level value",
    re.IGNORECASE,
)
_LOAD = re.compile(
    r"process has terminated|waiting for llama|out-of-memory|out of memory|more system memory"
    r"|incompatible with your version|unable to load|failed to load|error loading",
    re.IGNORECASE,
)
_TOO_LONG = re.compile(
    r"exceeds the available context|(?:longer than|exceeds) the context length", re.IGNORECASE
)
_OUR_FAULT = re.compile(r'^option "|^invalid (?:format|think|option)', re.IGNORECASE)


def error_text(body: Any) -> str:
    """The sentence inside an error: `{"error": "..."}`, where the text may itself be such JSON, twice."""
    for _ in range(4):
        if isinstance(body, Mapping):
            body = body.get("error", body.get("message", ""))
        elif isinstance(body, str) and body.lstrip().startswith("{"):
            try:
                body = from_json(body)
            except ValueError:
                break
        else:
            break
    return body if isinstance(body, str) else to_json(body).decode()


def line_failure(error: Any, model: str) -> ModelError:
    """What an error line within a stream means; `error` is what that line holds under this name."""
    text = error_text(error)
    if _PARSER.search(text):
        told = f"Ollama could not read what {model} wrote as a tool call. Ask again. ({short(text)})"
        return ModelError("parser_error", told)
    told = f"Ollama failed while {model} was answering. Ask again. ({short(text)})"
    return _known(text, model) or ModelError("stream_error", told)


def status_failure(status: int, body: bytes, model: str, address: str) -> ModelError:
    """What an answer with an error status means; `body` may be JSON, plain text or empty."""
    try:
        found = from_json(body)
    except ValueError:
        found = None
    if isinstance(found, dict) or status == 503 or not body.strip():
        return told_failure(status, error_text(found) if found else "", model, address)
    told = f"What answers at {address} does not speak as Ollama does (HTTP {status}). Check OLLAMA_HOST."
    return ModelError("not_json", told)


def told_failure(status: int, text: str, model: str, address: str) -> ModelError:
    """What an error status with this text means."""
    if status == 403 and not text:
        told = f"Ollama at {address} refused this address (403). Give its IP address in OLLAMA_HOST, and look"
        return ModelError("forbidden", f"{told} at OLLAMA_HOST and OLLAMA_ORIGINS where it runs.")
    if status in (401, 502) or (status == 403 and "cloud" in text):
        return ModelError("cloud", f"{model} runs in the vendor's cloud: {short(text)}. Pick a local model.")
    if status == 404 and text:
        told = f"The model {model} is not installed. Get it with `ollama pull {model}`, or pick another."
        return ModelError("not_found", told)
    if status == 503:
        return ModelError("busy", "Ollama is busy: its queue is full. Wait a moment, then ask again.")
    if status == 499:
        return ModelError("dropped", "Ollama gave up the request. Ask again.")
    if status >= 500 and not _OUR_FAULT.search(text):
        return line_failure(text or f"HTTP {status}", model)
    told = f"Ollama did not take the request (HTTP {status}): {short(text) or 'it does not say why'}."
    return _known(text, model) or ModelError("bad_request", told)


def not_sent(reason: str) -> ModelError:
    """A request that we made wrong, and did not send."""
    return ModelError("bad_request", f"The request to the model was not sent: {reason}. Please report this.")


def cloud_refused(model: str) -> ModelError:
    told = f"{model} runs in the vendor's cloud, not on this machine. Pick another model."
    return ModelError("cloud", told)


def too_much(model: str, most: int) -> ModelError:
    """A reply, or a line of it, of more than `most` bytes."""
    return ModelError(
        "too_much", f"The reply of {model} went over {most:,} bytes and was stopped. Ask for less."
    )


def _known(text: str, model: str) -> ModelError | None:
    if "does not support tools" in text:
        return ModelError("no_tools", f"{model} can not use tools, only talk. Pick a model with tools.")
    if "does not support thinking" in text:
        return ModelError("no_thinking", f"{model} can not think aloud. Switch thinking off.")
    if "does not support chat" in text or "does not support generate" in text:
        return ModelError("no_chat", f"{model} can not chat (it only makes embeddings). Pick another model.")
    if _TOO_LONG.search(text):
        told = f"The conversation is longer than {model} can read at once. Realign it, or say less."
        return ModelError("too_long", f"{told} ({short(text)})")
    if _LOAD.search(text):
        told = f"Ollama could not load {model}: {short(text)}. Try a smaller model, or free memory."
        return ModelError("load_failed", told)
    return None


def short(text: str | bytes) -> str:
    """A text of others on one line of at most 200 characters, without its last full stop."""
    text = text.decode("utf-8", "replace") if isinstance(text, bytes) else text
    text = " ".join(text.split()).rstrip(".")
    return text if len(text) <= 200 else text[:199] + "…"
