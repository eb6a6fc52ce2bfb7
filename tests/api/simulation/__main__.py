"""`python -m tests.api.simulation`: the simulated queue in full, 200 weeks unless `CREDITLINE_SEEDS` says how many.

It does: run every seed, on every core, and print what came of them. It does not: stop at a seed that fails; it names
them all. The rule it keeps: it ends with 1 where any seed failed.
"""

import os
import sys
import time
from collections import Counter
from concurrent.futures import ProcessPoolExecutor
from contextlib import redirect_stdout
from io import StringIO
from multiprocessing import get_context
from pathlib import Path
from tempfile import TemporaryDirectory

import structlog

from api.store.migrations import upgrade
from tests.api.simulation.running import Failed, Outcome, simulate
from tests.api.simulation.world import DAYS, Template, copied, template

SEEDS = 200


def main() -> int:
    """Run and print; 1 where a seed failed."""
    seeds = int(os.environ.get("CREDITLINE_SEEDS", SEEDS))
    began = time.monotonic()
    with TemporaryDirectory(prefix="creditline-offers-") as folder:
        url = f"sqlite:///{Path(folder) / 'offers.sqlite'}"
        upgrade(url)
        with redirect_stdout(StringIO()):  # of the requests that make the offers
            _made.append(template(url))
        structlog.configure(logger_factory=structlog.ReturnLoggerFactory())
        with ProcessPoolExecutor(mp_context=get_context("fork")) as pool:  # which have the offers already
            results = list(pool.map(_one, range(seeds)))
    failed = [each for each in results if isinstance(each, str)]
    outcomes = [each for each in results if isinstance(each, Outcome)]
    sys.stdout.write(told(outcomes, len(failed), time.monotonic() - began))
    sys.stdout.writelines(f"{each}\n" for each in failed)
    return 1 if failed else 0


def told(outcomes: list[Outcome], failed: int, seconds: float) -> str:
    """What came of it, in words."""
    tally: Counter[str] = sum((each.tally for each in outcomes), Counter())

    def total(name: str) -> int:
        return sum(getattr(each, name) for each in outcomes)

    return (
        f"{len(outcomes)} weeks of {DAYS} days held and {failed} did not, in {seconds:.0f} s: {total('cases'):,} cases"
        f" ({total('closed'):,} ended, the others wait for their applicants), {total('events'):,} acts in"
        f" {total('writes'):,} transactions, {total('crashes'):,} crashes, {total('jumps'):,} jumps of the clock."
        f" {total('breaches'):,} cases passed 24 hours, every one escalated before.\n"
        f"{', '.join(f'{name} {count:,}' for name, count in tally.most_common())}\n"
    )


_made: list[Template] = []


def _one(seed: int) -> Outcome | str:
    with copied(_made[0]) as url:
        try:
            return simulate(_made[0], url, seed)
        except Failed as failed:
            return str(failed)


if __name__ == "__main__":
    sys.exit(main())
