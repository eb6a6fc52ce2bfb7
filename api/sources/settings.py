"""Where the sources are and by what they know us, from the environment.

It does: read addresses, time limits and credentials, the latter also from files. It does not: show a credential in
any repr, or take one from anywhere else. The rule it keeps: outside development an address is https, and nothing
is a sandbox.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Self
from urllib.parse import urlsplit

SANDBOX_URL = "http://127.0.0.1:8100"
_SANDBOX_TOKEN = "sandbox-token"
_PATHS = {
    "register": "/abn-lookup", "company_register": "/company-register", "marketplace": "/marketplace",
    "bank": "/cdr", "bureau": "/bureau",
}  # fmt: skip
_TIMEOUTS_MS = {"register": 3_000, "company_register": 3_000, "marketplace": 3_000, "bank": 5_000, "bureau": 5_000}
_MOST_TIMEOUT_MS = 30_000


class Secret:
    """A credential: it is used, never shown."""

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        self._value = value

    def reveal(self) -> str:
        """The credential itself, for the header that carries it."""
        return self._value

    def __repr__(self) -> str:
        return "***"

    def __bool__(self) -> bool:
        return bool(self._value)


@dataclass(frozen=True, slots=True)
class Place:
    """Where one source is; `credential` is a bearer token, or ABN Lookup's GUID."""

    url: str
    credential: Secret
    timeout_s: float


@dataclass(frozen=True, slots=True)
class SourceSettings:
    """Every source that is set up; None where it is not, which gives failed facts and so referrals."""

    register: Place | None = None
    company_register: Place | None = None
    marketplace: Place | None = None
    bank: Place | None = None
    bureau: Place | None = None
    sanctions_list: str | None = None  # a file, or an address to load it from

    @property
    def places(self) -> tuple[tuple[str, Place], ...]:
        """Each place that is set up, by name."""
        return tuple((name, place) for name in _PATHS if (place := getattr(self, name)) is not None)

    @classmethod
    def from_environment(cls, variables: Mapping[str, str]) -> Self:
        """Read `CREDITLINE_<SOURCE>_URL`, `_TOKEN` (or `_TOKEN_FILE`), `_TIMEOUT_MS`, `CREDITLINE_SANCTIONS_LIST`.

        `CREDITLINE_SANDBOX` sets whatever of these is not set to a sandbox at that address. ValueError names the
        variable that cannot be read.
        """
        sandbox = variables.get("CREDITLINE_SANDBOX", "").rstrip("/")
        places = {name: _place(name, variables, sandbox) for name in _PATHS}
        listed = variables.get("CREDITLINE_SANCTIONS_LIST") or (
            f"{sandbox}/sanctions/consolidated.xlsx" if sandbox else None
        )
        return cls(**places, sanctions_list=listed)


def _place(name: str, variables: Mapping[str, str], sandbox: str) -> Place | None:
    prefix = f"CREDITLINE_{name.upper()}"
    url = variables.get(f"{prefix}_URL") or (sandbox + _PATHS[name] if sandbox else None)
    if url is None:
        return None
    parts = urlsplit(url)
    if parts.scheme not in {"http", "https"} or not parts.hostname or parts.query or parts.fragment or parts.username:
        raise ValueError(f"{prefix}_URL must be an http(s) address without user, query or fragment")
    played = "sandbox-guid" if name == "register" else _SANDBOX_TOKEN
    told = _credential(prefix, variables)
    timeout = variables.get(f"{prefix}_TIMEOUT_MS", str(_TIMEOUTS_MS[name]))
    if not timeout.isdigit() or not 1 <= int(timeout) <= _MOST_TIMEOUT_MS:
        raise ValueError(f"{prefix}_TIMEOUT_MS must be a number from 1 to {_MOST_TIMEOUT_MS}")
    return Place(url.rstrip("/"), Secret(told or (played if sandbox else "")), int(timeout) / 1000)


def _credential(prefix: str, variables: Mapping[str, str]) -> str:
    """The token of the environment, or of the file that it names."""
    file = variables.get(f"{prefix}_TOKEN_FILE")
    if file is None:
        return variables.get(f"{prefix}_TOKEN", "")
    try:
        return Path(file).read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError):
        raise ValueError(f"{prefix}_TOKEN_FILE cannot be read") from None
