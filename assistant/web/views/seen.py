"""What the assistant saw: the prompt of one reply, its tools, and how many tokens that was."""

import json
from typing import Any

from fasthtml.components import H1, H2, A, Code, Details, Main, P, Pre, Section, Small, Summary

from .base import page, top
from .shown import Shown

WHO = {"system": "Instructions", "user": "You", "assistant": "Assistant", "tool": "What a tool gave"}


def seen_page(shown: Shown, found: dict[str, Any], prefix: str) -> Any:
    """`found` is what `seen` gives: messages, tools, format, tokens, counted."""
    tokens = f"{found['tokens']:,} tokens" if found["counted"] else f"about {found['tokens']:,} tokens"
    tools = found.get("tools") or []
    parts = [_message(each) for each in found["messages"]]
    if tools:
        parts.append(H2(f"{len(tools)} tools"))
        parts += [_tool(each) for each in tools]
    if found.get("format"):
        parts += [H2("The form its answer had to have"), Pre(_json(found["format"]), tabindex="0")]
    return page(
        f"What the assistant saw · {shown.name}",
        prefix,
        top("What the assistant saw", A("Back to the session", href=shown.address, cls="chip")),
        Main(
            H1("What the assistant saw"),
            P(f"{tokens}, {len(found['messages'])} messages and {len(tools)} tools, just as they were sent."),
            *parts,
            cls="seen",
        ),
        cls="plain",
    )


def _message(message: dict[str, Any]) -> Any:
    role = str(message.get("role"))
    tool = f" · {message['tool_name']}" if message.get("tool_name") else ""
    calls = [Pre(_json(call.get("function", call)), tabindex="0") for call in message.get("tool_calls") or ()]
    text = str(message.get("content") or "")
    words = Pre(text, tabindex="0") if text else ""
    return Section(Small(f"{WHO.get(role, role)}{tool}"), words, *calls, data_role=role)


def _tool(tool: dict[str, Any]) -> Any:
    function = tool.get("function", tool)
    return Details(Summary(Code(str(function.get("name")))), Pre(_json(function), tabindex="0"))


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, indent=2)
