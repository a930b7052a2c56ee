"""The doctor: what it says of a machine where things are missing."""

import json
from pathlib import Path

import pytest
from test_command_line import FLOW, Program

from assistant.cli import doctor
from assistant.cli.doctor import Check, examine
from assistant.models import Catalogue, ModelInfo
from assistant.settings import Settings

pytestmark = pytest.mark.anyio


@pytest.fixture
def anyio_backend():
    return "asyncio"


@pytest.fixture
def folder(tmp_path) -> Path:
    (tmp_path / "workflows").mkdir()
    (tmp_path / "workflows" / "small.py").write_text(FLOW, "utf-8")
    return tmp_path


def settings(folder: Path, **more) -> Settings:
    return Settings(folder, port=0, ollama_host="http://127.0.0.1:9", **more)


async def checks(settings: Settings) -> dict[str, list[Check]]:
    found: dict[str, list[Check]] = {}
    for check in await examine(settings):
        found.setdefault(check.what, []).append(check)
    return found


def test_without_ollama_it_starts(folder):
    out, err = Program(folder)("doctor", "--port", "0")
    lines = {line.split()[1]: line for line in out.splitlines()}
    assert list(lines) == ["Python", "Workspace", "Settings", "Workflows", "Disk", "Port", "Ollama"]
    assert lines["Ollama"].startswith("note")
    assert "ollama serve" in lines["Ollama"] and "built-in guide" in lines["Ollama"]
    assert err == ""
    assert sorted(p.name for p in folder.iterdir()) == ["workflows"]


def test_what_prevents_the_start_is_told(tmp_path):
    out, err = Program(tmp_path)("doctor", "--port", "0", "--workspace", "nowhere", status=1)
    assert "stop  Workspace" in out and "assistant init" in out
    assert err == "It can not start yet: see Workspace.\n"


async def test_a_workspace_that_can_not_be_written(folder):
    (folder / "conversations").write_text("a file")
    found = await checks(settings(folder))
    assert found["Workspace"][0].state == "stop"
    assert "--workspace" in found["Workspace"][0].sentence


async def test_a_broken_workflow_is_a_note(folder):
    (folder / "workflows" / "broken.py").write_text("x = 1\ndef (")
    found = await checks(settings(folder))
    assert [check.state for check in found["Workflows"]] == ["ok", "note"]
    assert "line 2" in found["Workflows"][1].sentence


@pytest.mark.parametrize(("free", "state"), [(2**40, "ok"), (2**29, "note"), (2**20, "stop")])
async def test_disk_space(folder, monkeypatch, free, state):
    monkeypatch.setattr(doctor.shutil, "disk_usage", lambda _: type("Usage", (), {"free": free}))
    assert (await checks(settings(folder)))["Disk"][0].state == state


async def test_models(folder, monkeypatch):
    models = (
        ModelInfo("able:4b", tools=True),
        ModelInfo("plain:1b", tools=False),
        ModelInfo("far:cloud", tools=True, cloud=True),
    )

    async def answers(_):
        return Catalogue("http://127.0.0.1:9", models, "0.13.0")

    monkeypatch.setattr(doctor, "catalogue", answers)
    found = await checks(settings(folder, model="other:7b"))
    assert found["Ollama"][0] == Check("Ollama", "ok", "0.13.0 at http://127.0.0.1:9.")
    assert [(check.state, check.sentence) for check in found["Model"]] == [
        ("ok", "able:4b can use tools."),
        ("note", "plain:1b can not use tools."),
        ("ok", "far:cloud can use tools, in the vendor's cloud."),
        ("note", "other:7b, which is to be used, is not there. Get it with `ollama pull other:7b`."),
    ]


async def test_no_model_that_can_use_tools(folder, monkeypatch):
    async def answers(_):
        return Catalogue("http://127.0.0.1:9", (ModelInfo("plain:1b", tools=False),), "0.13.0")

    monkeypatch.setattr(doctor, "catalogue", answers)
    found = await checks(settings(folder, model="guide"))
    assert "ollama pull" in found["Model"][-1].sentence


def test_the_server_file_of_a_server_that_is_gone_is_no_server(folder):
    (folder / "conversations").mkdir()
    (folder / "conversations" / ".server.json").write_text(
        json.dumps({"address": "http://127.0.0.1:9/", "pid": 1})
    )
    assert "A free one will be taken." in Program(folder)("doctor", "--port", "0")[0]
