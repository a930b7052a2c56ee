"""The settings of one program run: a frozen value, made once by the command line and handed down."""

from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True)
class Bounds:
    """What a turn may cost at most; reaching one is said in the chat. Times in seconds."""

    rounds: int = 6
    calls: int = 12
    reply_bytes: int = 200_000
    first_token: float = 600.0
    gap: float = 120.0
    total: float = 1_800.0
    history_tokens: int = 4_000
    num_ctx: int = 8_192
    num_predict: int = 1_024


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
    card_seconds: float = 30.0  # deadline of a step's body, options and defaults
    upload_bytes: int = 512 * 2**20
    bounds: Bounds = field(default_factory=Bounds)


PACKAGE = Path(__file__).resolve().parent


def shipped(folder: str) -> Path:
    """The shipped `workflows` or `prompts`: inside an installed package, else beside it in the repository."""
    inside = PACKAGE / "shipped" / folder
    return inside if inside.is_dir() else PACKAGE.parent / folder
