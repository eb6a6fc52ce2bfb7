"""What the desk's monitor says of the release in service, read from its file.

It does: read the record where the settings name its folder, again only when the file changed, and set the gauges. It
does not: compute. The rule it keeps: whatever is wrong with the file is a figure and a plain message; nothing fails.
"""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from prometheus_client import Gauge

from api.metrics import (
    MONITOR_ALARMS,
    MONITOR_CALIBRATION,
    MONITOR_DECISIONS,
    MONITOR_FILE,
    MONITOR_LIMIT,
    MONITOR_PSI,
    MONITOR_RATE,
    MONITOR_TIME,
)
from engine.features import FEATURES
from models.watching import FILE, KINDS, Damaged, Watch, read, samples

NOT_SET: Final = Damaged(True, "CREDITLINE_MONITOR names no folder: nobody watches this release.")
_LABELLED = (
    (MONITOR_PSI, "creditline_monitor_psi", ("score", *(feature.name for feature in FEATURES))),
    (MONITOR_RATE, "creditline_monitor_rate", ("approved", "referred", "overridden")),
    (MONITOR_ALARMS, "creditline_monitor_alarms", KINDS),
)
_GAUGES: tuple[tuple[Gauge, str, str | None], ...] = (
    (MONITOR_TIME, "creditline_monitor_timestamp_seconds", None),
    (MONITOR_DECISIONS, "creditline_monitor_decisions", None),
    (MONITOR_LIMIT, "creditline_monitor_limit_dollars", None),
    (MONITOR_CALIBRATION, "creditline_monitor_calibration_ratio", None),
    *((gauge, name, label) for gauge, name, labels in _LABELLED for label in labels),
)


@dataclass(slots=True)
class Watching:
    """The record in a folder, and what was read of it last."""

    folder: Path | None
    _seen: tuple[int, int] | None = None
    _held: Watch | Damaged = field(default=NOT_SET)

    def look(self) -> Watch | Damaged:
        """The record as the file has it now."""
        if self.folder is None:
            return NOT_SET
        try:
            stat = (self.folder / FILE).stat()
            seen = (stat.st_mtime_ns, stat.st_size)
        except OSError:
            seen = None
        if seen is None or seen != self._seen:
            self._held, self._seen = read(self.folder), seen
        return self._held

    def measure(self) -> None:
        """Set the gauges by the record; what it does not tell is not a number."""
        held = self.look()
        told = {} if isinstance(held, Damaged) else {(n, *labels.values()): value for n, labels, value in samples(held)}
        for gauge, name, label in _GAUGES:
            child, at = (gauge, (name,)) if label is None else (gauge.labels(label), (name, label))
            child.set(told.get(at, float("nan")))
        MONITOR_FILE.set(0 if not isinstance(held, Damaged) or self.folder is None else 1 if held.missing else 2)
