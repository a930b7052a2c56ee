"""What small models get wrong in a reply, put right without guessing. Pure functions.

A call counts only as a whole: a name that, cleaned, is exactly a known tool; arguments that are an object;
and, where a model printed a call as text, a text that is nothing but calls. JSON inside prose is no call.
Whether a value fits its parameter is the judge's business, not decided here.
"""

import json
import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pydantic_core import from_json

from assistant.models import Call

_PREFIXES = ("functions.", "function.", "functions:", "function:", "tools.", "tool.", "tool:", "default_api.")
_NAMES = ("name", "tool", "tool_name", "function")
_ARGUMENTS = ("arguments", "parameters", "args", "input")
_IGNORED = ("id", "type", "index")
_THINK = re.compile(r"\s*<(think(?:ing)?)>(.*?)(?:</\1>|\Z)\s*", re.DOTALL)
_CLOSED = re.compile(r"(.*?)</think(?:ing)?>\s*\n", re.DOTALL)
_BETWEEN = re.compile(r"(?:[\s,;]|</?tool_calls?>|\[TOOL_CALLS\])*")

# The beginnings that may become a call or thinking, and, for those of JSON, how they must go on.
_TAGS = ("<think>", "<thinking>", "<tool_call>", "<tool_calls>", "[TOOL_CALLS]")
_FENCED = ("json", "tool_call", "tool_calls", "tool_code")
_HEAD = re.compile(r"\s*(```[ \t]*(\w*)([ \t]*\n)?)?\s*")
_JSON = re.compile(r"\[?\s*(?:\{\s*(?:\"|\Z)|\Z)")


@dataclass(frozen=True)
class Reply:
    """A collected reply, put right.

    `repairs` are short sentences for the log's reader. `broken`: the text was meant as a call, but is none
    (cut short, or unreadable); it is no answer to show as it is.
    """

    text: str
    thinking: str
    calls: tuple[Call, ...]
    repairs: tuple[str, ...] = ()
    broken: bool = False


def repair(
    text: str,
    thinking: str,
    calls: Sequence[Call],
    tools: Collection[str],
    *,
    turn: str | int,
    first: int = 0,
) -> Reply:
    """Put a whole reply right. `tools` are the names that were offered; without, no text becomes a call.

    Calls get ids of their own, `call_{turn}_{position}`, counted from `first` (the calls that this turn
    already made), as a model's ids may be missing or repeat.
    """
    repairs = []
    text, thought = split_thinking(text)
    if thought:
        repairs.append("thinking was in the text")
        thinking = f"{thinking}\n{thought}".strip()
    made = [(call.tool, call.arguments) for call in calls]
    printed = printed_calls(text, tools) if tools else []
    if printed:
        repairs.append("a call was printed as text")
        made, text = [*made, *printed], ""
    kept: dict[str, tuple[str, Mapping[str, Any]]] = {}
    for said, arguments in made:
        name = clean_name(said, tools)
        if name not in (None, said):
            repairs.append(f"{said} was taken for {name}")
        name = name or said
        kept.setdefault(f"{name} {json.dumps(arguments, sort_keys=True, default=str)}", (name, arguments))
    if len(kept) < len(made):
        repairs.append("a call was made twice")
    return Reply(
        text=text.strip(),
        thinking=thinking.strip(),
        calls=tuple(Call(f"call_{turn}_{n}", *call) for n, call in enumerate(kept.values(), first)),
        repairs=tuple(dict.fromkeys(repairs)),
        broken=not kept and held(text) and any(f'"{name}"' in text for name in tools),
    )


def clean_name(said: str, tools: Collection[str]) -> str | None:
    """The tool that a decorated name means, or None: never the nearest, as a call may change values."""
    if said in tools:
        return said
    name = said.partition("<|")[0].strip().casefold()
    for prefix in _PREFIXES:
        name = name.removeprefix(prefix)
    found = [tool for tool in tools if _fold(tool) == _fold(name)]
    return found[0] if len(found) == 1 else None


def _fold(name: str) -> str:
    return name.strip().casefold().replace("-", "_").replace(" ", "_")


def parse_arguments(raw: Any) -> dict[str, Any]:
    """A call's arguments as an object: null and "" are {}, JSON in a string is decoded once.

    What is no object even then is kept under the name `arguments`, which no tool has: it is refused by name.
    """
    if raw is None or (isinstance(raw, str) and raw.strip() in ("", "null", "None")):
        return {}
    if isinstance(raw, str):
        try:
            raw = from_json(raw, allow_inf_nan=False)
        except ValueError:
            pass
    return dict(raw) if isinstance(raw, Mapping) else {"arguments": raw}


def printed_calls(text: str, tools: Collection[str]) -> list[tuple[str, dict[str, Any]]]:
    """The calls that a text consists of, as (tool, arguments); [] if anything in it is something else."""
    text = _unfenced(text.strip())
    decoder = json.JSONDecoder()
    found: list[tuple[str, dict[str, Any]]] = []
    position = _skip(text, 0)
    while position < len(text):
        try:
            _, end = decoder.raw_decode(text, position)
            value, position = from_json(text[position:end], allow_inf_nan=False), end
        except (ValueError, RecursionError):
            return []
        for each in value if isinstance(value, list) else [value]:
            calls = _as_calls(each, tools)
            if not calls:
                return []
            found += calls
        position = _skip(text, position)
    return found


def _unfenced(text: str) -> str:
    """What is in a text that is one fence of JSON; any other text as it is."""
    if not (text.startswith("```") and text.endswith("```") and len(text) > 6):
        return text
    inside = text[3:-3].lstrip(" \t")
    language = re.match(r"\w*", inside)
    word = language[0] if language else ""
    return inside[len(word) :] if not word or word in _FENCED else text


def _skip(text: str, position: int) -> int:
    match = _BETWEEN.match(text, position)
    return match.end() if match else position


def _as_calls(value: Any, tools: Collection[str]) -> list[tuple[str, dict[str, Any]]]:
    """The calls in one decoded object, in the shapes that models print; [] if it is none."""
    if not isinstance(value, dict):
        return []
    if isinstance(listed := value.get("tool_calls"), list) and len(value) == 1:
        calls = [_as_calls(each, tools) for each in listed]
        return [call for each in calls for call in each] if all(calls) else []
    for wrapper in ("function", "tool_call", "function_call"):
        if isinstance(inner := value.get(wrapper), dict):
            return _as_calls(inner, tools) if set(value) <= {wrapper, *_IGNORED} else []
    names = [key for key in _NAMES if isinstance(value.get(key), str)]
    arguments = [key for key in _ARGUMENTS if key in value]
    if len(names) != 1 or len(arguments) > 1 or set(value) - {*names, *arguments, *_IGNORED}:
        return []
    name = clean_name(value[names[0]], tools)
    return [(name, parse_arguments(value[arguments[0]] if arguments else None))] if name else []


def split_thinking(text: str) -> tuple[str, str]:
    """A text without the thinking it begins with, and that thinking. An unclosed block reaches to the end."""
    thought = []
    while match := _THINK.match(text):
        thought.append(match[2].strip())
        text = text[match.end() :]
    if "<think" not in text and (match := _CLOSED.match(text)):  # some templates open the block themselves
        thought.append(match[1].strip())
        text = text[match.end() :]
    return text, "\n".join(each for each in thought if each)


def held(text: str) -> bool:
    """Must the words so far be held back, as they may become a call or thinking?

    Once this is False for a text it stays False for whatever follows, so a stream asks only until then.
    """
    while match := _THINK.match(text):
        text = text[match.end() :]
        if not text:
            return True
    head = _HEAD.match(text)
    rest = text[head.end() :] if head else text
    fence, language, newline = (head[1], head[2], head[3]) if head else (None, "", None)
    if fence and language and language not in _FENCED:
        return not rest and not newline and any(each.startswith(language) for each in _FENCED)
    if not rest or (not fence and len(rest) < 3 and "```".startswith(rest)):
        return True
    return any(rest.startswith(tag) or tag.startswith(rest) for tag in _TAGS) or _JSON.match(rest) is not None


def shown(text: str) -> str:
    """What of the words so far may be shown while a reply is being written."""
    return "" if held(text) else split_thinking(text)[0]


def names_call(text: str, tools: Collection[str]) -> bool:
    """Does the text name one of these tools: was a call described in place of being made?"""
    return any(re.search(rf"\b{tool}\b", text) for tool in tools)


_VERBS = (
    "(?:set|saved|updated|changed|added|filled|recorded|stored|entered|removed|cleared|selected|started"
    "|reopened|completed|applied|adjusted|undone|accepted|dismissed|confirmed)"
)
_CLAIM = re.compile(
    rf"\bI(?:'ve| have)?(?: now| just| also| already| gone ahead and)* {_VERBS}\b"
    rf"|\b(?:has|have|is|are|was|were)(?: now| just| also| already)* (?:been |now ){_VERBS}\b"
    rf"|\b(?:all|everything|both|they|these|those|that|it)(?: is| are|'s|'re)(?: now| all)* {_VERBS}\b"
    r"|\byou(?:'re| are)(?: now)? all set\b|^(?:all set|done|saved|updated|accepted)\b",
    re.IGNORECASE,
)
_NOT_A_CLAIM = re.compile(
    r"\?\s*$|n't\b|\b(?:if|once|when|unless|after|before|should|shall|can|could|would|may|must|will|not|never"
    r"|nothing)\b",
    re.IGNORECASE,
)


def claims_change(text: str) -> bool:
    """Does the text say that something was changed ("I've set ...", "has been saved")? English only.

    For a turn that changed nothing: such a text is marked, as what holds is only what is in the log.
    """
    sentences = re.split(r"(?<=[.!?])\s+|\n+", text.replace("\N{RIGHT SINGLE QUOTATION MARK}", "'"))
    return any(_CLAIM.search(each) and not _NOT_A_CLAIM.search(each) for each in sentences)
