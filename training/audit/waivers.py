"""Who signed for the use of a column that betrays the outcome.

It does: read waivers (TOML), refuse a model that uses a barred column without one, and put what was signed into the
model card. It does not: check a signature (the manifest, which carries the card's digest, is what is signed). The rule
it keeps: a waiver has a name, a reason and a day, and counts for one column.
"""

import tomllib
from collections.abc import Iterable
from datetime import date
from pathlib import Path
from typing import Annotated

from pydantic import Field, ValidationError

from engine.values import Frozen
from training.audit.findings import Report


class Waiver(Frozen):
    """One person's word that one column may be used, and why."""

    column: Annotated[str, Field(min_length=1)]
    name: Annotated[str, Field(min_length=3, max_length=120)]
    reason: Annotated[str, Field(min_length=10, max_length=1000)]
    date: date


class _File(Frozen):
    waivers: list[Waiver]


class Refused(ValueError):
    """A model would use columns that betray the outcome; `columns` are those nobody signed for."""

    def __init__(self, columns: tuple[str, ...], lines: list[str]) -> None:
        self.columns = columns
        super().__init__("\n".join(lines))


def read_waivers(file: Path) -> list[Waiver]:
    """The waivers of a file ([[waivers]] with column, name, reason, date); ValueError says what is wrong with it."""
    try:
        return _File.model_validate(tomllib.loads(file.read_text())).waivers
    except tomllib.TOMLDecodeError as error:
        raise ValueError(f"{file}: not TOML: {error}") from None
    except ValidationError as error:
        lines = [f"  {'.'.join(map(str, found['loc']))}: {found['msg']}" for found in error.errors()]
        raise ValueError("\n".join([f"{file}: no waivers", *lines])) from None


def require_clean(
    columns: Iterable[str], report: Report, waivers: Iterable[Waiver] = (), today: date | None = None
) -> tuple[Waiver, ...]:
    """The waivers that a model on these columns rests on; Refused where a betraying column has none.

    A waiver dated after `today` (default: this day) does not count.
    """
    day = today or date.today()
    signed = {waiver.column: waiver for waiver in waivers if waiver.date <= day}
    used = [name for name in columns if name in report.betraying]
    open_ones = tuple(name for name in used if name not in signed)
    if open_ones:
        lines = [f"{len(open_ones)} of the inputs betray the outcome:"]
        lines += [f"  {name}: {report.betraying[name][0].sentence}" for name in open_ones]
        lines.append("Leave them out, or have a person sign a waiver for each (column, name, reason, date).")
        raise Refused(open_ones, lines)
    return tuple(signed[name] for name in used)


def waivers_section(waivers: Iterable[Waiver]) -> str:
    """The waivers as a section of the model card; empty where nobody had to sign."""
    rows = "\n".join(f"| {w.column} | {w.name} | {w.date} | {w.reason} |" for w in waivers)
    if not rows:
        return ""
    return (
        "\n## Waivers\n\nThe audit found that these inputs betray the outcome; a person signed for each.\n\n"
        f"| input | signed by | on | reason |\n|---|---|---|---|\n{rows}\n"
    )
