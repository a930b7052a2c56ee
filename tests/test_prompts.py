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
    assert "empty" in prompts.render("repair", broken=False)
    write(own, "repair", "Say {{ 'it' if broken else 'more' }}.\n")
    assert prompts.render("repair", broken=True) == "Say it."
    assert prompts.notice() == ""


def test_a_changed_file_is_read_afresh_and_a_deleted_one_is_gone(own: Path) -> None:
    prompts = Prompts(own)
    path = write(own, "summary", "One.")
    assert prompts.render("summary") == "One."
    path.write_text("Two.")
    os.utime(path, ns=(1, 1))
    assert prompts.render("summary") == "Two."
    path.unlink()
    assert prompts.render("summary").startswith("Make no more calls")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("fine\n{% if %}", "line 2"),
        ("fine\n\n{{ nobody.knows }}", "line 3: 'nobody' is undefined"),
        ("{{ 1 / 0 }}", "line 1: division by zero"),
        ("{% include 'other' %}", "prompts/summary"),
    ],
)
def test_a_broken_file_is_named_with_its_line_and_the_shipped_one_is_used(
    own: Path, text: str, said: str
) -> None:
    prompts = Prompts(own)
    path = write(own, "summary", text)
    assert prompts.render("summary").startswith("Make no more calls")
    assert f"prompts/summary{ENDING}" in prompts.notice()
    assert said in prompts.notice()
    path.write_text("Better.")
    os.utime(path, ns=(1, 1))
    assert prompts.render("summary") == "Better."
    assert prompts.notice() == ""


def test_a_workflows_own_file_wins_in_that_workflow_only(own: Path) -> None:
    (own / "prompts" / "crawl").mkdir()
    write(own, "crawl/summary", "For crawls.")
    prompts = Prompts(own)
    assert prompts.render("summary", "crawl") == "For crawls."
    assert prompts.render("summary", "trip").startswith("Make no more calls")
    assert prompts.render("summary").startswith("Make no more calls")
    write(own, "summary", "For all.")
    assert prompts.render("summary", "crawl") == "For crawls."
    assert prompts.render("summary", "trip") == "For all."
    assert prompts.render("summary", "../prompts") == "For all."


def test_a_workflows_broken_file_is_named_and_the_next_one_is_used(own: Path) -> None:
    (own / "prompts" / "crawl").mkdir()
    write(own, "crawl/summary", "One.\n{{ nobody }}")
    write(own, "summary", "For all.")
    prompts = Prompts(own)
    assert prompts.render("summary", "crawl") == "For all."
    assert f"prompts/crawl/summary{ENDING}, line 2: 'nobody' is undefined" in prompts.notice()
    write(own, "crawl/help", "{% if %}")
    prompts.warm()
    assert f"prompts/crawl/help{ENDING}, line 1" in prompts.notice()


def test_a_file_that_is_not_text_is_a_problem_and_no_crash(own: Path) -> None:
    (own / "prompts" / f"summary{ENDING}").write_bytes(b"\xff\xfe\x00")
    prompts = Prompts(own)
    prompts.warm()
    assert "prompts/summary" in prompts.notice()
    assert prompts.render("summary").startswith("Make no more calls")


def test_without_a_good_file_there_is_a_sentence(own: Path) -> None:
    with pytest.raises(AssistantError, match="There is no prompt none"):
        Prompts(own).render("none")


def test_all_shipped_prompts_parse(own: Path) -> None:
    prompts = Prompts(own)
    prompts.warm()
    assert prompts.problems == {}
    assert {path.name for path in shipped("prompts").iterdir()} >= {
        f"{name}{ENDING}" for name in "system alignment help refusal repair extraction summary".split()
    }
