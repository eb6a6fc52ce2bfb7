"""`python -m benchmarks.casepage`: how long a case's page takes with 20 documents on SQLite, and how many queries.

It does: walk a made-up case to 20 documents that machines have read, and ask for its page as a browser would, to a
verifier who holds it. It does not: use a socket, or draw a document's pages. The rule it keeps: the page is the whole
page, with its documents, fields, checks, score and history.
"""

import argparse
import logging
import statistics
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import structlog
from sqlalchemy import event
from sqlalchemy.engine import Engine

from api.cases import working
from api.store import queries as store
from api.store.migrations import upgrade
from benchmarks.machine import Machine
from tests.support.console_samples.floor import LARGE, Floor, Visitor, floor
from tests.support.deskwork import DIRECTOR
from tests.support.service import telling

DOCUMENTS, DIRECTORS, CHECKS = 20, 4, 14
MOST_MS = 150.0


def main() -> int:
    """Measure and print; 1 where the page takes longer than it may."""
    arguments = argparse.ArgumentParser(prog="python -m benchmarks.casepage", description="About half a minute.")
    arguments.add_argument("--pages", type=int, default=300, help="how many are asked for")
    pages: int = arguments.parse_args().pages
    machine = Machine.here()
    with TemporaryDirectory() as folder:
        url = f"sqlite:///{Path(folder) / 'store.sqlite'}"
        upgrade(url)
        with telling(url, LARGE) as service, floor(service) as office:
            structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))
            times, spent, queries, size = measure(office, pages)
    times.sort()
    median, worst = statistics.median(times), times[min(len(times) * 99 // 100, len(times) - 1)]
    sys.stdout.write(f"{machine.processor}, {machine.cores} cores shared, load {machine.load}\n\n")
    sys.stdout.write(
        "| documents | pages | median ms | p99 ms | CPU ms | queries | kB |\n|--:|--:|--:|--:|--:|--:|--:|\n"
    )
    sys.stdout.write(
        f"| {DOCUMENTS} | {pages} | {median:.1f} | {worst:.1f} | {spent:.1f} | {queries} | {size // 1000} |\n"
    )
    return 1 if worst > MOST_MS else 0


def measure(office: Floor, pages: int) -> tuple[list[float], float, int, int]:
    """Milliseconds of each page, those of the processor in the mean, the number of queries of one, and its bytes."""
    verifier = office.hire("verifier")
    place = office.place(full_case(office, verifier))
    text = verifier.see(place)
    assert text.count('class="document"') == DOCUMENTS
    times, spent = [], time.process_time()
    for _ in range(pages):
        began = time.perf_counter()
        reply = verifier.browser.get(place)
        times.append((time.perf_counter() - began) * 1_000)
        assert reply.status_code == 200
    spent = (time.process_time() - spent) * 1_000 / pages
    with counted() as queries:
        verifier.browser.get(place)
    return times, spent, len(queries), len(text.encode())


def full_case(floor: Floor, verifier: Visitor) -> store.CaseRow:
    """A case that the verifier holds, with 20 documents, each with as many checks as machines make."""
    office = floor.office
    directors = [
        {**DIRECTOR, "given_names": f"Ann {number}", "email": f"ann{number}@example.com", "ownership_bps": 2_500}
        for number in range(DIRECTORS)
    ]
    case = office.take(office.complete(LARGE, *directors), by=verifier.actor)
    while len(office.standing(case.id).documents) < DOCUMENTS:
        office.do(working.request(office.desk, case.id, case.version, verifier.actor, "bank_statement", None, "More."))
        case = office.take(office.hand_in(case, "bank_statement"), by=verifier.actor)
    says = '{"found":[],"says":"It holds."}'
    checks = tuple(store.NewCheck(f"check_{number}", "pass", 10_000, says) for number in range(CHECKS - 2))
    with office.service.database.transaction() as connection:
        for document in office.standing(case.id).documents:
            store.insert_checks(connection, document.id, checks, floor.house.clock())
    documents = office.standing(case.id).documents
    return office.do(
        working.record(office.desk, case.id, case.version, verifier.actor, documents[0].id, office.says(documents[0]))
    )


@contextmanager
def counted() -> Iterator[list[str]]:
    """Every statement that is sent to a database while the block lasts."""
    sent: list[str] = []

    def note(_connection: Any, _cursor: Any, statement: str, *_more: Any) -> None:
        sent.append(statement)

    event.listen(Engine, "before_cursor_execute", note)
    try:
        yield sent
    finally:
        event.remove(Engine, "before_cursor_execute", note)


if __name__ == "__main__":
    sys.exit(main())
