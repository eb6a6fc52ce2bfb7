"""A prober who reads all the advice there is gains nothing by it, and a surrogate of the model learns little."""

from api.advice.exploring import MOST_A_DAY
from tests.support.businesses import AS_OF
from tests.support.neighbours import NeighbourSources, body_for
from tests.support.probing import HONEST, _approved_cents, probe
from tests.support.releases import fake_release
from tests.support.service import Clock, opened


def test_reading_all_advice_gains_a_prober_nothing(sqlite_url: str) -> None:
    """Everything is read between every few applications, and looked at again: not a cent beyond the honest ones."""
    with opened(
        sqlite_url, sources=NeighbourSources(), release=fake_release(guarded=True), clock=Clock(AS_OF)
    ) as service:
        honest = [service.apply(body_for(number, {"application": told})).json() for number, told in enumerate(HONEST)]
        first = _approved_cents(service)
        assert first > 0
        attempts = service.count("attempt")
        for reply in honest:
            under = f"/v1/applications/{reply['application_id']}"
            service.ask("GET", f"{under}/advice")
            service.ask("GET", f"{under}/offer-options")
            for amount in range(500_000, (reply["offer"] or {"limit_cents": 0})["limit_cents"] + 1, 500_000):
                service.ask("GET", f"{under}/offer-options?amount_cents={amount}&months=6")
            for _ in range(3):
                service.ask("POST", f"{under}/looks")
        assert (_approved_cents(service), service.count("attempt")) == (first, attempts)
        got = probe(service, tries=60)
        assert got.gained_cents == 0
        assert _approved_cents(service) == first


def test_a_day_of_exploring_is_bounded(sqlite_url: str) -> None:
    """However many draws are asked about, a day tells so many answers of one application and no more."""
    with opened(sqlite_url, sources=NeighbourSources(), release=fake_release(), clock=Clock(AS_OF)) as service:
        reply = service.apply(body_for(0)).json()
        path = f"/v1/applications/{reply['application_id']}/offer-options?amount_cents=500000&months=1&draw_cents="
        statuses = [service.ask("GET", f"{path}{10_000 + each}").status_code for each in range(MOST_A_DAY + 5)]
        assert statuses.count(200) == MOST_A_DAY
        assert statuses[-5:] == [429] * 5
