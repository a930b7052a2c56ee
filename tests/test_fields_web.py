"""Every kind of field, from the page's control by the form's encoding to the value that the run gets."""

import csv
import io
import json
import stat

import pytest
from serving import HTMX, make_workspace, serving, soup

EVERY = '''
"""All kinds of fields."""
from dataclasses import dataclass
from datetime import date, datetime, time
from decimal import Decimal
from enum import Enum
from typing import Annotated, Literal

from pydantic import BaseModel, EmailStr, HttpUrl

from assistant import Ask, Secret, Table, Upload, Workflow

flow = Workflow("Every kind")


class Shade(Enum):
    PALE = "pale"
    DARK = "dark"


@dataclass(frozen=True)
class Point:
    x: int
    y: float = 0.5


class Person(BaseModel):
    name: str
    age: int | None = None
    active: bool = False


@flow.step
def scalars(
    title: str,
    story: Annotated[str, Ask("Story", long=True)],
    count: Annotated[int, Ask("Count", ge=1, le=9)],
    ratio: float,
    price: Decimal,
    on: bool,
    off: bool,
    day: date,
    moment: datetime,
    hour: time,
):
    """Single values?"""


@flow.step
def chosen(
    color: Literal["red", "green"],
    size: Literal[1, 2, 3],
    shade: Shade,
    city: Annotated[str, Ask("City", options=[f"city {n}" for n in range(30)])],
    tags: list[Literal["a", "b", "c"]],
    marks: set[Literal[1, 2, 3]],
):
    """Which ones?"""


@flow.step
def several(
    site: HttpUrl,
    mail: EmailStr,
    words: list[str],
    pair: tuple[int, str],
    counts: dict[str, int],
    point: Point,
    person: Person,
    stops: list[Point],
    people: list[Person],
):
    """What parts?"""


@flow.step
def perhaps(
    remark: str | None,
    level: int | None,
    since: date | None,
    tone: Literal["low", "high"] | None,
    where: Point | None,
    paper: Upload | None,
    pages: list[Upload] = [],
):
    """Anything more?"""


@flow.step
def given(letter: Annotated[Upload, Ask("Letter", accept=".txt")], key: Secret):
    """Which file?"""


@flow.run
def tell(**values):
    letter, key = values.pop("letter"), values.pop("key")
    print("the key is", str(key))
    told = [{"name": name, "value": f"is {value!r}"} for name, value in values.items()]
    told.append({"name": "letter", "value": f"{letter.name}: {letter.read_text()}"})
    told.append({"name": "key", "value": f"{type(key).__name__} of {len(key)}"})
    yield Table("told", told)
'''

SCALARS = {
    "title": "Grüße <b>", "story": "one\r\ntwo", "count": "7", "ratio": "0.25", "price": "19.90", "on": "on",
    "day": "2026-11-21", "moment": "2026-11-21T10:30", "hour": "10:30",
}  # fmt: skip
CHOSEN = {
    "color": "green",
    "size": "2",
    "shade": "dark",
    "city": "city 7",
    "tags": ["a", "c"],
    "marks": ["1", "3"],
}
SEVERAL = {
    "site": "https://example.org/a?b=c", "mail": "ada@example.org", "words": "one\r\ntwo words\r\n",
    "pair.0": "3", "pair.1": "three", "counts.0.key": "k", "counts.0.value": "1", "counts.1.key": "",
    "counts.1.value": "", "point.x": "4", "point.y": "", "person.name": "Ada", "person.age": "36",
    "person.active": "on", "stops.0.x": "1", "stops.0.y": "2.5", "stops.3.x": "5", "stops.3.y": "6",
    "stops.4.x": "", "stops.4.y": "", "people.0.name": "Bo", "people.0.age": "",
}  # fmt: skip
KEY = "correct horse battery staple"
VALUES = {
    "title": "'Grüße <b>'", "count": "7", "ratio": "0.25", "price": "Decimal('19.90')", "on": "True",
    "off": "False",
    "day": "datetime.date(2026, 11, 21)", "moment": "datetime.datetime(2026, 11, 21, 10, 30)",
    "hour": "datetime.time(10, 30)", "color": "'green'", "size": "2", "shade": "<Shade.DARK: 'dark'>",
    "city": "'city 7'", "tags": "['a', 'c']", "marks": "{1, 3}", "words": "['one', 'two words']",
    "pair": "(3, 'three')", "counts": "{'k': 1}", "point": "Point(x=4, y=0.5)", "mail": "'ada@example.org'",
    "person": "Person(name='Ada', age=36, active=True)", "stops": "[Point(x=1, y=2.5), Point(x=5, y=6.0)]",
    "people": "[Person(name='Bo', age=None, active=False)]", "remark": "None", "level": "None",
    "since": "None", "tone": "None", "where": "None", "paper": "None", "pages": "[]", "key": "Secret of 28",
    "letter": "letter.txt: Dear Ada",
}  # fmt: skip
LETTER = {"letter": ("letter.txt", b"Dear Ada", "text/plain")}


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    with serving(make_workspace(tmp_path_factory.mktemp("fields") / "work", every=EVERY)) as server:
        yield server


def told(server, sid) -> dict[str, str]:
    """What the run was given, as `repr` has it, by name."""
    run = server.run(sid)
    assert run["state"] == "finished", run
    (table,) = [r for r in run["results"] if r["kind"] == "table"]
    rows = csv.DictReader(
        io.StringIO(server.get(f"sessions/{sid}/files/{table['file']}").content.decode("utf-8-sig"))
    )
    return {row["name"]: row["value"].removeprefix("is ") for row in rows}


def at(server, step) -> str:
    """A session whose card `step` is open."""
    sid = server.begin("every")
    for name, form in (("scalars", SCALARS), ("chosen", CHOSEN), ("several", SEVERAL), ("perhaps", {})):
        if name == step:
            break
        server.next(sid, name, form)
    return sid


def names(page, step) -> set[str]:
    """The names of a form's controls."""
    return {control["name"] for control in page.find(id=f"form-{step}").select("[name]")}


def form_of(page, step) -> dict[str, list[str]]:
    """What a browser would send of the card's form."""
    sent: dict[str, list[str]] = {}
    for control in page.find(id=f"form-{step}").select("input[name], select[name], textarea[name]"):
        if control.name == "textarea":
            values = [control.get_text()]
        elif control.name == "select":
            values = [o["value"] for o in control.select("option[selected]")] or [
                control.find("option")["value"]
            ]
        elif control.get("type") in ("checkbox", "radio"):
            values = [control.get("value", "on")] if control.has_attr("checked") else []
        else:
            values = [] if control.get("type") == "file" else [control.get("value", "")]
        if values:
            sent.setdefault(control["name"], []).extend(values)
    return sent


# --- the form's encoding ---------------------------------------------------------------------------------


def test_every_kind_by_the_encoding_of_its_form(server):
    sid = at(server, "given")
    server.next(sid, "given", {"key": KEY}, files=LETTER)
    assert server.state(sid)["open"] is None
    given = told(server, sid)
    assert {name: given[name] for name in VALUES} == VALUES
    assert given["site"].endswith("('https://example.org/a?b=c')")
    assert given["story"] in ("'one\\ntwo'", "'one\\r\\ntwo'")


def test_every_kind_with_parts_by_one_json_text(server):
    sid = at(server, "several")
    server.next(
        sid, "several",
        {
            "site": "https://example.org/a?b=c", "mail": "ada@example.org", "words": '["one", "two words"]',
            "pair": '[3, "three"]', "counts": '{"k": 1}', "point": '{"x": 4}',
            "person": '{"name": "Ada", "age": 36, "active": true}',
            "stops": '[{"x": 1, "y": 2.5}, {"x": 5, "y": 6}]',
            "people": '[{"name": "Bo"}]',
        },
    )  # fmt: skip
    server.next(
        sid, "perhaps", {"where": '{"x": 1, "y": 2}', "tone": "low", "level": "3", "since": "2026-01-02"}
    )
    server.next(sid, "given", {"key": KEY}, files=LETTER)
    given = told(server, sid)
    more = {"where": "Point(x=1, y=2.0)", "tone": "'low'", "level": "3", "since": "datetime.date(2026, 1, 2)"}
    assert {name: given[name] for name in VALUES} == VALUES | more


def test_the_choices_by_one_json_text(server):
    sid = at(server, "chosen")
    server.next(sid, "chosen", CHOSEN | {"tags": '["a", "c"]', "marks": "[1, 3]"})
    assert server.state(sid)["values"]["tags"] == ["a", "c"]
    assert server.state(sid)["values"]["marks"] == [1, 3]


# --- the page --------------------------------------------------------------------------------------------


def test_controls_are_named_as_the_parameters_and_parts(server):
    sid = at(server, "scalars")
    page = server.page(f"sessions/{sid}")
    assert names(page, "scalars") == set(SCALARS) | {"off"}
    kinds = {
        control["name"]: control.get("type", control.name) for control in page.select("#form-scalars [name]")
    }
    assert kinds == {
        "title": "text", "story": "textarea", "count": "text", "ratio": "text", "price": "text",
        "on": "checkbox",
        "off": "checkbox", "day": "date", "moment": "datetime-local", "hour": "time",
    }  # fmt: skip
    page = server.page(f"sessions/{at(server, 'chosen')}")
    assert names(page, "chosen") == set(CHOSEN)
    assert [o["value"] for o in page.select("[name=city] option")][-30:] == [f"city {n}" for n in range(30)]
    assert [i["value"] for i in page.select("input[name=marks][type=checkbox]")] == ["1", "2", "3"]
    page = server.page(f"sessions/{at(server, 'several')}")
    found = names(page, "several")
    assert found >= {"site", "mail", "words", "pair.0", "pair.1", "counts.0.key", "counts.0.value"}
    assert found >= {
        "point.x",
        "point.y",
        "person.name",
        "person.age",
        "person.active",
        "stops.0.x",
        "people.0.name",
    }
    page = server.page(f"sessions/{at(server, 'given')}")
    assert page.select_one("#form-given")["enctype"] == "multipart/form-data"
    assert page.select_one("[name=letter]")["type"] == "file"
    assert page.select_one("[name=letter]")["accept"] == ".txt"
    assert page.select_one("[name=key]")["type"] == "password"


@pytest.mark.parametrize("step", ["scalars", "chosen", "several", "perhaps", "given"])
def test_every_control_has_a_name_for_people_and_every_field_a_place_for_its_error(server, step):
    page = server.page(f"sessions/{at(server, step)}")
    form = page.find(id=f"form-{step}")
    for control in form.select("input:not([type=hidden]), select, textarea"):
        labelled = control.get("aria-label") or control.get("aria-labelledby")
        wrapped = control.find_parent("label")
        assert labelled or wrapped or page.select_one(f"label[for='{control.get('id')}']"), control
    for name in {name.split(".")[0] for name in names(page, step)}:
        assert page.find(id=f"error-{name}") is not None, name


def test_what_was_set_stands_in_the_form_again_and_gives_the_same_values(server):
    sid = at(server, "perhaps")
    before = server.state(sid)["values"]
    for step in ("scalars", "chosen", "several"):
        assert server.post(f"sessions/{sid}/steps/{step}/reopen").status_code == 303
        server.next(sid, step, form_of(server.page(f"sessions/{sid}"), step))
    assert server.state(sid)["values"] == before
    assert server.did(sid, "refused") == []


def test_a_whole_number_stands_in_its_field_without_a_point(server):
    sid = at(server, "perhaps")
    server.post(f"sessions/{sid}/steps/scalars/reopen")
    server.next(sid, "scalars", form_of(server.page(f"sessions/{sid}"), "scalars") | {"ratio": "3"})
    server.post(f"sessions/{sid}/steps/scalars/reopen")
    assert server.page(f"sessions/{sid}").select_one("#cards [name=ratio]")["value"] == "3"
    assert server.state(sid)["values"]["ratio"] == 3.0


def _line_ends(text: str) -> str:
    return text.replace("\r\n", "\n").strip()


def test_a_refused_form_still_holds_everything_that_was_typed(server):
    wrong = {
        "scalars": SCALARS | {"count": "11", "price": "dear", "off": "on", "day": "the 5th"},
        "chosen": CHOSEN | {"size": "9", "tags": ["b"]},
        "several": SEVERAL | {"mail": "nobody", "point.x": "four", "pair.0": "x", "counts.0.value": "many"},
        "perhaps": {"remark": "a & b", "level": "low", "since": "2026-01-02", "tone": "high", "where.x": "9",
                    "where.y": "1"},
    }  # fmt: skip
    for step, form in wrong.items():
        for headers in ({}, HTMX):
            sid = at(server, step)
            before = server.state(sid)["values"]
            held = form_of(soup(server.next(sid, step, form, 422, headers=headers)), step)
            assert server.state(sid)["values"] == before
            for name, sent in form.items():
                values = sent if isinstance(sent, list) else [sent]
                if values == [""] or (name, values) == ("size", ["9"]):
                    continue  # a radio that there is not can not be chosen
                again = held.get(name) or held.get(name.replace(".3.", ".1."), [])  # rows move up
                assert [_line_ends(text) for text in again] == [_line_ends(text) for text in values], name
            blank = [texts for name, texts in held.items() if name not in form and "." not in name]
            assert all(texts in ([""], ["[]"]) for texts in blank), held


def test_a_refused_form_says_why_at_each_field(server):
    sid = at(server, "scalars")
    page = soup(server.next(sid, "scalars", SCALARS | {"count": "11", "price": "dear"}, 422))
    assert "11" in page.find(id="error-count").text
    assert page.find(id="error-price").text
    assert page.find(id="error-title").text == ""
    control = page.select_one("[name=count]")
    assert control["aria-invalid"] == "true"
    assert control["aria-describedby"] == "error-count"
    assert {entry["name"]: entry["value"] for entry in server.did(sid, "refused")} == {
        "count": "11",
        "price": "dear",
    }
    assert not server.did(sid, "set")


def test_an_empty_form_is_refused_with_a_sentence_for_each_field_and_never_fails(server):
    for step in ("scalars", "chosen", "several", "given"):
        sid = at(server, step)
        page = soup(server.next(sid, step, {}, 422))
        assert any(p.text for p in page.select(f"#form-{step} p.error"))
    server.next(at(server, "perhaps"), "perhaps", {})


@pytest.mark.parametrize(
    "text",
    ["nan", "inf", "1e999", "9" * 400, "\x00", "\ufffd",
     "[" * 10_000, '{"x":' * 2_000, "<script>alert(1)</script>", "True", "null", "١٢", "x" * 30_000],
)  # fmt: skip
def test_hostile_text_in_every_field_is_an_answer_and_not_a_failure(server, text):
    for step, form in (("scalars", SCALARS), ("several", SEVERAL)):
        sid = at(server, step)
        plain = {name.split(".")[0]: text for name in form}
        for sent in (dict.fromkeys(form, text), plain):
            answer = server.post(f"sessions/{sid}/steps/{step}", sent)
            assert answer.status_code in (303, 422), answer.text[:400]
            assert "<script>alert" not in answer.text
        assert server.get(f"sessions/{sid}").status_code == 200
        server.entries(sid)


ODD = (
    "host cookie request session sid app site action text model at name workflow value entry step headers "
    "form id open values origins n run cards start user data self type class_"
).split()


def test_parameters_and_steps_may_be_named_as_anything(server):
    parameters = ", ".join(f"{name}: str" for name in ODD)
    source = f'''
from assistant import Note, Workflow

flow = Workflow("Odd names")


@flow.step
def run({parameters}):
    """All of them?"""


@flow.step
def cards(model, start_: str = "x"):
    """And then?"""


@flow.run
def go(**values):
    yield Note(repr(values))
'''
    (server.workspace / "workflows" / "odd.py").write_text(source, "utf-8")
    sid = server.begin("odd")
    page = server.page(f"sessions/{sid}")
    ids = [element["id"] for element in page.select("[id]")]
    assert len(ids) == len(set(ids))
    assert names(page, "run") == set(ODD)
    server.next(sid, "run", {name: f"the {name}" for name in ODD})
    assert server.state(sid)["values"] == {name: f"the {name}" for name in ODD}
    server.next(sid, "cards", {})
    assert server.run(sid)["state"] == "finished"


# --- uploads ---------------------------------------------------------------------------------------------


def test_an_upload_is_kept_as_a_file_and_named_in_the_log(server):
    sid = at(server, "given")
    content = bytes(range(256)) * 5_000
    server.next(sid, "given", {"key": KEY}, files={"letter": ("letter.txt", content)})
    (added,) = server.did(sid, "added")
    assert (added["file"], added["bytes"], len(added["sha256"])) == ("letter.txt", len(content), 64)
    path = server.folder(sid) / "files" / "letter.txt"
    assert path.read_bytes() == content
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert server.state(sid)["values"]["letter"] == {"file": "letter.txt"}
    answer = server.get(f"sessions/{sid}/files/letter.txt")
    assert answer.content == content
    assert answer.headers["content-disposition"].startswith("attachment")
    assert answer.headers["content-security-policy"] == "sandbox"
    assert answer.headers["x-content-type-options"] == "nosniff"


@pytest.mark.parametrize(
    "name",
    ["../../../etc/passwd", "/etc/passwd", "..\\..\\x.txt", ".hidden", "con.txt", "a" * 400 + ".txt",
     "<b>.html",
     "log.jsonl", "новый файл.txt", "a\u202etxt.exe", "%2e%2e%2fx.txt", "semi;colon\".txt"],
)  # fmt: skip
def test_an_upload_with_a_hostile_name_stays_in_its_folder(server, name):
    sid = at(server, "perhaps")
    server.next(sid, "perhaps", {}, files={"paper": (name, b"x")})
    (added,) = server.did(sid, "added")
    folder = server.folder(sid)
    assert [p.name for p in (folder / "files").iterdir()] == [added["file"]]
    assert not set(added["file"]) & set('/\\<>"\u202e')
    assert {p.name for p in folder.iterdir()} <= {"log.jsonl", "log.lock", "files"}
    page = server.page(f"sessions/{sid}")
    assert added["file"] in page.find(id="card-perhaps").text
    assert server.get(f"sessions/{sid}/files/{added['file'].replace('%', '%25')}").content == b"x"


def test_two_uploads_of_one_name_are_two_files_and_none_keeps_the_first(server):
    sid = at(server, "given")
    server.next(sid, "given", {"key": KEY}, files=LETTER)
    server.post(f"sessions/{sid}/steps/given/reopen")
    form = form_of(server.page(f"sessions/{sid}"), "given")
    assert json.loads(form["letter"][0]) == {"file": "letter.txt"}
    server.next(sid, "given", form, files={"letter": ("", b"")})
    assert server.state(sid)["values"]["letter"] == {"file": "letter.txt"}
    server.post(f"sessions/{sid}/steps/given/reopen")
    server.next(sid, "given", {}, files={"letter": ("letter.txt", b"other")})
    assert server.state(sid)["values"]["letter"] == {"file": "letter-2.txt"}
    assert (server.folder(sid) / "files" / "letter.txt").read_bytes() == b"Dear Ada"


def test_an_upload_of_a_refused_form_is_still_there_for_the_next_one(server):
    sid = at(server, "given")
    form = form_of(soup(server.next(sid, "given", {"key": ""}, 422, files=LETTER)), "given")
    assert json.loads(form["letter"][0]) == {"file": "letter.txt"}
    server.next(sid, "given", form | {"key": KEY}, files={"letter": ("", b"")})
    assert server.state(sid)["values"]["letter"] == {"file": "letter.txt"}


def test_an_upload_to_a_card_that_is_not_open_is_not_kept(server):
    sid = at(server, "given")
    server.next(sid, "given", {"key": KEY}, files=LETTER)
    server.next(sid, "given", {"key": KEY}, 409, files={"letter": ("late.txt", b"late")})
    assert not (server.folder(sid) / "files" / "late.txt").exists()
    assert [entry["file"] for entry in server.did(sid, "added")] == ["letter.txt"]


def test_several_uploads_in_one_field(server):
    sid = at(server, "perhaps")
    picker = server.page(f"sessions/{sid}").select_one("[name=pages]")
    assert (picker["type"], picker.has_attr("multiple")) == ("file", True)
    for names in (["a.txt"], ["b.txt", "c.txt"]):
        files = [("pages", (name, name.encode())) for name in names]
        page = soup(server.next(sid, "perhaps", {"level": "low"}, 422, files=files))
        form = form_of(page, "perhaps")
        assert json.loads(form["pages"][0]) == [{"file": name} for name in names]
    server.next(sid, "perhaps", form | {"level": "3"}, files={"pages": ("", b"")})
    assert server.state(sid)["values"]["pages"] == [{"file": "b.txt"}, {"file": "c.txt"}]
    server.post(f"sessions/{sid}/steps/perhaps/reopen")
    server.next(
        sid, "perhaps", form_of(server.page(f"sessions/{sid}"), "perhaps"), files={"pages": ("", b"")}
    )
    assert server.state(sid)["values"]["pages"] == [{"file": "b.txt"}, {"file": "c.txt"}]


def test_a_file_in_a_field_that_takes_none_is_not_kept(server):
    sid = at(server, "scalars")
    server.next(
        sid,
        "scalars",
        {k: v for k, v in SCALARS.items() if k != "title"},
        422,
        files={"title": ("a.txt", b"x")},
    )
    assert server.did(sid, "added") == []
    assert not list((server.folder(sid) / "files").glob("*"))


def test_a_named_file_that_the_session_does_not_have_is_refused(server):
    sid = at(server, "given")
    for name in ("nothing.txt", "../log.jsonl", "../secrets.json", "/etc/passwd"):
        server.next(sid, "given", {"key": KEY, "letter": json.dumps({"file": name})}, 422)
    assert server.state(sid)["open"] == "given"


# --- secrets ---------------------------------------------------------------------------------------------


def test_a_secret_is_in_its_file_and_nowhere_else(server):
    sid = at(server, "given")
    server.next(sid, "given", {"key": KEY}, files=LETTER)
    secrets = server.folder(sid) / "secrets.json"
    assert json.loads(secrets.read_text()) == {"key": KEY}
    assert stat.S_IMODE(secrets.stat().st_mode) == 0o600
    assert server.state(sid)["values"]["key"] == {"secret": True}
    told(server, sid)
    server.post(f"sessions/{sid}/steps/given/reopen")
    for path in server.folder(sid).rglob("*"):
        assert path == secrets or path.is_dir() or KEY.encode() not in path.read_bytes(), path
    addresses = ["", "/record", "/export/log.jsonl", "/export/parameters.json", "/export/parameters.csv",
                 "/export/conversation.md", "?at=5"]  # fmt: skip
    for address in addresses:
        assert KEY not in server.get(f"sessions/{sid}{address}").text, address
    assert KEY not in json.dumps(server.state(sid))
    assert KEY not in server.errors()
    output = next((server.folder(sid) / "files").glob("*-output.txt")).read_text()
    assert "the key is" in output
    server.next(sid, "given", {"key": ""}, files={"letter": ("", b"")})  # left empty: it is kept
    assert json.loads(secrets.read_text()) == {"key": KEY}


@pytest.mark.parametrize("headers", [{}, HTMX])
def test_a_refused_form_does_not_give_the_secret_back(server, headers):
    sid = at(server, "given")
    answer = server.next(sid, "given", {"key": KEY}, 422, headers=headers)
    assert KEY not in answer.text
    assert not (server.folder(sid) / "secrets.json").exists()
    assert all(KEY not in json.dumps(entry.as_dict()) for entry in server.entries(sid))
    assert KEY not in server.get(f"sessions/{sid}").text


def test_a_fork_takes_the_secret_and_the_files_along(server):
    sid = at(server, "given")
    server.next(sid, "given", {"key": KEY}, files=LETTER)
    made = server.post(f"sessions/{sid}/fork").headers["location"].rsplit("/", 1)[1]
    assert json.loads((server.folder(made) / "secrets.json").read_text()) == {"key": KEY}
    assert stat.S_IMODE((server.folder(made) / "secrets.json").stat().st_mode) == 0o600
    assert told(server, made)["letter"] == "letter.txt: Dear Ada"
