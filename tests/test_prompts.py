"""The prompt files: which one wins, and what happens to a broken one."""

import os
from pathlib import Path

import pytest

from assistant.errors import AssistantError
from assistant.prompts import ENDING, Prompts
from assistant.settings import shipped


@pytest.fixture
def own(tmp_path: Path) -> Path:
    (tmp_path / "prompts").mkdir()
    return tmp_path


def write(workspace: Path, name: str, text: str) -> Path:
    path = workspace / "prompts" / f"{name}{ENDING}"
    path.write_text(text, "utf-8")
    return path


def test_the_workspaces_own_prompt_wins_over_the_shipped_one(own: Path) -> None:
    prompts = Prompts(own)
    assert "empty" in prompts.render("nudge", broken=False)
    write(own, "nudge", "Say {{ 'it' if broken else 'more' }}.\n")
    assert prompts.render("nudge", broken=True) == "Say it."
    assert prompts.notice() == ""


def test_a_changed_file_is_read_afresh_and_a_deleted_one_is_gone(own: Path) -> None:
    prompts = Prompts(own)
    path = write(own, "words", "One.")
    assert prompts.render("words") == "One."
    path.write_text("Two.")
    os.utime(path, ns=(1, 1))
    assert prompts.render("words") == "Two."
    path.unlink()
    assert prompts.render("words").startswith("Make no more calls")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("fine\n{% if %}", "line 2"),
        ("fine\n\n{{ nobody.knows }}", "line 3: 'nobody' is undefined"),
        ("{{ 1 / 0 }}", "line 1: division by zero"),
        ("{% include 'other' %}", "prompts/words"),
    ],
)
def test_a_broken_file_is_named_with_its_line_and_the_shipped_one_is_used(
    own: Path, text: str, said: str
) -> None:
    prompts = Prompts(own)
    path = write(own, "words", text)
    assert prompts.render("words").startswith("Make no more calls")
    assert f"prompts/words{ENDING}" in prompts.notice()
    assert said in prompts.notice()
    path.write_text("Better.")
    os.utime(path, ns=(1, 1))
    assert prompts.render("words") == "Better."
    assert prompts.notice() == ""


def test_a_file_that_is_not_text_is_a_problem_and_no_crash(own: Path) -> None:
    (own / "prompts" / f"words{ENDING}").write_bytes(b"\xff\xfe\x00")
    prompts = Prompts(own)
    prompts.warm()
    assert "prompts/words" in prompts.notice()
    assert prompts.render("words").startswith("Make no more calls")


def test_without_a_good_file_there_is_a_sentence(own: Path) -> None:
    with pytest.raises(AssistantError, match="There is no prompt none"):
        Prompts(own).render("none")


def test_all_shipped_prompts_parse(own: Path) -> None:
    prompts = Prompts(own)
    prompts.warm()
    assert prompts.problems == {}
    assert {path.name for path in shipped("prompts").iterdir()} >= {
        f"{name}{ENDING}" for name in ("system", "alignment", "nudge", "words", "leave")
    }
