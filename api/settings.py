"""What the operator sets, from the environment, checked once at start.

It does: read `CREDITLINE_*` variables. It does not: hold secrets in files or defaults that only fit a laptop in
production. The rule it keeps: outside development nothing pretended is served.
"""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import TYPE_CHECKING, Self

from api.audit.settings import AuditSettings
from api.notices.settings import NoticeSettings
from api.receipts.settings import ReceiptSettings
from api.sealing import Sealer
from api.sources.settings import Secret, SourceSettings

if TYPE_CHECKING:
    from models import TrustRoot

DEVELOPMENT_DATABASE = "sqlite:///var/creditline.sqlite"
DEVELOPMENT_MARKET = Path("var/market.sqlite")
DEVELOPMENT_KEY_FILE = Path("var/development.key")
EXAMPLE_BUSINESS = 40  # a retailer of the development market that is offered less than it asks for
_LEAST_KEY_CHARACTERS = 32
_LEAST_WORKER_MIB = 192  # nearer to what a worker needs, it would be replaced again and again
_MADE_UP_LENDER = "Example Lender Pty Ltd (made up)"
_MOST_NAME_CHARACTERS = 200


class Unset(RuntimeError):
    """Something that only development may do without is not set."""


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
    worker_mib: int = 256  # resident memory above which a worker is replaced: it holds 140 under load
    releases: Path | None = None  # the folder of releases; None is the one that came with the program
    release: str | None = None  # None serves the champion
    trust: Path | None = None  # whose signatures on releases are believed; None looks beside CHAMPION
    problems_url: str = "/problems"
    comparables: Path | None = None
    monitor: Path | None = None  # the folder that `creditline-train monitor --out` fills
    index_key: Secret = field(default_factory=lambda: Secret(""))
    seal_keys: Secret = field(default_factory=lambda: Secret(""))
    documents: str = "var/documents"  # a folder, or s3://bucket/prefix
    scanner: str = ""  # tcp://host:port or unix:///path of a clamd; empty scans nothing, and the case says so
    lender_name: str = ""
    contract_template: Path | None = None
    contacts: Path | None = None  # whom applicants turn to: api/advice/contacts.py says what is in it
    origin: str = ""  # where staff reach the console, such as https://credit.example; development fills it in
    sources: SourceSettings = field(default_factory=SourceSettings)
    notices: NoticeSettings = field(default_factory=NoticeSettings)
    audit: AuditSettings = field(default_factory=AuditSettings)
    receipts: ReceiptSettings = field(default_factory=ReceiptSettings)

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] | None = None) -> Self:
        """Read `CREDITLINE_` and a field's name in capitals, and what `SourceSettings` reads.

        ValueError names the variable that cannot be read.
        """
        variables = os.environ if environment is None else environment
        settings = cls(sources=SourceSettings.from_environment(variables))
        for name in (each.name for each in fields(cls) if each.name not in {"sources", "notices", "audit", "receipts"}):
            text = variables.get(f"CREDITLINE_{name.upper()}")
            if text is not None:
                settings = replace(settings, **{name: _value(name, text)})  # type: ignore[arg-type]
        notices = NoticeSettings.from_environment(variables, development=settings.development)
        audit, receipts = AuditSettings.from_environment(variables), ReceiptSettings.from_environment(variables)
        return replace(settings, notices=notices, audit=audit, receipts=receipts)

    def require_complete(self) -> None:
        """Raise Unset with the first variable that only development may do without."""
        if self.development:
            return
        told = {
            "CREDITLINE_TRUST (the trust root, out of reach of those who write releases)": self.trust,
            "CREDITLINE_INDEX_KEY (32 characters or more, kept for good)": self.index_key,
            "CREDITLINE_SEAL_KEYS (id:base64 of 32 bytes, kept for good)": self.seal_keys,
            "CREDITLINE_ORIGIN (where staff reach the console)": self.origin,
            "CREDITLINE_PAGE_URL (where applicants reach their pages)": self.notices.page,
            "CREDITLINE_LENDER_NAME (as contracts and letters show it)": self.lender_name,
            "CREDITLINE_CONTRACT_TEMPLATE (the folder of the lender's contract)": self.contract_template,
            "CREDITLINE_CONTACTS (the file of whom applicants turn to)": self.contacts,
        }
        missing = next((name for name, value in told.items() if not value), None) or self.notices.missing()
        missing = missing or self.audit.missing() or self.receipts.missing()
        if missing:
            raise Unset(f"{missing} must be set")

    def lender(self) -> str:
        """The lender's legal name; a made-up one where development sets none."""
        return self.lender_name or _MADE_UP_LENDER

    def release_root(self) -> Path:
        """The folder of releases."""
        import models  # noqa: PLC0415 - heavy, and every command reads settings

        return self.releases or models.ROOT

    def release_trust(self) -> "TrustRoot | None":
        """Whose signatures on releases are believed; None: whom their folder names. Raises ReleaseRejected."""
        import models  # noqa: PLC0415 - the same

        return None if self.trust is None else models.read_trust(self.trust)

    def sealer(self) -> Sealer:
        """What seals documents and seeds; a laptop may do without keys of its own. Raises Unset."""
        if self.seal_keys:
            return Sealer.of(self.seal_keys.reveal())
        if not self.development:
            raise Unset("CREDITLINE_SEAL_KEYS must be set: documents and staff secrets are sealed by it")
        return Sealer({"development": bytes(32)})


def _value(name: str, text: str) -> object:
    match name:
        case "port":
            if not text.isdigit():
                raise ValueError("CREDITLINE_PORT must be a number")
            return int(text)
        case "worker_mib":
            if not text.isdigit() or int(text) < _LEAST_WORKER_MIB:
                raise ValueError(f"CREDITLINE_WORKER_MIB must be a number of at least {_LEAST_WORKER_MIB}")
            return int(text)
        case "development":
            return text.lower() in {"1", "true", "yes"}
        case "market" | "releases" | "trust" | "comparables" | "monitor" | "contract_template" | "contacts":
            return Path(text)
        case "lender_name":
            if len(text) > _MOST_NAME_CHARACTERS or not text.isprintable():
                raise ValueError(f"CREDITLINE_LENDER_NAME is one line of at most {_MOST_NAME_CHARACTERS} characters")
            return text.strip()
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
