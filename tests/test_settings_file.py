"""settings.toml: what it may say, what it is refused for, and where it stands among the other ways."""

import re
from dataclasses import fields
from pathlib import Path

import httpx
import pytest
from samples import SMALL
from serving import make_workspace, serving
from test_command_line import Program, get
from test_command_line import serving as printed

from assistant.cli.settings_file import KEYS, in_effect, read_settings, template
from assistant.errors import AssistantError
from assistant.settings import Bounds, Retention, Settings


@pytest.fixture
def program(tmp_path) -> Program:
    return Program(make_workspace(tmp_path / "work", small=SMALL))


def settings(folder: Path, text: str) -> Settings:
    (folder / "settings.toml").write_text(text, "utf-8")
    return read_settings(Settings(workspace=folder))


def test_without_a_file_nothing_changes(tmp_path):
    assert read_settings(Settings(workspace=tmp_path)) == Settings(workspace=tmp_path)
    assert settings(tmp_path, "") == Settings(workspace=tmp_path)


def test_every_setting_can_be_given(tmp_path):
    text = """
        model = "qwen3:4b"
        host = "0.0.0.0"
        port = 0
        show_cloud = true
        preload = false
        think = true
        keep_alive = "1h30m"
        upload_bytes = 1_000
        card_seconds = 2
    """
    text += "[bounds]\n" + "".join(f"{each.name} = 1\n" for each in fields(Bounds))
    text += "[retention]\ndays = 90\nmegabytes = 0.5\n"
    found = settings(tmp_path, text)
    assert (found.model, found.host, found.port) == ("qwen3:4b", "0.0.0.0", 0)
    assert (found.show_cloud, found.preload, found.think, found.keep_alive) == (True, False, True, "1h30m")
    assert (found.upload_bytes, found.card_seconds) == (1_000, 2.0)
    assert found.bounds == Bounds(**{each.name: 1 for each in fields(Bounds)})
    assert type(found.bounds.first_token) is float
    assert found.retention == Retention(90, 0.5)
    names = [name for name, _, _ in in_effect(found)]
    assert len(names) == len(KEYS) + len(fields(Bounds)) + 2
    assert {name for name, _, is_new in in_effect(found) if not is_new} == set()


def test_what_is_not_named_keeps_its_value(tmp_path):
    found = settings(tmp_path, "[bounds]\nrounds = 9")
    assert found.bounds == Bounds(rounds=9)
    assert [name for name, _, is_new in in_effect(found) if is_new] == ["bounds.rounds"]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("rounds = 3", "there is no setting rounds; there are model, host,"),
        ("workspace = 'x'", "there is no setting workspace;"),
        ("[bounds]\nround = 3", "there is no setting bounds.round; there are rounds, calls,"),
        ("[bound]\nrounds = 3", "there is no setting bound;"),
        ("bounds = 3", "bounds is 3; it must be a table: [bounds] on a line of its own"),
        ("[bounds]\nrounds = 0", "bounds.rounds is 0; it must be a whole number from 1 to"),
        ("[bounds]\nrounds = -1", "bounds.rounds is -1;"),
        ("[bounds]\nrounds = 2.5", "bounds.rounds is 2.5;"),
        ("[bounds]\nrounds = true", "bounds.rounds is true;"),
        ("[bounds]\nrounds = 'six'", "bounds.rounds is 'six';"),
        ("[bounds]\ngap = nan", "bounds.gap is nan; it must be a number above 0"),
        ("[bounds]\ngap = inf", "bounds.gap is inf;"),
        ("[bounds]\ngap = 0.0", "bounds.gap is 0.0;"),
        ("[bounds]\nread_share = 1.5", "bounds.read_share is 1.5; it must be a number above 0, at most 1."),
        ("[retention]\ndays = 0", "retention.days is 0;"),
        (f"upload_bytes = {10**15}", "it must be a whole number from 1 to 1000000000000."),
        ("card_seconds = [1]", "card_seconds is [1];"),
        ("port = 65536", "port is 65536; it must be a whole number from 0 to 65535."),
        ("port = 80.5", "port is 80.5;"),
        ("think = 1", "think is 1; it must be true or false."),
        ("model = ''", "model is ''; it must be a text, such as \"qwen3:4b\"."),
        ("model = \"a\\u001bb\"", "it must be a text"),
        ("host = 7", "host is 7; it must be a text, such as \"127.0.0.1\"."),
        ("keep_alive = 'soon'", "keep_alive is 'soon'; it must be a time as Ollama takes it"),
        ("keep_alive = 30", "keep_alive is 30;"),
        ("model = ", "is not TOML: "),
        ("model = 'a'\nmodel = 'b'", "is not TOML: "),
    ],
)  # fmt: skip
def test_what_is_wrong_is_said_in_one_sentence(tmp_path, text, said):
    with pytest.raises(AssistantError) as caught:
        settings(tmp_path, text)
    assert said in str(caught.value)
    assert str(caught.value).startswith(f"{tmp_path / 'settings.toml'}")
    assert "\n" not in str(caught.value)


def test_a_file_that_can_not_be_read(tmp_path):
    (tmp_path / "settings.toml").write_bytes(b"\xff\xfe")
    with pytest.raises(AssistantError, match="is not TOML"):
        read_settings(Settings(workspace=tmp_path))
    (tmp_path / "settings.toml").unlink()
    (tmp_path / "settings.toml").mkdir()
    with pytest.raises(AssistantError, match="can not be read: Is a directory"):
        read_settings(Settings(workspace=tmp_path))


def test_the_template_changes_nothing_until_its_marks_are_taken_away(tmp_path):
    assert settings(tmp_path, template()) == Settings(workspace=tmp_path)
    said, lines = template().split("\n", 1)
    assert said.startswith("#")
    found = settings(tmp_path, re.sub(r"^# ", "", lines, flags=re.MULTILINE))
    changed = [name for name, _, is_new in in_effect(found) if is_new]
    assert changed == ["model", "retention.days", "retention.megabytes"]  # those that have no default


def test_init_writes_it_and_leaves_one_that_is_there(program, tmp_path):
    program("init", str(tmp_path / "fresh"))
    assert (tmp_path / "fresh" / "settings.toml").read_text() == template()
    (tmp_path / "own").mkdir()
    (tmp_path / "own" / "settings.toml").write_text("think = true\n")
    program("init", str(tmp_path / "own"))
    assert (tmp_path / "own" / "settings.toml").read_text() == "think = true\n"


@pytest.mark.parametrize("command", [("sessions",), ("run", "small"), ("serve", "--port", "0")])
def test_every_command_stops_at_a_wrong_file(program, command):
    (program.folder / "settings.toml").write_text("[bounds]\nrounds = 0\n")
    out, err = program(*command, status=1)
    assert out == ""
    assert err.startswith(f"{program.folder / 'settings.toml'}: bounds.rounds is 0;")
    assert len(err.splitlines()) == 1


def effective(program: Program, name: str, *arguments: str, **environment: str) -> str:
    """A setting as the page of models shows it."""
    with printed(program, "--port", "0", *arguments, **environment) as (_, address):
        page = httpx.get(f"{address}models", headers={"Accept": "text/html"}, trust_env=False).text
    found = re.search(rf"<code>{name}</code></td><td>([^<]*)", page)
    assert found, page
    return found[1]


def test_command_line_before_environment_before_file(program):
    (program.folder / "settings.toml").write_text('model = "file:1b"\nport = 7\n')
    assert effective(program, "model") == "file:1b"
    assert effective(program, "model", ASSISTANT_MODEL="env:1b") == "env:1b"
    assert effective(program, "model", "--model", "line:1b", ASSISTANT_MODEL="env:1b") == "line:1b"
    (program.folder / "settings.toml").unlink()
    assert effective(program, "model") == "none"


def test_the_port_of_the_file(program):
    (program.folder / "settings.toml").write_text("port = 0\n")
    with printed(program) as (_, address):
        assert get(f"{address}healthz")[0] == 200


def test_cloud_models_are_shown_by_the_environment_or_the_file(program):
    (program.folder / "settings.toml").write_text("show_cloud = true\n")
    assert effective(program, "show_cloud") == "true"
    assert effective(program, "show_cloud", ASSISTANT_CLOUD="0") == "false"


def test_a_deadline_of_the_file_is_the_one_that_counts(program):
    slow = SMALL.replace("if depth == 13:", "time.sleep(60 * (depth == 12))\n    if depth == 13:")
    (program.folder / "workflows" / "small.py").write_text(slow)
    (program.folder / "settings.toml").write_text("card_seconds = 0.2\n")
    _, err = program("run", "small", "--set", "depth=12", status=1)
    assert "This took longer than 0.2 seconds" in err


def test_the_doctor_names_the_file_and_what_is_wrong_in_it(program):
    told = program("doctor", "--port", "0")[0]
    assert f"There is no {program.folder / 'settings.toml'}; the defaults hold." in told
    (program.folder / "settings.toml").write_text("think = true\n[bounds]\nrounds = 9\n")
    assert "settings.toml changes think, bounds.rounds." in program("doctor", "--port", "0")[0]
    (program.folder / "settings.toml").write_text("think = 1\n")
    out, err = program("doctor", "--port", "0", status=1)
    assert "think is 1; it must be true or false." in out
    assert "see Settings" in err


def test_the_page_of_models_shows_the_settings_in_effect(tmp_path):
    folder = make_workspace(tmp_path / "work", small=SMALL)
    (folder / "settings.toml").write_text('keep_alive = "1h"\n')
    with serving(folder) as server:
        found = server.client.get("models", headers={"Accept": "text/html"})
    text = found.text[found.text.index('id="settings"') :]
    assert f"Settings in effect, from {folder / 'settings.toml'}" in text
    rows = {
        row[0]: row[1:]
        for row in re.findall(r"<code>([^<]+)</code></td><td>([^<]*)</td><td[^>]*>([^<]*)", text)
    }
    assert rows["keep_alive"] == ("1h", "")
    assert rows["bounds.rounds"] == (str(Bounds.rounds), "default")
    assert len(rows) == len(KEYS) + len(fields(Bounds)) + 2
