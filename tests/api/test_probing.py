"""The guards measured through the whole service: what a prober gains by them, and whom of the honest they hit."""

from collections.abc import Iterator
from contextlib import contextmanager

from tests.support.businesses import AS_OF
from tests.support.neighbours import NeighbourSources
from tests.support.probing import ALONE, FAMILY, SECOND, SHARES, apply_honestly, probe
from tests.support.releases import fake_release
from tests.support.service import Clock, Service, opened


@contextmanager
def _service(url: str, *, guarded: bool = True) -> Iterator[Service]:
    with opened(url, sources=NeighbourSources(), release=fake_release(guarded=guarded), clock=Clock(AS_OF)) as running:
        yield running


def test_a_prober_gains_nothing(sqlite_url: str) -> None:
    """Two hundred applications over five businesses get not a cent beyond the five honest ones; most are refused."""
    with _service(sqlite_url) as service:
        got = probe(service, tries=200)
    assert got.sent == 200
    assert got.first_cents > 0
    assert got.gained_cents == 0
    assert got.replies["approve"] == 4
    assert got.replies["application-locked"] + got.replies["duplicate-application"] > 150
    assert got.replies["refer"] >= 5


def test_the_same_prober_gains_a_lot_where_nobody_guards(sqlite_url: str) -> None:
    """Without guards a third as many tries multiply what was honestly got: the test above can fail."""
    with _service(sqlite_url, guarded=False) as service:
        got = probe(service, tries=60)
    assert got.gained_cents > 2 * got.first_cents


def test_honest_applicants_are_hardly_hit(sqlite_url: str) -> None:
    """Of businesses that apply once each, some with an owner or a telephone in common, at most 0.5 % are referred."""
    with _service(sqlite_url) as service:
        seen = apply_honestly(service, applicants=400)
    assert seen.applicants.total() == 400
    assert min(seen.applicants[kind] for kind in SHARES) > 0
    assert seen.share(ALONE, SECOND, FAMILY) <= 0.005, seen.rules
