"""`creditline export`, read line by line.

It does: hand out each line as the record it holds, with its number. It does not: derive anything. The rule it keeps: a
line that is too long, no JSON, or without what is asked of it ends the reading by its number.
"""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

MOST_LINE_BYTES = 40_000_000  # one decision with its facts


def lines(export: Path, *needed: str) -> Iterator[tuple[int, dict[str, Any]]]:
    """Number and content of each line, holding at least the fields needed; ValueError names a line that does not."""
    with export.open("rb") as file:
        number = 0
        while line := file.readline(MOST_LINE_BYTES + 1):
            number += 1
            try:
                if len(line) > MOST_LINE_BYTES:
                    raise ValueError
                record = json.loads(line)
                for name in needed:
                    record[name]
            except (ValueError, KeyError, TypeError):
                raise no_decision(export, number) from None
            yield number, record


def no_decision(export: Path, number: int) -> ValueError:
    """What is said of a line that cannot be a decision."""
    return ValueError(f"{export}: line {number} is not an exported decision")
