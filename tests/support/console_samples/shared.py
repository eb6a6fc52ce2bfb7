"""The fixed moment of the samples, hostile text, somebody signed in, and a case in a list."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from api.console.views import CaseLine, ClockView

NOW: Final = datetime(2026, 11, 24, 3, 10, tzinfo=UTC)


HOSTILE: Final = (
    '<script>alert(1)</script>"><img src=x onerror=alert(2)> \u202egnp.exe\u202c \u200b{{ 7 * 7 }} &amp; \'"'
)


_DAY: Final = timedelta(hours=24)


@dataclass(frozen=True, slots=True)
class SampleMember:
    """Somebody signed in who may do everything, or only what is named."""

    name: str = "Maya Lindqvist"
    allowed: frozenset[str] | None = None

    def may(self, action: str) -> bool:
        """Whether the action is allowed; all are where none were named."""
        return self.allowed is None or action in self.allowed


def clock(hours: float, paused: float = 0, running: bool = True) -> ClockView:
    """A clock on which so many hours have passed."""
    elapsed = timedelta(hours=hours)
    passed = max(mark for mark in (0, 2, 12, 18, 22, 24) if mark <= hours)
    return ClockView(
        "running" if running else "paused",
        elapsed,
        timedelta(hours=paused),
        NOW + _DAY - elapsed,
        _DAY - elapsed,
        passed,
    )


def line(number: int, business: str, cents: int, hours: float, **more: object) -> CaseLine:
    """A case in a list, open and unclaimed unless said otherwise."""
    values: dict[str, object] = {
        "state": "open", "stage": "to verify", "order_reason": "earliest deadline", "claimable": True, **more,
    }  # fmt: skip
    return CaseLine(
        id=f"case_{number:026d}", business=business, abn=f"910000{number:05d}", limit_cents=cents, clock=clock(hours),
        **values,  # type: ignore[arg-type]
    )  # fmt: skip


MINE: Final = line(
    1, "Banksia & Daughters Bulk Foods Pty Ltd", 18_000_000, 15.4, state="claimed", mine=True, owner="Maya Lindqvist",
    claimable=False, order_reason="due first of what you hold", lease_until=NOW + timedelta(minutes=22),
)  # fmt: skip
