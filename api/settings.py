"""What the operator sets, from the environment, checked once at start.

It does: read `CREDITLINE_*` variables. It does not: hold secrets in files or defaults that only fit a laptop in
production. The rule it keeps: outside development nothing pretended is served.
"""

import os
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Self

DEVELOPMENT_DATABASE = "sqlite:///var/creditline.sqlite"
DEVELOPMENT_MARKET = Path("var/market.sqlite")
EXAMPLE_BUSINESS = 40  # a retailer of the development market that is offered less than it asks for


@dataclass(frozen=True, slots=True)
class Settings:
    """Settings of one process; every field can be set by an environment variable of its name."""

    database_url: str = DEVELOPMENT_DATABASE
    market: Path | None = None
    development: bool = False
    host: str = "127.0.0.1"
    port: int = 8000
    release: str | None = None  # None serves the champion
    problems_url: str = "/problems"

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] | None = None) -> Self:
        """Read `CREDITLINE_DATABASE_URL`, `_MARKET`, `_DEVELOPMENT`, `_HOST`, `_PORT`, `_RELEASE`, `_PROBLEMS_URL`.

        ValueError names the variable that cannot be read.
        """
        variables = os.environ if environment is None else environment
        values = {name: variables.get(f"CREDITLINE_{name.upper()}") for name in cls.__dataclass_fields__}
        settings = cls()
        for name, text in values.items():
            if text is None:
                continue
            value: object = text
            if name == "port":
                if not text.isdigit():
                    raise ValueError("CREDITLINE_PORT must be a number")
                value = int(text)
            elif name == "development":
                value = text.lower() in {"1", "true", "yes"}
            elif name == "market":
                value = Path(text)
            settings = replace(settings, **{name: value})  # type: ignore[arg-type]
        return settings
