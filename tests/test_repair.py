"""What small models get wrong, and what must not be taken for a call."""

import json
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from assistant.models import Call
from assistant.models.repair import (
    claims_change,
    clean_name,
    held,
    parse_arguments,
    printed_calls,
    repair,
    shown,
    split_thinking,
)

TOOLS = ("set_values", "set_other_value", "run_workflow")
ONE = '{"name": "set_values", "arguments": {"depth": 3}}'
DEPTH = ("set_values", {"depth": 3})


@pytest.mark.parametrize(
    "text",
    [
        ONE,
        f"\n  {ONE}\n",
        f"```json\n{ONE}\n```",
        f"```\n{ONE}\n```",
        f"```tool_call\n{ONE}```",
        f"<tool_call>\n{ONE}\n</tool_call>",
        f"[{ONE}]",
        f"[TOOL_CALLS]{ONE}",
        '{"name": "set_values", "parameters": {"depth": 3}}',
        '{"name": "set_values", "arguments": "{\\"depth\\": 3}"}',
        '{"function": {"name": "set_values", "arguments": {"depth": 3}}}',
        '{"type": "function", "id": "x", "function": {"name": "set_values", "arguments": {"depth": 3}}}',
        '{"type": "function", "name": "set_values", "parameters": {"depth": 3}}',
        '{"function": "set_values", "arguments": {"depth": 3}}',
        '{"tool": "functions.set_values", "args": {"depth": 3}}',
        f'{{"tool_calls": [{ONE}]}}',
    ],
)
def test_a_printed_call_is_read(text: str) -> None:
    assert printed_calls(text, TOOLS) == [DEPTH]


@pytest.mark.parametrize("between", ["\n", " ", ",", ";\n", "", "\n</tool_call>\n<tool_call>\n"])
def test_several_printed_calls_are_read(between: str) -> None:
    other = '{"name": "run_workflow"}'
    assert printed_calls(ONE + between + other, TOOLS) == [DEPTH, ("run_workflow", {})]


@pytest.mark.parametrize(
    "text",
    [
        "",
        f"I will call {ONE}",
        f"{ONE} That should do.",
        f"{ONE}\n```",
        f"```json\n{ONE}\n```\nDone.",
        f"```json\n{ONE}\n```\n```json\n{ONE}\n```",
        f"```python\n{ONE}\n```",
        '{"name": "delete_everything", "arguments": {}}',
        '{"name": "set_value", "arguments": {}}',
        ONE + '\n{"name": "unknown", "arguments": {}}',
        '{"name": "set_values", "depth": 3}',
        '{"name": "set_values", "arguments": {}, "parameters": {}}',
        '{"name": "set_values", "tool": "run_workflow", "arguments": {}}',
        '{"name": "set_values", "arguments": {"depth": NaN}}',
        ONE[:-1],
        "[]",
        "3",
        '{"depth": 3}',
        "[[" + ONE + "]]",
    ],
)
def test_what_is_not_only_calls_is_no_call(text: str) -> None:
    assert printed_calls(text, TOOLS) == []


@pytest.mark.parametrize(
    "text", ["[" * 100_000, '{"a":' * 100_000, "```" + " " * 200_000, ONE * 500 + " " * 200_000]
)
def test_hostile_text_ends_soon(text: str) -> None:
    started = time.process_time()
    repair(text, "", [], TOOLS, turn=1)
    held(text)
    assert time.process_time() - started < 5


@pytest.mark.parametrize(
    "said, meant",
    [
        ("set_values", "set_values"),
        ("set_values<|channel|>analysis", "set_values"),
        ("functions.set_values", "set_values"),
        ("tool:set_values", "set_values"),
        ("default_api.set_values", "set_values"),
        ("Set-Values", "set_values"),
        (" set values ", "set_values"),
        ("set_value", None),
        ("set_values_v2", None),
        ("", None),
        ("<|channel|>", None),
    ],
)
def test_names_are_cleaned_but_never_guessed(said: str, meant: str | None) -> None:
    assert clean_name(said, TOOLS) == meant


def test_a_name_that_means_two_tools_means_none() -> None:
    assert clean_name("A-B", ("a_b", "a-b")) is None
    assert clean_name("a-b", ("a_b", "a-b")) == "a-b"


@pytest.mark.parametrize(
    "raw, meant",
    [
        (None, {}),
        ("", {}),
        ("null", {}),
        ({}, {}),
        ('{"a": "{}"}', {"a": "{}"}),
        ('"{\\"a\\": 1}"', {"arguments": '{"a": 1}'}),
        ("three", {"arguments": "three"}),
        ([1], {"arguments": [1]}),
        ("[" * 100_000, {"arguments": "[" * 100_000}),
    ],
)
def test_arguments_become_an_object(raw: object, meant: object) -> None:
    assert parse_arguments(raw) == meant


@pytest.mark.parametrize(
    "text, rest, thought",
    [
        ("<think>a</think>\n\nb", "b", "a"),
        ("\n<thinking>a</thinking>b", "b", "a"),
        ("<think>a", "", "a"),
        ("<think></think>b", "b", ""),
        ("<think>a</think><think>b</think>c", "c", "a\nb"),
        ("a\n</think>\n\nb", "b", "a"),
        ("a <think>b</think>", "a <think>b</think>", ""),
        ("Write </think> there.", "Write </think> there.", ""),
    ],
)
def test_thinking_is_taken_from_the_front(text: str, rest: str, thought: str) -> None:
    assert split_thinking(text) == (rest, thought)


@pytest.mark.parametrize(
    "text",
    [
        "",
        " \n",
        "{",
        '{ "na',
        ONE,
        "[",
        "[ {",
        f"[{ONE}",
        "`",
        "``",
        "```",
        "```js",
        "```json",
        "```json\n",
        "```\n{",
        "<",
        "<thi",
        "<think>a",
        "<think>a</think>",
        "<think>a</think>{",
        "<tool_c",
        "<tool_call>x",
        "[TOOL_CALLS]s",
    ],
)
def test_what_may_become_a_call_or_thinking_is_held(text: str) -> None:
    assert held(text) and shown(text) == ""


@pytest.mark.parametrize(
    "text",
    [
        "Hi",
        " Hi",
        "{x",
        "{}",
        "[link](y)",
        "[1]",
        "```py",
        "```python\nx",
        "```\nls",
        "<b>",
        "`x`",
        "`` ` ``",
        "```js\n",
        "<think>a</think>Hi",
    ],
)
def test_other_text_is_shown(text: str) -> None:
    assert not held(text) and shown(text)


@settings(deadline=None)
@given(
    st.lists(
        st.sampled_from(["<think>", "</think>", "```", "json", "\n", " ", "{", '"', "[", "a", "<", "`", "}"])
    )
)
def test_what_was_shown_once_is_never_held_again(pieces: list[str]) -> None:
    texts = ["".join(pieces[:end]) for end in range(len(pieces) + 1)]
    answers = [held(text) for text in texts]
    assert answers == sorted(answers, reverse=True)


def call(tool: str, id: str = "", **arguments: object) -> Call:
    return Call(id, tool, arguments)


def test_a_good_reply_only_gets_ids_of_its_own() -> None:
    found = repair(" Setting it. ", " hm ", [call("set_values", "x", depth=3)], TOOLS, turn="t4", first=2)
    assert found.calls == (Call("call_t4_2", "set_values", {"depth": 3}),)
    assert (found.text, found.thinking, found.repairs, found.broken) == ("Setting it.", "hm", (), False)


def test_calls_with_the_same_id_or_none_stay_apart_and_in_order() -> None:
    found = repair(
        "", "", [call("set_values", "a", depth=3), call("set_values", "a", depth=4), call("x")], TOOLS, turn=1
    )
    assert [(each.id, each.arguments) for each in found.calls] == [
        ("call_1_0", {"depth": 3}),
        ("call_1_1", {"depth": 4}),
        ("call_1_2", {}),
    ]
    assert found.calls[2].tool == "x"


def test_the_same_call_twice_is_one() -> None:
    found = repair("", "", [call("set_values", a=1, b=2), call("Set-Values", b=2, a=1)], TOOLS, turn=1)
    assert len(found.calls) == 1
    assert found.repairs == ("Set-Values was taken for set_values", "a call was made twice")


def test_a_printed_call_is_made_and_not_said() -> None:
    found = repair(f"<think>so</think>```json\n{ONE}\n```", "", [], TOOLS, turn=1)
    assert found.calls == (Call("call_1_0", *DEPTH),)
    assert (found.text, found.thinking) == ("", "so")
    assert found.repairs == ("thinking was in the text", "a call was printed as text")


def test_a_second_call_that_leaked_into_the_text_is_made_too() -> None:
    found = repair(
        '{"name": "run_workflow", "arguments": null}', "", [call("set_values", depth=3)], TOOLS, turn=1
    )
    assert [each.tool for each in found.calls] == ["set_values", "run_workflow"]
    again = repair(ONE, "", [call("set_values", depth=3)], TOOLS, turn=1)
    assert len(again.calls) == 1 and again.text == ""


def test_without_tools_json_is_an_answer() -> None:
    found = repair(ONE, "", [], (), turn=1)
    assert found.text == ONE and not found.calls and not found.broken


@pytest.mark.parametrize("text", [ONE[:-5], f"```json\n{ONE[:-1]}", "<tool_call>" + ONE[:-1]])
def test_a_call_cut_short_is_broken(text: str) -> None:
    found = repair(text, "", [], TOOLS, turn=1)
    assert found.broken and not found.calls


@pytest.mark.parametrize("text", ['{"depth": 3}', "[1, 2]", "Use set_values.", "", json.dumps({"a": [1]})])
def test_other_text_is_not_broken(text: str) -> None:
    assert not repair(text, "", [], TOOLS, turn=1).broken


@pytest.mark.parametrize(
    "text",
    [
        "I've set the depth to 3.",
        "I\N{RIGHT SINGLE QUOTATION MARK}ve now updated it.",
        "I set the depth to 3 pages.",
        "Sure! The depth has been set to 3.",
        "The start page is now set.",
        "Done! What else?",
        "Your changes have been saved.\nWhat next?",
        "All is set.",
        "Everything's set.",
        "You're all set!",
        "They are now accepted.",
        "I have accepted the suggestion.",
    ],
)
def test_a_claim_of_a_change_is_seen(text: str) -> None:
    assert claims_change(text)


@pytest.mark.parametrize(
    "text",
    [
        "Shall I set the depth to 3?",
        "I have not changed anything.",
        "I haven't saved it.",
        "The depth can be set from 1 to 5.",
        "Once it has been set, press Next.",
        "How deep should the crawl go?",
        "Depth is the number of links to follow.",
        "Nothing was changed.",
        "Is it set?",
        "It can not be set.",
        "It is set once you accept it.",
        "The set of pages is large.",
    ],
)
def test_other_sentences_claim_nothing(text: str) -> None:
    assert not claims_change(text)
