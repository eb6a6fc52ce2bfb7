"""A record as files: monitor.json for machines, pictures for people, metrics.prom for a collector of text files.

It does: draw and write. It does not: compute, or let a picture reach the service (its page draws its own, from the
numbers). The rule it keeps: the folder appears whole or not at all, and the same record gives the same bytes.
"""

import io
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.figure import Figure

from models.watching import FILE, Period, Watch, samples
from training.whole import write_whole

_MOST_FEATURES = 20
_MOST_NAMES, _MOST_LEVEL = 12, 6  # names below an axis: how many, and how many lie level
_INK, _SOFT, _ACCENT, _BAD = "#1b2733", "#8795a1", "#0b6b66", "#a5231f"


def write(folder: Path, watch: Watch) -> None:
    """Put everything into a folder, in place of what was there; ValueError names cause and remedy."""
    files = {FILE: watch.to_bytes(), "metrics.prom": exposition(watch)}
    for name, draw in _PICTURES.items():
        if picture := draw(watch):
            files[f"{name}.svg"] = picture
    write_whole(folder, files)


def exposition(watch: Watch) -> bytes:
    """The figures in Prometheus' text form."""
    lines, seen = [], set()
    for name, labels, value in samples(watch):
        if name not in seen:
            seen.add(name)
            lines.append(f"# TYPE {name} gauge")
        inside = ",".join(f'{key}="{_escaped(text)}"' for key, text in labels.items())
        lines.append(f"{name}{'{' + inside + '}' if inside else ''} {round(float(value), 6)}")
    return "\n".join(lines).encode() + b"\n"


def _escaped(text: str) -> str:
    return text.replace("\\", r"\\").replace('"', r"\"").replace("\n", r"\n")


# -- pictures ------------------------------------------------------------------------------------------------


def _score(watch: Watch) -> bytes | None:
    with _Picture(8, 3.2) as (axes, done):
        shifts = [each.score for each in watch.periods]
        _dots(axes, watch.periods, [each.psi for each in shifts], [each.reading for each in shifts])
        axes.plot(
            range(len(shifts)), [each.noise for each in shifts], color=_SOFT, lw=1, ls=":", label="chance stays below"
        )
        axes.axhline(0.2, color=_BAD, lw=1, ls="--", label="mark")
        axes.set_ylim(0, max(0.3, 1.1 * max(each.psi for each in shifts)))
        axes.legend(frameon=False, fontsize=8, ncols=2)
        _titled(axes, "PSI of the score")
    return done()


def _features(watch: Watch) -> bytes | None:
    worst = sorted(watch.newest.features, key=lambda each: -each.psi)[:_MOST_FEATURES]
    at = {each.name: i for i, each in enumerate(watch.newest.features)}
    shown = [[period.features[at[each.name]] for period in watch.periods] for each in worst]
    grid = np.array([[each.psi if each.psi > each.noise else 0.0 for each in row] for row in shown])
    if not len(grid):
        return None
    with _Picture(8, 1.4 + 0.24 * len(worst)) as (axes, done):
        image = axes.imshow(grid, aspect="auto", cmap="Reds", vmin=0, vmax=0.5, interpolation="nearest")
        axes.set_yticks(range(len(worst)), [each.name for each in worst], fontsize=8)
        _named(axes, watch.periods)
        bar = axes.figure.colorbar(image, ax=axes, pad=0.02, extend="max")
        bar.ax.axhline(0.25, color=_INK, lw=1)
        bar.ax.tick_params(labelsize=8)
        axes.set_title("PSI of features, white where chance alone explains it", loc="left", fontsize=10)
    return done()


def _rates(watch: Watch) -> bytes | None:
    told = [(i, each.outcomes) for i, each in enumerate(watch.periods) if each.outcomes]
    if not told:
        return None
    with _Picture(8, 3.2) as (axes, done):
        for name, colour in (("approved", _ACCENT), ("referred", "#855000"), ("overridden", _BAD)):
            rates = [(i, getattr(each, name)) for i, each in told if getattr(each, name)]
            if not rates:
                continue
            x = [i for i, _ in rates]
            axes.fill_between(x, [r.low for _, r in rates], [r.high for _, r in rates], color=colour, alpha=0.12, lw=0)
            axes.plot(x, [r.share for _, r in rates], color=colour, marker="o", ms=3, lw=1.4, label=name)
        axes.set_ylim(0, 1)
        axes.yaxis.set_major_formatter(lambda value, _: f"{value:.0%}")
        axes.legend(frameon=False, fontsize=8, ncols=3, loc="upper left")
        _named(axes, watch.periods)
        _titled(axes, "Shares of decisions, with 95 % intervals")
    return done()


def _calibration(watch: Watch) -> bytes | None:
    told = [(i, each.calibration) for i, each in enumerate(watch.periods) if each.calibration]
    if not told:
        return None
    with _Picture(8, 3.2) as (axes, done):
        x, ratio = [i for i, _ in told], [each.ratio for _, each in told]
        below = [each.ratio - each.low for _, each in told]
        above = [min(each.high, 4) - min(each.ratio, 4) for _, each in told]
        axes.errorbar(
            x, [min(each, 4) for each in ratio], [below, above], color=_ACCENT, fmt="o", ms=4, lw=1.2, capsize=2
        )
        axes.axhline(1, color=_INK, lw=0.8)
        axes.axhline(1.25, color=_BAD, lw=1, ls="--")
        axes.set_ylim(0, min(4, 1.05 * max(2, *(each.high for _, each in told))))
        axes.set_xlim(-0.5, len(watch.periods) - 0.5)
        _named(axes, watch.periods)
        _titled(axes, "Bads over expected, closed windows alone, with 95 % intervals")
    return done()


_PICTURES: dict[str, Callable[[Watch], bytes | None]] = {
    "score": _score, "features": _features, "rates": _rates, "calibration": _calibration,
}  # fmt: skip


class _Picture:
    """One drawing: its axes, and what makes it SVG once it is done."""

    def __init__(self, width: float, height: float) -> None:
        self._settings = mpl.rc_context({"svg.hashsalt": "creditline", "svg.fonttype": "path", "font.size": 9})
        self._settings.__enter__()
        self._figure = Figure(figsize=(width, height), layout="constrained")

    def __enter__(self) -> tuple[Any, Callable[[], bytes]]:
        axes = self._figure.add_subplot()
        axes.spines[["top", "right"]].set_visible(False)
        return axes, self._svg

    def __exit__(self, *_: object) -> None: ...

    def _svg(self) -> bytes:
        out = io.BytesIO()
        self._figure.savefig(out, format="svg", metadata={"Date": None})
        self._settings.__exit__(None, None, None)
        return out.getvalue()


def _dots(axes: Any, periods: Sequence[Period], values: Sequence[float], readings: Sequence[str]) -> None:
    axes.plot(range(len(values)), values, color=_ACCENT, lw=1.2)
    for reading, colour in (("steady", _ACCENT), ("moved", _BAD), ("too few", "white")):
        at = [i for i, each in enumerate(readings) if each == reading]
        if at:
            edge, label = (_SOFT, "too few to tell") if reading == "too few" else (colour, reading)
            axes.scatter(at, [values[i] for i in at], s=22, color=colour, edgecolor=edge, zorder=3, label=label)
    _named(axes, periods)


def _named(axes: Any, periods: Sequence[Period]) -> None:
    at = list(range(0, len(periods), max(len(periods) // _MOST_NAMES, 1)))
    turned = {"rotation": 30, "ha": "right"} if len(at) > _MOST_LEVEL else {}
    axes.set_xticks(at, [periods[i].name for i in at], fontsize=8, **turned)


def _titled(axes: Any, title: str) -> None:
    axes.set_title(title, loc="left", fontsize=10)
    axes.grid(axis="y", color="#e3e8ec", lw=0.6)
    axes.set_axisbelow(True)
