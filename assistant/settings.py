"""The settings of one program run: a frozen value, made once by the command line and handed down."""

from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True)
class Bounds:
    """What a turn may cost at most; reaching one is said in the chat. Times in seconds."""

    rounds: int = 6
    calls: int = 12
    repairs: int = 2  # times that a refused value may be tried again
    extractions: int = 2  # tries to get the values of a message as JSON
    token_bytes: int = 2**20  # one line of the stream: a token, or a whole call
    wire_bytes: int = 2**26  # all lines of a request
    reply_bytes: int = 200_000
    thinking_bytes: int = 20_000  # of the thinking that is kept
    first_token: float = 600.0
    gap: float = 120.0
    total: float = 1_800.0  # the model's own time in a turn, and in one request
    history_tokens: int = 4_000
    num_ctx: int = 8_192
    num_predict: int = 1_024
    extract_tokens: int = 384
    read_share: float = 0.5  # of the estimated prompt; a model that read less may have lost its beginning
    prompts_kept: int = 200  # of a session, to be looked at


@dataclass(frozen=True)
class Retention:
    """Which sessions may go: those unchanged for `days`, and the oldest beyond `megabytes` in all."""

    days: float | None = None
    megabytes: float | None = None


@dataclass(frozen=True)
class Settings:
    """Where things are and how far they may go. `prefix` begins with a slash or is empty."""

    workspace: Path
    host: str = "127.0.0.1"
    port: int = 5001
    prefix: str = ""
    model: str | None = None
    ollama_host: str = "http://127.0.0.1:11434"
    allowed_hosts: tuple[str, ...] = ()
    allowed_origins: tuple[str, ...] = ()
    show_cloud: bool = False
    keep_alive: str = "30m"
    preload: bool = True  # a model reads the prompt's beginning while a card is open
    think: bool = False  # models that can think aloud do
    card_seconds: float = 30.0  # deadline of a step's body, options and defaults
    upload_bytes: int = 512 * 2**20
    undo_seconds: float = 10.0  # that a deleted session can be brought back
    bounds: Bounds = field(default_factory=Bounds)
    retention: Retention = field(default_factory=Retention)


PACKAGE = Path(__file__).resolve().parent


def program_version() -> str:
    """The version as it was installed, else as the file beside the package says."""
    # both are looked for only here: most commands never ask
    import tomllib
    from importlib.metadata import PackageNotFoundError, version

    try:
        return version("workflow-assistant")
    except PackageNotFoundError:
        project = tomllib.loads((PACKAGE.parent / "pyproject.toml").read_text("utf-8"))["project"]
        return str(project["version"])


def shipped(folder: str) -> Path:
    """The shipped `workflows` or `prompts`: inside an installed package, else beside it in the repository."""
    inside = PACKAGE / "shipped" / folder
    return inside if inside.is_dir() else PACKAGE.parent / folder
