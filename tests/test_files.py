"""A session's files: names that harm nobody, and files that are whole or not there."""

import hashlib
import io
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assistant.errors import WriteFailed
from assistant.files import keep_upload, safe_name, unique

texts = st.text(st.characters(exclude_categories=["Cs"]))


@pytest.mark.parametrize(
    "text, name",
    [
        ("pages.csv", "pages.csv"),
        ("../../etc/passwd", "etc-passwd"),
        ("..\\..\\x.txt", "x.txt"),
        (".hidden", "hidden"),
        ("-rf", "rf"),
        ("~root", "root"),
        ("a\x00b\n.txt", "ab.txt"),
        ("name\u202etxt.exe", "nametxt.exe"),
        ("CON", "_CON"),
        ("nul.txt", "_nul.txt"),
        ("com¹.log", "_com¹.log"),
        ("Größe 長さ.csv", "Größe 長さ.csv"),
        ("trailing. . ", "trailing"),
        ("", "file"),
        ("///", "file"),
        ("x" * 300 + ".csv", "x" * 116 + ".csv"),
        ("é" * 300, "é" * 60),
    ],
)
def test_safe_names(text, name):
    assert safe_name(text) == name


@given(st.one_of(st.text(), texts.map(lambda t: t * 20), st.text("CONaux.:/ -~1", max_size=12)))
def test_every_name_is_safe_and_stays_as_it_is(text):
    name = safe_name(text)
    assert safe_name(name) == name
    assert 0 < len(name.encode()) <= 120
    assert Path(name).name == name and not name.startswith((".", "-", "~", " "))
    assert not set(name) & set('<>:"/\\|?*\x00\r\n')


def test_unique_makes_the_file(tmp_path):
    assert [unique(tmp_path, "a.txt").name for _ in range(3)] == ["a.txt", "a-2.txt", "a-3.txt"]


def test_an_upload_is_kept_under_a_name_of_its_own_with_its_digest(tmp_path):
    content = bytes(range(256)) * 5_000  # more than one piece
    digest = hashlib.sha256(content).hexdigest()
    files = [keep_upload(tmp_path / "files", "../a.txt", io.BytesIO(content)) for _ in range(2)]
    assert files == [
        {"file": "a.txt", "bytes": len(content), "sha256": digest},
        {"file": "a-2.txt", "bytes": len(content), "sha256": digest},
    ]
    assert (tmp_path / "files" / "a-2.txt").read_bytes() == content


def test_of_an_upload_that_breaks_off_nothing_is_left(tmp_path):
    class Broken(io.RawIOBase):
        def read(self, size: int = -1) -> bytes:
            raise OSError(5, "Input/output error")

    with pytest.raises(WriteFailed, match=r"'a\.txt' could not be kept: Input/output error"):
        keep_upload(tmp_path, "a.txt", Broken())
    assert list(tmp_path.iterdir()) == []
