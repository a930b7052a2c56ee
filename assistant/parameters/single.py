"""Single values: what each type takes as text, and as JSON."""

import math
import re
from collections.abc import Callable
from datetime import date, datetime, time
from decimal import Decimal
from typing import Any, Final

from pydantic import ValidationError

from .field import Field, Place, Secret, Upload
from .refusal import DIGITS, No, say, unfit
from .texts import checked_text, parsed
from .wording import listed


def _text(field: Field, raw: Any) -> str:
    if isinstance(raw, int) and not isinstance(raw, bool) and abs(raw) < 10**DIGITS:
        raw = str(raw)
    if not isinstance(raw, str):
        raise unfit(field, raw)
    text = raw.replace("\r\n", "\n").replace("\r", "\n")
    return text if field.kind == "long" else text.strip()


def _int(field: Field, raw: Any) -> int:
    if isinstance(raw, float) and raw.is_integer() and abs(raw) <= 2**53:
        return int(raw)
    if isinstance(raw, int) and not isinstance(raw, bool) and abs(raw) < 10**DIGITS:
        return raw
    if isinstance(raw, str) and re.fullmatch(rf"[+-]?[0-9]{{1,{DIGITS}}}", raw.strip()):
        return int(raw)
    raise unfit(field, raw)


_NUMBER: Final = re.compile(r"[+-]?([0-9]{1,300}(\.[0-9]{0,300})?|\.[0-9]{1,300})")
_FLOAT: Final = re.compile(_NUMBER.pattern + r"([eE][+-]?[0-9]{1,3})?")


def _float(field: Field, raw: Any) -> float:
    try:
        if isinstance(raw, int | float) and not isinstance(raw, bool):
            value = float(raw)
        elif isinstance(raw, str) and _FLOAT.fullmatch(raw.strip()):
            value = float(raw)
        else:
            raise unfit(field, raw)
    except OverflowError:
        raise unfit(field, raw) from None
    if not math.isfinite(value):
        raise unfit(field, raw)
    return value


def _decimal(field: Field, raw: Any) -> Decimal:
    if isinstance(raw, int) and not isinstance(raw, bool) and abs(raw) < 10**DIGITS:
        return Decimal(raw)
    if isinstance(raw, float) and math.isfinite(raw) and abs(raw) < 1e100:
        value = Decimal(repr(raw))
        if _NUMBER.fullmatch(format(value, "f")):  # as it will stand in the log
            return value
    if isinstance(raw, str) and _NUMBER.fullmatch(raw.strip()):
        return Decimal(raw.strip())
    raise unfit(field, raw)


_BOOLS: Final = {
    "on": True,
    "true": True,
    "yes": True,
    "1": True,
    "off": False,
    "false": False,
    "no": False,
    "0": False,
}


def _bool(field: Field, raw: Any) -> bool:
    if isinstance(raw, bool):
        return raw
    text = str(raw) if isinstance(raw, int) and raw in (0, 1) else raw
    if isinstance(text, str) and text.strip().casefold() in _BOOLS:
        return _BOOLS[text.strip().casefold()]
    raise unfit(field, raw)


_CLOCK: Final = r"\d\d:\d\d(:\d\d(\.\d{1,6})?)?(Z|[+-]\d\d:\d\d(:\d\d)?)?"
_ISO: Final[dict[str, tuple[re.Pattern[str], Callable[[str], Any]]]] = {
    "date": (re.compile(r"\d{4}-\d\d-\d\d", re.ASCII), date.fromisoformat),
    "time": (re.compile(_CLOCK, re.ASCII), time.fromisoformat),
    "datetime": (re.compile(rf"\d{{4}}-\d\d-\d\d[T ]{_CLOCK}", re.ASCII), datetime.fromisoformat),
}


def _iso(field: Field, raw: Any) -> Any:
    pattern, parse = _ISO[field.kind]
    if isinstance(raw, str) and pattern.fullmatch(raw.strip()):
        try:
            return parse(raw.strip())
        except ValueError:
            pass  # February 30: the same sentence as for anything else
    raise unfit(field, raw)


def _url(field: Field, raw: Any) -> Any:
    text = raw.strip() if isinstance(raw, str) else ""
    hide = "@" in text
    if (
        not re.match(r"https?://[^/\\]", text, re.IGNORECASE)
        or re.search(r"[\s\\]", text)
        or not text.isprintable()
    ):
        raise unfit(field, raw, hide)
    try:
        value = field.annotation(text)
    except ValidationError:
        value = None
    if value is None:
        raise unfit(field, raw, hide)
    if value.username is not None or value.password is not None:
        raise No(
            f"{field.label} is a web address without a user name and password in it; it was not taken.", hide
        )
    return value


_EMAIL: Final = re.compile(
    r"[^\s@<>()\[\]\\,;:\"]{1,64}@([^\W_]([\w-]{0,61}[^\W_])?\.)+[^\W_]([\w-]{0,61}[^\W_])"
)


def _email(field: Field, raw: Any) -> str:
    text = raw.strip() if isinstance(raw, str) else ""
    local = text.partition("@")[0]
    if len(text) > 254 or not text.isprintable() or not _EMAIL.fullmatch(text):
        raise unfit(field, raw)
    if local.startswith(".") or local.endswith(".") or ".." in local:
        raise unfit(field, raw)
    return text


def secret(field: Field, raw: Any, place: Place) -> Secret:
    if isinstance(raw, dict) and raw == {"secret": True}:
        if field.name not in place.secrets:
            raise No(f"{field.label} is not known here any more; enter it again.", hide=True)
        return Secret(place.secrets[field.name])
    if not isinstance(raw, str):
        raise No(f"{field.label} is text; what was given was not taken.", hide=True)
    return Secret(raw.strip())


def upload(field: Field, raw: Any, place: Place) -> Upload:
    if isinstance(raw, Upload):
        found = raw
    else:
        if isinstance(raw, str) and raw.lstrip().startswith("{"):
            raw = parsed(field, raw)
        name = raw.get("file") if isinstance(raw, dict) and set(raw) == {"file"} else raw
        if not isinstance(name, str):
            raise unfit(field, raw)
        name = checked_text(field, name)
        inside = name not in ("", ".", "..") and not re.search(r"[/\\\0]", name) and len(name.encode()) <= 255
        path = place.files / name if place.files is not None and inside else None
        if path is None or path.is_symlink() or not path.is_file():
            raise No(f"{field.label} is a file of this session; there is no {say(name)} in it.")
        found = Upload(path)
    accepted = [part.strip().casefold() for part in field.ask.accept.split(",") if part.strip()]
    if (
        accepted
        and all(part.startswith(".") for part in accepted)
        and found.suffix.casefold() not in accepted
    ):
        raise No(f"{field.label} is a file that ends in {listed(accepted)}; {say(found.name)} was not taken.")
    return found


JUDGES: Final[dict[str, Callable[[Field, Any], Any]]] = {
    "text": _text, "long": _text, "int": _int, "float": _float, "decimal": _decimal, "bool": _bool,
    "date": _iso, "datetime": _iso, "time": _iso, "url": _url, "email": _email,
}  # fmt: skip
