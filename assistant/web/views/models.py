"""The page of models: which there are and what each can do, getting and deleting them."""

from collections.abc import Iterable
from typing import Any

from fasthtml.components import (
    H1,
    H2,
    A,
    Button,
    Code,
    Details,
    Div,
    Form,
    Input,
    Label,
    Li,
    Main,
    P,
    Progress,
    Section,
    Small,
    Span,
    Summary,
    Table,
    Tbody,
    Td,
    Th,
    Thead,
    Tr,
    Ul,
)

from ...live import Pull
from ...models import Catalogue, ModelInfo
from ...models.preferences import Preferences, Suggestion
from .base import page, refresh, top, with_code

GUIDE_LINE = "Without a model the built-in guide answers; it needs none."


def models_page(
    prefix: str,
    found: Catalogue,
    pulls: Iterable[Pull],
    preferences: Preferences,
    session: str | None,
    settings: Any = "",
    trouble: str = "",
    typed: str = "",
) -> Any:
    """The whole page; `session` is the session to go back to, `settings` what stands below the models.

    `trouble` is why something was not done, and `typed` a name that was not taken.
    """
    running = any(pull.state == "running" for pull in pulls)
    back = A("Back to the session", href=f"sessions/{session}", cls="chip") if session else ""
    content: list[Any] = [H1("Models")]
    if trouble and trouble != found.problem:
        content.append(P(*with_code(trouble), cls="notice", role="alert"))
    if found.problem:
        content.append(P(*with_code(found.problem), cls="notice"))
        content.append(P(GUIDE_LINE))
    else:
        if preferences.problem:
            content.append(P(preferences.problem, cls="notice"))
        content += [get_form(session, typed), models_view(found, pulls, preferences.suggested, session)]
        content.append(P(Small(f"Ollama {found.version or ''} at {found.address}. {found.notice or ''}")))
    content.append(settings)
    return page(
        "Models",
        prefix,
        top("Models", back),
        Main(*content, cls="models"),
        cls="plain",
        head=(refresh(2),) if running and not trouble else (),
    )


def models_view(
    found: Catalogue, pulls: Iterable[Pull], suggested: Iterable[Suggestion], session: str | None
) -> Any:
    """What is being fetched, what there is and what could be; it looks again while something comes."""
    pulls = list(pulls)
    coming = {pull.name for pull in pulls}
    more = [each for each in suggested if each.name not in coming]
    running = any(pull.state == "running" for pull in pulls)
    address = f"models?{'session=' + session + '&' if session else ''}part=1"
    looks = {"hx_get": address, "hx_trigger": "every 500ms", "hx_swap": "outerMorph"} if running else {}
    rows = [_row(model, session) for model in found.models]
    heads = [Th(text, scope="col") for text in ("Model", "Can use")]
    heads += [Th(text, scope="col", cls="number") for text in ("Size", "Context")]
    table = Div(
        Table(Thead(Tr(*heads, Th(Span("Delete", cls="unseen"), scope="col"))), Tbody(*rows)),
        cls="scroll",
        tabindex="0",
        role="region",
        aria_label="Models that are here",
    )
    none = P("There is no model yet.", cls="quiet")
    return Section(
        *[_pull(pull, session) for pull in pulls],
        table if rows else none,
        suggestions(more, found, session),
        id="models",
        **looks,
    )


def settings_view(rows: Iterable[tuple[str, Any, bool]], file: str | None) -> Any:
    """The settings in effect, to be read: each with its name, its value and whether it is not the default."""
    told = "The command line and the environment come before the file, and the file is read at the start."
    lines = [
        Tr(
            Td(Code(name)),
            Td(_setting(name, value)),
            Td("" if changed else "default", cls="quiet"),
        )
        for name, value, changed in rows
    ]
    source = f"from {file}" if file else "all without a settings.toml"
    return Details(
        Summary(f"Settings in effect, {source}"),
        P(Small(told)),
        Div(Table(Tbody(*lines)), cls="scroll", tabindex="0", role="region", aria_label="Settings in effect"),
        id="settings",
    )


def _setting(name: str, value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int | float) and name != "port":
        return f"{value:,}" if isinstance(value, int) else f"{value:,g}"
    return "none" if value is None else str(value)


def get_form(session: str | None, typed: str = "") -> Any:
    field = Input(
        name="name", placeholder="qwen3:4b", required=True, aria_label="Name of a model", autocomplete="off",
        spellcheck="false", id="pull-name", value=typed or None,
    )  # fmt: skip
    return Form(
        Label("Get a model by its name", fr="pull-name"),
        Div(field, Button("Get"), cls="row"),
        _session(session),
        method="post",
        action="models/pull",
        cls="get",
    )


def _session(session: str | None) -> Any:
    return Input(type="hidden", name="session", value=session) if session else ""


def _act(what: str, name: str, session: str | None, text: str, **attributes: Any) -> Any:
    """A form that does something with a model; the page is loaded again."""
    return Form(
        Input(type="hidden", name="name", value=name),
        _session(session),
        Button(text, **{"cls": "plain", **attributes}),
        method="post",
        action=f"models/{what}",
    )


def _pull(pull: Pull, session: str | None) -> Any:
    share = f"{100 * pull.completed // pull.total} %" if pull.total else ""
    sizes = f"{size(pull.completed)} of {size(pull.total)}" if pull.total else pull.status or "asking"
    bounds = {"value": pull.completed, "max": pull.total} if pull.total else {}
    bar = Progress(**bounds, aria_label=f"{pull.name} {share}".strip())
    if pull.state == "running":
        line: list[Any] = [Small(f"{share} · {sizes}" if share else sizes)]
        actions = _act("cancel", pull.name, session, "Cancel", aria_label=f"Cancel {pull.name}")
    else:
        text = pull.reason or f"Stopped at {share or 'the start'}; what has come is kept."
        line = [Small(text, role="alert" if pull.state == "failed" else None)]
        go_on = "Go on" if pull.completed else "Try again"
        actions = Div(
            _act("pull", pull.name, session, go_on, cls="", aria_label=f"{go_on} with {pull.name}"),
            _act("cancel", pull.name, session, "Dismiss", aria_label=f"Dismiss {pull.name}"),
            cls="row",
        )
    head = Div(Code(pull.name), *line, actions, cls="row")
    id = "pull-" + "".join(c if c.isalnum() else "-" for c in pull.name)
    return Div(head, bar if pull.state != "failed" else "", cls="pull", data_state=pull.state, id=id)


def _row(model: ModelInfo, session: str | None) -> Any:
    able = [text for text, can in (("tools", model.tools), ("thinking", model.thinking)) if can]
    lacks = Span("no tools: words only", cls="quiet") if model.tools is False else ""
    cloud = Small("in the vendor's cloud", cls="cloud") if model.cloud else ""
    ask = Details(
        Summary("Delete", aria_label=f"Delete {model.name}"),
        _act("delete", model.name, session, f"Delete {model.name}", cls="danger"),
        cls="delete",
    )
    window = f"{model.context:,} tokens" if model.context else ""
    sizes = size(model.size) if model.size else ""
    return Tr(
        Td(Code(model.name), cloud),
        Td(", ".join(able), lacks),
        Td(sizes, cls="number"),
        Td(window, cls="number"),
        Td(ask),
        data_model=model.name,
    )


def suggestions(suggested: Iterable[Suggestion], found: Catalogue, session: str | None) -> Any:
    """Small models that can use tools and are not here yet."""
    here = {name for model in found.models for name in (model.name, model.name.removesuffix(":latest"))}
    rows = [_suggestion(each, session) for each in suggested if each.name not in here]
    if not rows:
        return ""
    told = Small("A models.toml in your workspace takes the place of this list.")
    return Section(H2("Small models that can use tools"), Ul(*rows, cls="suggested"), told)


def _suggestion(each: Suggestion, session: str | None) -> Any:
    about = " · ".join(part for part in (each.size, each.about) if part)
    get = _act("pull", each.name, session, "Get", aria_label=f"Get {each.name}")
    return Li(Code(each.name), Small(about), get)


def first_run(suggested: Iterable[Suggestion], session: str) -> Any:
    """Ollama is there without a model: which to get, and that none is needed."""
    return Div(
        P("Ollama is there, but has no model yet. ", GUIDE_LINE, " A small model that can use tools:"),
        Ul(*[_suggestion(each, session) for each in suggested], cls="suggested"),
        P(A("Another model", href=f"models?session={session}")),
        cls="first-run",
    )


def size(count: int) -> str:
    """Bytes as a person reads them."""
    for unit, factor in (("GB", 10**9), ("MB", 10**6), ("kB", 10**3)):
        if count >= factor:
            return f"{count / factor:.1f} {unit}"
    return f"{count} bytes"
