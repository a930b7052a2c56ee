"""What is said of a file that was not imported."""

from collections.abc import Sequence
from typing import Any

from fasthtml.components import H1, A, Button, Form, Input, Label, Li, Main, Nav, P, Small, Ul

from .base import page, top


def import_form() -> Any:
    """Chooses a file and sends it; works without scripts."""
    file = Input(type="file", name="file", accept=".zip,.jsonl", required=True)
    return Form(
        Label("Archive or log of a session", file, Small("A session.zip or a log.jsonl that was exported.")),
        Button("Import", type="submit"),
        method="post",
        action="import",
        enctype="multipart/form-data",
        id="import",
    )


def refused_page(prefix: str, reasons: Sequence[str]) -> Any:
    """All reasons, and the form to try another file with."""
    return page(
        "Not imported",
        prefix,
        top("Import"),
        Main(
            Nav(A("Back", href=".")),
            H1("The file was not imported. Nothing was changed."),
            Ul(*(Li(reason) for reason in reasons), role="alert"),
            P("Export the session again where it comes from, as session.zip, and take that file as it is."),
            import_form(),
            cls="problem",
        ),
        cls="plain",
    )
