"""Results: how each kind is saved to a session's files."""

import stat

import pytest

from assistant.results import Download, Note, Table, save


def test_a_second_result_of_the_name_gets_a_number_and_nothing_else_is_left(tmp_path):
    files = [save(Table("pages", [{"a": n}]), tmp_path)["file"] for n in range(3)]
    assert files == ["pages.csv", "pages-2.csv", "pages-3.csv"]
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(files)
    assert {stat.S_IMODE(path.stat().st_mode) for path in tmp_path.iterdir()} == {0o600}


def test_a_link_that_lies_in_wait_is_not_followed(tmp_path):
    outside = tmp_path / "outside"
    folder = tmp_path / "files"
    folder.mkdir()
    (folder / "pages.csv").symlink_to(outside)
    assert save(Table("pages", [{"a": 1}]), folder)["file"] == "pages-2.csv"
    assert not outside.exists()


def test_download_copies_and_note_keeps_its_words(tmp_path):
    made = tmp_path / "chart.svg"
    made.write_bytes(b"<svg/>")
    files = tmp_path / "files"
    assert save(Download(made), files) == {"name": "chart.svg", "kind": "file", "file": "chart.svg"}
    assert (files / "chart.svg").read_bytes() == b"<svg/>"
    assert save(Note("# Häuser"), files) == {"name": "note", "kind": "note", "file": "note.md"}
    assert (files / "note.md").read_text(encoding="utf-8") == "# Häuser"
    with pytest.raises(ValueError, match="no file"):
        save(Download(tmp_path / "absent"), files)
    with pytest.raises(ValueError, match="not int"):
        save(5, files)
