"""Pictures of latency against load and of throughput against workers.

It does: draw two small charts as SVG, on white, so that they read on a light and on a dark page. It does not: measure.
The rule it keeps: what a line is stands beside it, and the axis of time is logarithmic and says so.
"""

from pathlib import Path
from typing import Any

from benchmarks.durable.capacity import ONE, SQLITE, TWO, Durable

PICTURES = Path(__file__).resolve().parents[2] / "docs" / "pictures"
LATENCY, WORKERS = PICTURES / "latency.svg", PICTURES / "workers.svg"
_INK, _STRONG, _SOFT, _GRID = "#24292f", "#0b6bcb", "#9a3412", "#d8dee4"


def draw(found: Durable) -> None:
    """Both pictures."""
    PICTURES.mkdir(exist_ok=True)
    save(latency_picture(found), LATENCY)
    save(workers_picture(found), WORKERS)


def latency_picture(found: Durable) -> Any:
    """Median and p99 of each part of the capacity."""
    figure, axes = _canvas("Latency of a durable decision against load")
    rates = [load.rate for load in found.curve]
    lines = {
        "p99": ([load.latency.p99_ms for load in found.curve], _SOFT),
        "median": ([load.latency.p50_ms for load in found.curve], _STRONG),
    }
    for name, (times, colour) in lines.items():
        axes.plot(rates, times, color=colour, marker="o", markersize=4, linewidth=1.8)
        axes.annotate(
            name, (rates[0], times[0]), xytext=(0, 8), textcoords="offset points", color=colour, weight="bold",
        )  # fmt: skip
    half = found.rate(SQLITE) / 2
    axes.axvline(half, color=_INK, linewidth=0.8, linestyle=(0, (4, 3)))
    axes.annotate(
        f"half of capacity: p99 {found.half.latency.p99_ms:.0f} ms", (half, 1), xycoords=("data", "axes fraction"),
        xytext=(5, -4), textcoords="offset points", va="top", fontsize=9,
    )  # fmt: skip
    axes.set_yscale("log")
    axes.yaxis.set_major_formatter("{x:g}")
    axes.set_xlim(left=0)
    axes.set_xlabel("decisions a second sent (open loop, Poisson, from the intended moment)")
    axes.set_ylabel("milliseconds, logarithmic")
    return figure


def workers_picture(found: Durable) -> Any:
    """Decisions a second by store and workers."""
    figure, axes = _canvas("Durable decisions a second, closed loop", height=2.4)
    names = [SQLITE, ONE, TWO]
    rates = [found.rate(name) for name in names]
    axes.barh(names[::-1], rates[::-1], color=[_STRONG, _STRONG, _SOFT], height=0.6)
    for place, rate in enumerate(rates[::-1]):
        axes.annotate(f"{rate:,.0f}", (rate, place), xytext=(6, 0), textcoords="offset points", va="center")
    axes.set_xlim(0, max(rates) * 1.12)
    axes.xaxis.set_visible(False)
    axes.spines["bottom"].set_visible(False)
    axes.grid(visible=False)
    return figure


def _canvas(title: str, height: float = 3.6) -> tuple[Any, Any]:
    import matplotlib  # noqa: PLC0415 - development only, and slow to import
    from matplotlib.figure import Figure  # noqa: PLC0415

    matplotlib.rcParams.update({"svg.hashsalt": "creditline", "svg.fonttype": "path", "font.size": 10})
    figure = Figure(figsize=(7.2, height), layout="constrained", facecolor="white")
    axes = figure.subplots()
    axes.set_title(title, loc="left", color=_INK, fontsize=11, weight="bold")
    axes.spines[["top", "right"]].set_visible(False)
    axes.grid(color=_GRID, linewidth=0.6)
    axes.set_axisbelow(True)
    return figure, axes


def save(figure: Any, file: Path) -> None:
    """Write one, without the day, so that the same figures give the same bytes."""
    figure.savefig(file, metadata={"Date": None})
