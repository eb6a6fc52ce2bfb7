"""The offer explorer: every point is what the offer's own release decides, and only a count is written."""

import json
import time
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

import models
from api.advice import exploring
from api.advice.exploring import MOST_A_DAY
from api.advice.record import Remembered
from api.rollout.arms import InService
from engine.decision import decide
from engine.pricing import disclose
from engine.whatif import asking
from tests.api.advice.conftest import DEFAULTED, OWING
from tests.support.businesses import business
from tests.support.deskwork import Office
from tests.support.releases import fake_release
from tests.support.schema import slug_of
from tests.support.service import Service, body_of, telling

STATED = {"application": OWING["application"]}
COUNTED = ("application", "audit", "decision", "fact_set", "attempt", "signal", "outbox", "counterfactual")


def options(service: Service, application_id: str, query: str = "", **more: Any) -> Any:
    """What the explorer answers."""
    return service.ask("GET", f"/v1/applications/{application_id}/offer-options{query}", **more)


def test_every_point_is_a_decision_on_the_record(owing: Office) -> None:
    """Amounts go down from the offer, terms to the policy's longest; limit, rate and cost are decide()'s."""
    offer = owing.offered(STATED)
    told = options(owing.service, offer["application_id"]).json()
    application, _ = business(OWING)
    facts, release = owing.service.facts_of(offer["decision_id"]), fake_release()
    limit = offer["offer"]["limit_cents"]
    assert told["offered_cents"] == limit == max(told["amounts_cents"])
    assert len(told["amounts_cents"]) <= 12
    assert told["terms_months"] == [1, 2, 3, 6, 9, 12]
    assert len(told["options"]) == len(told["amounts_cents"]) * 6
    for option in told["options"]:
        again = decide(asking(application, option["amount_cents"]), facts, release).offer
        assert again is not None
        assert (option["limit_cents"], option["monthly_rate_bps"]) == (again.limit_cents, again.monthly_rate_bps)
        cost = disclose(again.limit_cents, again.limit_cents, again.monthly_rate_bps, option["months"], again.fees)
        assert option["cost"]["total_cost_cents"] == cost.total_cost_cents
        assert option["limit_cents"] <= option["amount_cents"] <= limit


def test_a_point_has_its_schedule_at_my_draw(owing: Office) -> None:
    """The draw that is named is repaid over the term, month by month, to nothing; the same point is in the grid."""
    application_id = owing.offered(STATED)["application_id"]
    told = options(owing.service, application_id, "?amount_cents=5000000&months=6&draw_cents=1234500").json()
    [option] = told["options"]
    assert (option["cost"]["draw_cents"], option["cost"]["limit_cents"]) == (1_234_500, 5_000_000)
    assert [each["number"] for each in told["schedule"]] == [1, 2, 3, 4, 5, 6]
    assert told["schedule"][-1]["balance_cents"] == 0
    assert sum(each["principal_cents"] for each in told["schedule"]) == 1_234_500
    assert told["assumptions"]
    amount = options(owing.service, application_id).json()["amounts_cents"][1]
    alone = options(owing.service, application_id, f"?amount_cents={amount}&months=6").json()["options"]
    grid = options(owing.service, application_id).json()["options"]
    assert alone == [each for each in grid if (each["amount_cents"], each["months"]) == (amount, 6)]


@pytest.mark.parametrize(
    "query",
    [
        "?amount_cents=7550000&months=6", "?amount_cents=450000&months=6", "?amount_cents=5000001&months=6",
        "?amount_cents=5000000&months=0", "?amount_cents=5000000&months=13", "?amount_cents=5000000", "?months=6",
        "?amount_cents=5000000&months=6&draw_cents=5000100", "?amount_cents=5000000&months=6&draw_cents=9999",
        "?amount_cents=-5&months=6", "?amount_cents=5e6&months=6", "?amount_cents=5000000&amount_cents=500000&months=6",
        "?turnover_12m_cents=1", "?amount_cents=%F0%9F%92%B0&months=6", "?draw_cents=99999999999999999999",
    ],
)  # fmt: skip
def test_nothing_else_can_be_asked(lone_owing: Service, query: str) -> None:
    """Above the offer, out of step, out of range, half a question, a declared value: refused, and not counted."""
    application_id = lone_owing.apply(body_of(STATED)).json()["application_id"]
    assert slug_of(options(lone_owing, application_id, query)) == "validation-failed"
    assert lone_owing.count("advice_read") == 0


def test_nothing_is_written_but_the_count(owing: Office) -> None:
    """No row of the record, of an attempt or of the audit chain comes of a day's exploring."""
    application_id = owing.offered(STATED)["application_id"]
    before = [owing.service.count(table) for table in COUNTED]
    for amount in range(500_000, 3_000_000, 500_000):
        options(owing.service, application_id, f"?amount_cents={amount}&months=3")
    options(owing.service, application_id)
    assert [owing.service.count(table) for table in COUNTED] == before
    assert owing.service.count("advice_read") == 1


def test_a_day_has_so_many_and_remembered_ones_are_free(owing: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    """The budget is of one application; what was told before is told again; the next day there is more."""
    monkeypatch.setattr(exploring, "MOST_A_DAY", 3)
    application_id = owing.offered(STATED)["application_id"]
    queries = [f"?amount_cents={amount}&months=6" for amount in (500_000, 1_000_000, 1_500_000, 2_000_000)]
    first = [options(owing.service, application_id, query) for query in queries]
    assert [reply.status_code for reply in first] == [200, 200, 200, 429]
    assert slug_of(first[-1]) == "rate-limited"
    assert int(first[-1].headers["retry-after"]) == 23 * 3_600  # it is one in the morning, UTC
    assert options(owing.service, application_id, queries[0]).content == first[0].content
    owing.clock.advance(23 * 3_600)
    assert options(owing.service, application_id, queries[-1]).status_code == 200
    assert MOST_A_DAY == 200


def test_another_champion_does_not_change_what_is_offered(owing: Office) -> None:
    """The explorer stays with the release that made the offer."""
    application_id = owing.offered(STATED)["application_id"]
    query = "?amount_cents=4000000&months=6"
    before = options(owing.service, application_id, query).json()["options"]
    held, state = owing.service.state.shell.release, owing.service.state
    state.shell = replace(
        state.shell,
        releases=InService(replace(fake_release(base=-0.5), name="test-later")),  # type: ignore[arg-type]
        load_release=lambda _: held,
    )
    state.advice.explorer._answers = Remembered(10)
    state.advice.explorer._records = Remembered(10)
    assert options(owing.service, application_id, query).json()["options"] == before


def test_where_there_is_no_offer_there_is_nothing_to_explore(sqlite_url: str) -> None:
    """A decline has no options, an expired offer has none any more, and somebody else's application is not there."""
    with telling(sqlite_url, DEFAULTED) as service:
        declined = service.apply(body_of()).json()
        assert slug_of(options(service, declined["application_id"])) == "no-offer"
        assert slug_of(options(service, "app_" + "0" * 32)) == "not-found"
        assert slug_of(options(service, declined["application_id"], secret=service.key("apply"))) == "not-found"
    with telling(sqlite_url) as service:
        office = Office.of(service)
        application_id = office.offered()["application_id"]
        office.clock.advance(timedelta(days=30).total_seconds())
        assert slug_of(options(service, application_id)) == "offer-expired"


def test_the_smallest_and_the_largest_offer_have_a_grid(sqlite_url: str) -> None:
    """From one amount to twelve, round ones below the offer, for any line of the product."""
    for limit in range(500_000, 30_000_001, 50_000):
        amounts = exploring._amounts(limit, 500_000)
        assert 1 <= len(amounts) <= 12
        assert amounts[0] == limit
        assert amounts == sorted(set(amounts), reverse=True)
        assert all(cents >= 500_000 and cents % 50_000 == 0 for cents in amounts)
        assert limit < 1_000_000 or len(amounts) >= 5


@pytest.mark.slow
def test_what_a_grid_takes_under_the_champion(sqlite_url: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Measured and printed: the whole grid and one point, worked out under the real model; no time decides."""
    with telling(sqlite_url, OWING, release=models.champion()) as service:  # type: ignore[arg-type]
        reply = service.apply(body_of(STATED)).json()
        assert reply["outcome"] == "approve"
        state, measured = service.state, {}
        for name, query in (("grid", ""), ("point", "?amount_cents=1000000&months=6")):
            options(service, reply["application_id"], query)
            state.advice.explorer._answers = Remembered(10)
            began = time.perf_counter()
            assert options(service, reply["application_id"], query).status_code == 200
            measured[name] = round((time.perf_counter() - began) * 1_000, 1)
    with capsys.disabled():
        print("\nexplorer, ms:", json.dumps(measured))
