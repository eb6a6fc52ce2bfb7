"""What the operator sets, from the environment, checked once at start.

It does: read `CREDITLINE_*` variables. It does not: hold secrets in files or defaults that only fit a laptop in
production. The rule it keeps: outside development nothing pretended is served.
"""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import Self

from api.sealing import Sealer
from api.sources.settings import Secret, SourceSettings

DEVELOPMENT_DATABASE = "sqlite:///var/creditline.sqlite"
DEVELOPMENT_MARKET = Path("var/market.sqlite")
EXAMPLE_BUSINESS = 40  # a retailer of the development market that is offered less than it asks for
_LEAST_KEY_CHARACTERS = 32


@dataclass(frozen=True, slots=True)
class Settings:
    """Settings of one process; every field can be set by an environment variable of its name.

    `market` plays every source from a market file inside the process: for tests and measurements of everything but
    the sources. `index_key` makes the blind indexes by which repeated people, accounts and devices are recognised;
    `seal_keys` (`id:base64 of 32 bytes`, the newest first, commas between) seal documents and one-time codes' seeds.
    """

    database_url: str = DEVELOPMENT_DATABASE
    market: Path | None = None
    development: bool = False
    host: str = "127.0.0.1"
    port: int = 8000
    release: str | None = None  # None serves the champion
    problems_url: str = "/problems"
    comparables: Path | None = None
    index_key: Secret = field(default_factory=lambda: Secret(""))
    seal_keys: Secret = field(default_factory=lambda: Secret(""))
    documents: Path = Path("var/documents")
    sources: SourceSettings = field(default_factory=SourceSettings)

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] | None = None) -> Self:
        """Read `CREDITLINE_` and a field's name in capitals, and what `SourceSettings` reads.

        ValueError names the variable that cannot be read.
        """
        variables = os.environ if environment is None else environment
        settings = cls(sources=SourceSettings.from_environment(variables))
        for name in (each.name for each in fields(cls) if each.name != "sources"):
            text = variables.get(f"CREDITLINE_{name.upper()}")
            if text is not None:
                settings = replace(settings, **{name: _value(name, text)})  # type: ignore[arg-type]
        return settings


def _value(name: str, text: str) -> object:
    match name:
        case "port":
            if not text.isdigit():
                raise ValueError("CREDITLINE_PORT must be a number")
            return int(text)
        case "development":
            return text.lower() in {"1", "true", "yes"}
        case "market" | "comparables" | "documents":
            return Path(text)
        case "index_key":
            if len(text) < _LEAST_KEY_CHARACTERS:
                raise ValueError(f"CREDITLINE_INDEX_KEY must have at least {_LEAST_KEY_CHARACTERS} characters")
            return Secret(text)
        case "seal_keys":
            try:
                Sealer.of(text)
            except ValueError:
                raise ValueError("CREDITLINE_SEAL_KEYS is written id:base64 of 32 bytes, with commas between") from None
            return Secret(text)
    return text
