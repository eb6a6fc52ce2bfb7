"""The canvas of every picture: size, colours, and SVG that is the same bytes for the same figures.

It does: make axes in one style and turn a finished figure into markup. It does not: know what is drawn. The rules it
keeps: colours are told apart by the colour-blind and never alone (marks and labels differ too); text stays text, in the
page's own font, and is never read as a formula, so that a name in it is only a name; ids are the picture's own.
"""

import io
import re
from typing import Any

import matplotlib
from matplotlib.figure import Figure

# Okabe and Ito (2008), those that stand 3:1 against white.
BLUE, RED, GREEN, PURPLE, BROWN = "#0072b2", "#c2410c", "#007a5a", "#8b5a8c", "#8a5a00"
LINES = (BLUE, RED, GREEN, PURPLE, BROWN)
MARKS, DASHES = ("o", "s", "^", "D", "v"), ("-", (0, (5, 2)), (0, (2, 1.5)), (0, (6, 2, 1.5, 2)), (0, (1, 1)))
INK, SOFT, GRID = "#1b2733", "#5b6773", "#dde3e9"
WIDE = 7.2
_STYLE: Any = {
    "svg.fonttype": "none", "text.parse_math": False, "font.family": "DejaVu Sans", "font.size": 8.5,
    "axes.edgecolor": "#8a96a3", "axes.labelcolor": INK, "text.color": INK, "xtick.color": SOFT, "ytick.color": SOFT,
    "axes.titlesize": 9, "axes.titleweight": "bold", "axes.titlelocation": "left", "axes.axisbelow": True,
    "axes.spines.top": False, "axes.spines.right": False, "axes.grid": True, "grid.color": GRID,
    "grid.linewidth": 0.6, "axes.linewidth": 0.7, "legend.frameon": False, "legend.fontsize": 8, "lines.linewidth": 1.7,
    "axes.unicode_minus": True,
}  # fmt: skip
_HEAD = re.compile(r"^.*?(?=<svg )", re.DOTALL)
_METADATA = re.compile(r"\s*<metadata>.*?</metadata>|\s*<defs>\s*<style.*?</style>\s*</defs>", re.DOTALL)
_FONT = "font-family: 'DejaVu Sans'; "  # by which room for text is measured: wider than what a page has
_NAMESPACES = re.compile(r"\s+xmlns(:\w+)?=\"[^\"]*\"")
_SIZE = re.compile(r"<svg [^>]*?viewBox=\"([^\"]*)\"[^>]*>")


def styled(draw: Any, of: Any, id: str) -> str:
    """The picture's SVG, to stand inside a page; `id` keeps its ids apart from other pictures'."""
    with matplotlib.rc_context({**_STYLE, "svg.hashsalt": id}):
        figure = draw(of)
        out = io.StringIO()
        figure.savefig(out, format="svg", metadata={"Date": None, "Creator": None, "Format": None, "Type": None})
    return _inside(out.getvalue(), id)


def canvas(panels: int = 1, height: float = 2.9, width: float = WIDE, rows: int = 1) -> tuple[Any, list[Any]]:
    """A figure and its axes, side by side."""
    figure = Figure(figsize=(width, height), layout="constrained", facecolor="none")
    columns = -(-panels // rows)
    axes = figure.subplots(rows, columns, squeeze=False).ravel().tolist()
    for spare in axes[panels:]:
        spare.set_visible(False)
    return figure, axes[:panels]


def as_percent(axis: Any) -> None:
    """Ticks of an axis in per cent."""
    axis.set_major_formatter(lambda value, _: f"{100 * value:.3g}\N{NO-BREAK SPACE}%")


def _inside(svg: str, id: str) -> str:
    bare = _METADATA.sub("", _HEAD.sub("", svg))
    bare = _NAMESPACES.sub("", bare).replace("xlink:href", "href").replace(_FONT, "")
    bare = re.sub(r"\bid=\"", f'id="{id}-', bare)
    bare = re.sub(r"(href=\"|url\()#", rf"\g<1>#{id}-", bare)
    return _SIZE.sub(r'<svg viewBox="\1" aria-hidden="true" focusable="false">', bare, count=1).strip()
