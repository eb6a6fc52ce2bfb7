"""270 ways to approve one's own work: a history of the case, a way to get hold of it, and an act; all refused.

Whoever verified a case holds both roles here, so that nothing but the rule of two people stands in the way.
"""

import asyncio
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from api.cases import approving, reading, working
from api.cases.acts import Actor
from api.errors import Problem
from api.store import queries as store
from tests.support.businesses import story
from tests.support.deskwork import ABEL, BETH, VERA, Office
from tests.support.releases import fake_release
from tests.support.service import Clock, StorySources, opened

# -- what happened to the case before; Vera verified it last ---------------------------------------------------


def simply(office: Office) -> store.CaseRow:
    """She verified it."""
    return office.verified()


def after_a_return(office: Office) -> store.CaseRow:
    """She sent a document back first, and verified the new one."""
    case = office.take(office.complete())
    document = office.standing(case.id).documents[-1]
    case = office.do(working.return_document(office.desk, case.id, case.version, VERA, document.id, "BLURRY", ""))
    return vouched(office, office.hand_in(case))


def after_somebody_elses_work(office: Office) -> store.CaseRow:
    """Abel recorded and accepted the documents, she only vouched."""
    case = office.settle(office.take(office.complete(), by=ABEL), by=ABEL)
    office.do(working.release(office.desk, case.id, ABEL))
    return vouched(office, office.case(case.id))


def after_being_sent_back(office: Office) -> store.CaseRow:
    """Abel verified it first, Beth sent it back, and she verified it then."""
    case = office.verified(by=ABEL)
    case = office.take(case, "approve", BETH)
    case = office.do(approving.send_back(office.desk, case.id, case.version, BETH, "Once more."))
    return vouched(office, case)


def after_an_approval(office: Office) -> store.CaseRow:
    """A document was waived, so that two approve: Beth did, one more is wanted."""
    case = office.hand_in(office.accepted(), "identity")
    case = office.do(working.waive(office.desk, case.id, case.version, ABEL, "bank_account_proof", "Known", ""))
    return office.approved(vouched(office, case), BETH)


def after_being_drawn(office: Office) -> store.CaseRow:
    """Machines found it clean, it was drawn for people, and she verified it."""
    case = office.complete()
    office.do(reading.verify_itself(replace(office.desk, draw=lambda below: 0), case))
    case = office.case(case.id)
    assert case.sampled
    return vouched(office, case)


def vouched(office: Office, case: store.CaseRow) -> store.CaseRow:
    """The case, verified by Vera."""
    case = office.settle(office.take(case))
    return office.do(working.verify(office.desk, case.id, case.version, VERA))


HISTORIES = (
    simply, after_a_return, after_somebody_elses_work, after_being_sent_back, after_an_approval, after_being_drawn,
)  # fmt: skip

# -- how she tries to get hold of it ---------------------------------------------------------------------------


def by_id(office: Office, case: store.CaseRow) -> None:
    """She claims this very case."""
    asyncio.run(working.claim(office.desk, case.id, "approve", VERA))


def as_the_next(office: Office, case: store.CaseRow) -> None:
    """She asks for the next case to approve."""
    assert asyncio.run(working.claim_next(office.desk, "approve", VERA)) is None


def by_reassignment(office: Office, case: store.CaseRow) -> None:
    """Abel takes it and gives it to her."""
    taken = asyncio.run(working.claim(office.desk, case.id, "approve", ABEL))
    asyncio.run(working.reassign(office.desk, taken.id, ABEL, VERA.id, "Please."))


def by_reassigning_herself(office: Office, case: store.CaseRow) -> None:
    """Abel takes it and she takes it from him."""
    taken = asyncio.run(working.claim(office.desk, case.id, "approve", ABEL))
    asyncio.run(working.reassign(office.desk, taken.id, VERA, VERA.id, "Mine."))


def under_anothers_hold(office: Office, case: store.CaseRow) -> None:
    """Abel holds it and she acts under her own name."""
    asyncio.run(working.claim(office.desk, case.id, "approve", ABEL))


def after_a_lapsed_hold(office: Office, case: store.CaseRow) -> None:
    """Abel's lease has lapsed, and she claims it then."""
    asyncio.run(working.claim(office.desk, case.id, "approve", ABEL))
    office.clock.advance(working.LEASE.total_seconds() + 1)
    asyncio.run(working.claim(office.desk, case.id, "approve", VERA))


def as_its_verifier(office: Office, case: store.CaseRow) -> None:
    """She claims it for verification, where it no longer is."""
    asyncio.run(working.claim(office.desk, case.id, "verify", VERA))


def in_a_race(office: Office, case: store.CaseRow) -> None:
    """She claims it twice in the moment in which Abel does."""

    async def all_at_once() -> None:
        claims = (working.claim(office.desk, case.id, "approve", each) for each in (VERA, ABEL, VERA))
        await asyncio.gather(*claims, return_exceptions=True)

    asyncio.run(all_at_once())


def without_holding(office: Office, case: store.CaseRow) -> None:
    """She does not even try to hold it."""


HOLDS = (
    by_id, as_the_next, by_reassignment, by_reassigning_herself, under_anothers_hold, after_a_lapsed_hold,
    as_its_verifier, in_a_race, without_holding,
)  # fmt: skip

# -- what she then tries ---------------------------------------------------------------------------------------

Act = Callable[[Office, store.CaseRow], object]


def approve(office: Office, case: store.CaseRow) -> object:
    """As decided."""
    return asyncio.run(approving.approve(office.desk, case.id, VERA, office.verdict(case)))


def approve_lower(office: Office, case: store.CaseRow) -> object:
    """A lower line."""
    verdict = office.verdict(case, limit_cents=case.limit_cents - 500_000, reason="R20")
    return asyncio.run(approving.approve(office.desk, case.id, VERA, verdict))


def lower(office: Office, case: store.CaseRow) -> object:
    """The same by the other door."""
    verdict = office.verdict(case, limit_cents=case.limit_cents - 500_000, reason="R20")
    return asyncio.run(approving.lower(office.desk, case.id, VERA, verdict))


def override(office: Office, case: store.CaseRow) -> object:
    """With a rule left aside."""
    verdict = office.verdict(case, reason="R20", set_aside=("overdue_tax",))
    return asyncio.run(approving.override(office.desk, case.id, VERA, verdict))


def under_another_role(office: Office, case: store.CaseRow) -> object:
    """Under the name of an approver's role."""
    verdict = office.verdict(case)
    return asyncio.run(approving.approve(office.desk, case.id, Actor(VERA.id, "approver"), verdict))


ACTS: tuple[Act, ...] = (approve, approve_lower, lower, override, under_another_role)


@dataclass(frozen=True)
class Kept:
    """A database with a case that Vera verified."""

    file: Path
    folder: Path
    case_id: str


@contextmanager
def office_over(file: Path, clock: Clock | None = None) -> Iterator[Office]:
    """The office of a database that is there already."""
    with opened(
        f"sqlite:///{file}", sources=StorySources(story()), release=fake_release(), clock=clock or Clock(), secret="-"
    ) as service:
        yield Office(service)


@pytest.fixture(scope="module", params=HISTORIES, ids=[each.__name__ for each in HISTORIES])
def kept(request: pytest.FixtureRequest, sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory) -> Kept:
    """Each history, walked through once."""
    folder = tmp_path_factory.mktemp("history")
    file = Path(shutil.copy(sqlite_template, folder / "store.sqlite"))
    with opened(f"sqlite:///{file}", sources=StorySources(story()), release=fake_release(), clock=Clock()) as service:
        case = request.param(Office.of(service))
        assert (case.verified_by, case.state) == (VERA.id, "verified")
        return Kept(file, folder, case.id)


@pytest.mark.parametrize("hold", HOLDS, ids=[each.__name__ for each in HOLDS])
def test_nobody_approves_their_own_work(kept: Kept, tmp_path: Path, hold: Act) -> None:
    """However she gets at it and whatever she does, no approval of hers is kept and the case is not approved."""
    file = Path(shutil.copy(kept.file, tmp_path / "store.sqlite"))
    with office_over(file) as office:
        before = office.look(lambda connection: store.approvals_of(connection, kept.case_id))
        with suppress(Problem):
            hold(office, office.case(kept.case_id))
        held = office.case(kept.case_id)
        assert held.owner != VERA.id
        for act in ACTS:
            with pytest.raises(Problem) as refused:
                act(office, held)
            assert refused.value.slug in {"not-held", "separation-of-duties", "validation-failed"}
            assert office.case(kept.case_id) == held
        assert office.look(lambda connection: store.approvals_of(connection, kept.case_id)) == before


def test_there_are_two_hundred_ways() -> None:
    """Histories times holds times acts, each another way: 270."""
    assert len({*HISTORIES}) * len({*HOLDS}) * len({*ACTS}) >= 200
