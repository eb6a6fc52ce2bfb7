"""The value of the next connection: read strictly, decided over comparable businesses, told without a word too many."""

import asyncio
import json
import zlib
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import httpx
import pytest
import structlog
from structlog.testing import CapturingLogger

from api.comparables import (
    LEAST_TRIED,
    MOST_FILE_BYTES,
    MOST_INFLATED_BYTES,
    USUAL_COUNT,
    BankValue,
    Comparables,
    ComparablesError,
    Question,
    value_of_connecting,
)
from api.errors import Problem
from api.routes.connections import BURST, CONNECTION_VALUE, MOST_QUESTION_BYTES, MOST_WAITING, Connections
from engine.canonical import canonical_bytes
from engine.comparable import Comparable, Heading, group_of
from engine.decision import decide
from engine.features.statement import summarise
from engine.whatif import Range
from tests.support.businesses import TODAY, application_json, business, story
from tests.support.releases import fake_release
from tests.support.schema import slug_of
from tests.support.service import Service, body_of
from training.comparables import from_market, write_comparables

RELEASE = fake_release()
JSON = {"Content-Type": "application/json"}


@pytest.fixture(scope="module")
def file(market: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Forty-five comparables of the made-up market."""
    path = tmp_path_factory.mktemp("comparables") / "comparables.bin"
    write_comparables(path, from_market(market), 45)
    return path


@pytest.fixture(scope="module")
def comparables(file: Path) -> Comparables:
    """The same, opened."""
    return Comparables.open(file)


@pytest.fixture(scope="module")
def few(comparables: Comparables) -> Comparables:
    """As few as are ever read, each of them good for a line at the ordinary business's size."""
    application = parsed().application(TODAY)

    def good(business: Comparable) -> bool:
        alone = Comparables((business,), synthetic=True, digest="")
        return value_of_connecting(alone, application, RELEASE, TODAY).connected.approved == 1

    chosen = [business for business in comparables.businesses if good(business)][:LEAST_TRIED]
    assert len(chosen) == LEAST_TRIED
    return Comparables(tuple(chosen), synthetic=True, digest="few")


@pytest.fixture
def connections(few: Comparables) -> Iterator[Connections]:
    """Answers over a few comparables, on a clock that stands still."""
    found = Connections(few, clock=lambda: 0.0)
    yield found
    found.close()


@pytest.fixture
def asked(lone_service: Service, connections: Connections) -> Service:
    """The service with those answers."""
    lone_service.state.connections = connections
    return lone_service


def question(told: dict[str, Any] | None = None) -> dict[str, Any]:
    """What may be asked before any consent, of the ordinary business with a story laid over it."""
    stated = application_json(story({"application": told or {}}))
    return {room: stated[room] for room in ("business", "request", "finances")}


def parsed(told: dict[str, Any] | None = None) -> Question:
    """The same as a value."""
    return Question.model_validate_json(json.dumps(question(told)))


def ask(service: Service, body: object, **more: Any) -> httpx.Response:
    """Ask over HTTP; bytes go as they are."""
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    return service.ask("POST", CONNECTION_VALUE, content=content, **{"headers": JSON, **more})


# -- the file ------------------------------------------------------------------------------------------------


def lines_of(file: Path) -> list[bytes]:
    return zlib.decompress(file.read_bytes()).splitlines()


def packed(*lines: bytes) -> bytes:
    return zlib.compress(b"\n".join(lines))


def test_the_file_is_read_whole(file: Path, comparables: Comparables) -> None:
    """Every business of the file, marked as made up, under the file's digest."""
    assert len(comparables.businesses) == len(lines_of(file)) - 1 == 45
    assert comparables.synthetic
    assert len(comparables.digest) == 64


def test_a_file_that_is_not_whole_is_refused(file: Path, tmp_path: Path) -> None:
    """Absent, foreign, damaged, cut, trailed, miscounted, too small or too large: one error that names the file."""
    good = file.read_bytes()
    head, *rest = lines_of(file)
    heading = Heading.model_validate_json(head)
    wrong = {
        "foreign": b"not a file of comparables",
        "empty": b"",
        "cut": good[: len(good) // 2],
        "trailed": good + b"more",
        "without lines": packed(),
        "without heading": packed(*rest),
        "one too few": packed(head, *rest[:-1]),
        "one too many": packed(head, *rest, rest[0]),
        "a line that is none": packed(head, *rest[:-1], b"{}"),
        "another format": packed(head.replace(b"comparables-1", b"comparables-2"), *rest),
        "anecdotes": packed(heading.model_copy(update={"count": 9}).canonical(), *rest[:9]),
        "too large": good + bytes(MOST_FILE_BYTES),
        "a bomb": zlib.compress(bytes(MOST_INFLATED_BYTES + 1), 9),
    }
    for name, content in wrong.items():
        path = tmp_path / f"{name}.bin"
        path.write_bytes(content)
        with pytest.raises(ComparablesError, match=f"{name}.bin") as caught:
            Comparables.open(path)
        assert caught.value.__cause__ is None
        assert "PARTY" not in str(caught.value)
    with pytest.raises(ComparablesError, match="cannot be read"):
        Comparables.open(tmp_path / "absent.bin")


# -- which are comparable ------------------------------------------------------------------------------------


def test_the_nearest_are_taken_and_scaled(comparables: Comparables) -> None:
    """Own division before its group before others at equal size, the statement ending yesterday, revenue as stated."""
    asked = parsed().general()
    application = asked.application(TODAY)
    near = comparables.like(application, TODAY, 12)
    assert len(near) == 12
    stated = application.finances.turnover_12m_cents
    sizes = []
    for comparable in near:
        assert (TODAY - comparable.bank.newest_on).days == 1
        revenue = summarise(comparable.bank).revenue
        sizes.append(12 * sum(revenue) // len(revenue))
    within = sum(stated / 2 <= each.revenue_12m_cents <= stated * 2 for each in comparables.businesses)
    assert sum(abs(size - stated) < stated // 1_000 for size in sizes) == min(within, 12) > 5
    size = comparables.businesses[0].model_copy(update={"revenue_12m_cents": stated})
    same, group, other = (size.model_copy(update={"division": division}) for division in "GFH")
    ordered = Comparables((other, group, same), synthetic=True, digest="").like(application, TODAY, 3)
    assert [each.division for each in ordered] == ["G", "F", "H"]
    assert group_of("F") == group_of("G") != group_of("H")
    far = same.model_copy(update={"revenue_12m_cents": stated * 3})  # too large to be scaled to this turnover
    assert [each.division for each in Comparables((far, other), True, "").like(application, TODAY, 1)] == ["H"]


def test_nothing_is_too_small_to_compare(comparables: Comparables) -> None:
    """A turnover of nothing at all has its nearest too."""
    application = parsed({"finances": {"turnover_12m_cents": 0}}).application(TODAY)
    assert len(comparables.like(application, TODAY)) == USUAL_COUNT


# -- the value -----------------------------------------------------------------------------------------------

ASKED = [
    {},
    {"request": {"amount_cents": 20_000_000}},
    {"request": {"amount_cents": 30_000_000}, "finances": {"turnover_12m_cents": 900_000_000}},
    {"business": {"entity_type": "sole_trader", "acn": None}, "finances": {"turnover_12m_cents": 12_000_000}},
    {"business": {"gst_registered": False}},
]


@pytest.mark.parametrize("told", ASKED)
def test_the_value_is_what_would_be_decided(comparables: Comparables, told: dict[str, Any]) -> None:
    """Each range is that of decide() over a business's own facts with each comparable's bank, file and orders."""
    registry: dict[str, Any] = {"abn_active_from": "2018-03-01"}
    stated = told.get("business", {})
    if "entity_type" in stated:
        registry["entity_type_code"] = "IND"
    if "gst_registered" in stated:
        registry["gst_from"] = None
    plain, facts = business({"application": told, "registry": registry})
    asked = parsed(told)
    value = value_of_connecting(comparables, asked.application(TODAY), RELEASE, TODAY)
    near = comparables.like(plain, TODAY)
    for found, evidence in ((value.connected, "connected"), (value.uploaded, "declared"), (value.without, None)):
        limits = []
        for each in near:
            bank = (
                facts.bank.model_copy(update={"value": each.bank.model_copy(update={"evidence": evidence})})
                if evidence
                else facts.bank.model_copy(update={"value": None, "status": "absent"})
            )
            parts = {"bank": bank, "bureau": facts.bureau.model_copy(update={"value": each.bureau}),
                     "marketplace": facts.marketplace.model_copy(update={"value": each.marketplace})}  # fmt: skip
            offer = decide(plain, facts.model_copy(update=parts), RELEASE).offer
            limits += [offer.limit_cents] if offer else []
        limits.sort()
        assert (found.tried, found.approved) == (len(near), len(limits))
        ranks = [-(-percent * len(limits) // 100) - 1 for percent in (10, 50, 90)]
        wanted = [limits[rank] for rank in ranks] if limits else [None, None, None]
        assert [found.low_cents, found.median_cents, found.high_cents] == wanted


def test_more_evidence_never_gives_less(comparables: Comparables) -> None:
    """The usual line is highest with a connection, then with an upload; what policy allows either caps both."""
    asked = parsed({"request": {"amount_cents": 30_000_000}, "finances": {"turnover_12m_cents": 200_000_000}})
    value = value_of_connecting(comparables, asked.application(TODAY), RELEASE, TODAY)
    limits = RELEASE.policy.on(TODAY).limits
    assert value.connected.approved == value.uploaded.approved > 0
    for rank in ("low_cents", "median_cents", "high_cents"):
        assert getattr(value.connected, rank) >= getattr(value.uploaded, rank)
    assert (value.uploaded.high_cents or 0) <= limits.bank_declared_cents
    assert (value.without.high_cents or 0) <= limits.bank_absent_cents
    assert (value.connected.high_cents or 0) > limits.bank_declared_cents


# -- what is told --------------------------------------------------------------------------------------------


def test_both_ways_are_told_alike(asked: Service) -> None:
    """Connecting and uploading have the same fields and the same sentence but for their name, in steps of $500."""
    reply = ask(asked, question())
    assert reply.status_code == 200
    assert reply.headers["cache-control"] == "no-store"
    told = reply.json()
    connect, upload = told["ways"]
    assert (connect["way"], upload["way"]) == ("connect", "upload")
    assert list(connect) == list(upload)
    for way, name in ((connect, "Connecting your bank"), (upload, "Uploading your bank statements")):
        low, middle, high = (way[f"line_{rank}_cents"] for rank in ("low", "median", "high"))
        assert way["usual"]
        assert low <= middle <= high <= 4_000_000
        assert all(cents % 50_000 == 0 for cents in (low, middle, high))
        between = f"a line between ${low // 100:,} and ${high // 100:,}" if low < high else f"a line of ${low // 100:,}"
        assert way["words"] == f"{name} usually gives {between}."
    assert told["basis"] == f"{LEAST_TRIED} comparable businesses, synthetic data"
    assert told["synthetic"] is True


def test_a_range_is_called_usual_only_where_half_are_approved(
    few: Comparables, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Below half, or below ten businesses, no figure is told, nor how many were approved."""

    def told(tried: int, approved: int) -> dict[str, Any]:
        found = Range(source="bank", tried=tried, approved=approved, low_cents=500_000 if approved else None,
                      median_cents=600_000 if approved else None, high_cents=700_000 if approved else None)  # fmt: skip
        value = BankValue(found, found, found, synthetic=False)
        monkeypatch.setattr("api.routes.connections.value_of_connecting", lambda *_: value)
        connections = Connections(few)
        body = asyncio.run(connections.answer(parsed(), "key_1", RELEASE, TODAY))
        connections.close()
        answer: dict[str, Any] = json.loads(body)
        return answer

    usual = told(10, 5)
    assert usual["ways"][0]["line_low_cents"] == 500_000
    assert usual["without_cents"] == 600_000
    assert usual["basis"] == "10 comparable businesses, de-identified"
    for tried, approved in ((11, 5), (9, 9), (40, 0)):
        varies = told(tried, approved)
        assert varies["without_cents"] is None
        for way in varies["ways"]:
            assert (way["usual"], way["line_low_cents"], way["line_median_cents"]) == (False, None, None)
            assert way["words"].endswith("varies too much to name a range.")
    assert {**told(11, 5), "basis": ""} == {**told(40, 0), "basis": ""}


def test_a_request_that_no_evidence_helps_has_no_range(asked: Service) -> None:
    """A household purpose is told that it varies, like any other: why is not told here."""
    told = ask(asked, question({"request": {"purpose": "household"}})).json()
    assert [way["usual"] for way in told["ways"]] == [False, False]
    assert told["without_cents"] is None
    assert not {"reasons", "outcome", "approved_share", "score", "pd"} & set(json.dumps(told).split('"'))


# -- who asks, and how often ---------------------------------------------------------------------------------


def test_who_asks_and_small_changes_do_not_matter(asked: Service) -> None:
    """Another name, ABN or supplier, or a turnover a little different, gives the same bytes."""
    plain = ask(asked, question())
    others = (
        {"business": {"legal_name": "WATTLE FOODS PTY LTD"}},
        {"business": {"abn": "52 960 417 458", "acn": "960 417 458"}},
        {"request": {"supplier_id": "SUP-0", "purpose_detail": "for winter"}},
        {"finances": {"turnover_12m_cents": 96_123_456}},
    )
    for told in others:
        assert ask(asked, question(told)).content == plain.content
    assert ask(asked, question({"request": {"amount_cents": 500_000}})).content != plain.content


def test_amounts_are_read_to_two_figures() -> None:
    """Every declared amount is rounded, none becomes or ceases to be zero, and the line asked for stays exact."""
    told = {
        "request": {"amount_cents": 4_050_000},
        "finances": {"turnover_12m_cents": 100_000_000_000 - 1, "other_lenders": 2, "other_repayments_month_cents": 1,
                     "overdue_tax_cents": 1_549, "tax_plan": False},
    }  # fmt: skip
    general = parsed(told).general()
    assert general.finances.turnover_12m_cents == 100_000_000_000
    assert general.finances.other_repayments_month_cents == 1
    assert general.finances.overdue_tax_cents == 1_500
    assert general.request.amount_cents == 4_050_000
    assert general.general() == general
    assert parsed({"finances": {"turnover_12m_cents": 0}}).general().finances.turnover_12m_cents == 0


def test_nothing_is_kept_and_nothing_is_logged(asked: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    """No row is written in any table, and neither name nor ABN is in what the process logs."""
    logged = CapturingLogger()
    for module in ("api.app", "api.errors"):
        monkeypatch.setattr(f"{module}.log", structlog.wrap_logger(logged, processors=[]))
    before = asked.counts()
    told = question({"business": {"legal_name": "CANARY BIRDS PTY LTD"}})
    assert ask(asked, told).status_code == 200
    assert ask(asked, {**told, "people": "CANARY"}).status_code == 422
    assert asked.counts() == before
    printed = str(logged.calls)
    assert CONNECTION_VALUE in printed
    assert "CANARY" not in printed
    assert told["business"]["abn"] not in printed


def test_new_questions_have_a_budget(lone_service: Service, few: Comparables, monkeypatch: pytest.MonkeyPatch) -> None:
    """After a burst of new questions a key waits a second for each more; repeated ones and other keys go on."""
    now = [0.0]
    usual = Range(source="bank", tried=10, approved=0, low_cents=None, median_cents=None, high_cents=None)
    value = BankValue(usual, usual, usual, synthetic=True)
    monkeypatch.setattr("api.routes.connections.value_of_connecting", lambda *_: value)
    lone_service.state.connections = Connections(few, clock=lambda: now[0])
    bodies = [question({"request": {"amount_cents": 500_000 + 50_000 * place}}) for place in range(int(BURST) + 3)]
    for body in bodies[: int(BURST)]:
        assert ask(lone_service, body).status_code == 200
    for _ in range(2):
        assert slug_of(ask(lone_service, bodies[int(BURST)])) == "rate-limited"
    assert ask(lone_service, bodies[0]).status_code == 200
    assert ask(lone_service, bodies[int(BURST)], secret=lone_service.key("apply")).status_code == 200
    now[0] = 1.0
    assert ask(lone_service, bodies[int(BURST) + 1]).status_code == 200
    assert slug_of(ask(lone_service, bodies[int(BURST) + 2])) == "rate-limited"
    lone_service.state.connections.close()


def test_a_rush_is_turned_away(connections: Connections) -> None:
    """Of many different questions at once as many are answered as may wait; the rest are asked to come back."""
    questions = [parsed({"request": {"amount_cents": 500_000 + 50_000 * place}}) for place in range(MOST_WAITING + 3)]

    async def all_at_once() -> list[bytes | BaseException]:
        answers = [connections.answer(each, f"key_{place}", RELEASE, TODAY) for place, each in enumerate(questions)]
        return await asyncio.gather(*answers, return_exceptions=True)

    found = asyncio.run(all_at_once())
    refused = [each.slug for each in found if isinstance(each, Problem)]
    assert refused == ["overloaded"] * 3
    assert sum(isinstance(each, bytes) for each in found) == MOST_WAITING


def test_the_same_question_at_once_is_one_answer(connections: Connections, monkeypatch: pytest.MonkeyPatch) -> None:
    """Those who ask the same at the same moment wait for one computation, and another day is another question."""
    computed = []

    def counting(*arguments: Any) -> BankValue:
        computed.append(arguments)
        return value_of_connecting(*arguments)

    monkeypatch.setattr("api.routes.connections.value_of_connecting", counting)

    async def at_once() -> list[bytes]:
        return await asyncio.gather(*(connections.answer(parsed(), "key_1", RELEASE, TODAY) for _ in range(5)))

    assert len(set(asyncio.run(at_once()))) == 1
    assert len(computed) == 1
    asyncio.run(connections.answer(parsed(), "key_1", RELEASE, date(2026, 9, 1)))
    assert len(computed) == 2


# -- refusals ------------------------------------------------------------------------------------------------


def test_without_comparables_it_is_not_set_up(lone_service: Service) -> None:
    """Where the operator has set no file the answer is `not-configured`, to those who may ask at all."""
    lone_service.state.connections = None
    assert slug_of(ask(lone_service, question())) == "not-configured"
    assert slug_of(ask(lone_service, question(), secret=None)) == "unauthenticated"


def test_only_the_scope_apply_may_ask(asked: Service) -> None:
    """A key for anything else is refused before its body is read."""
    assert slug_of(ask(asked, b"?", secret=asked.key("audit", "operate"))) == "forbidden"
    assert slug_of(ask(asked, b"?", secret=None)) == "unauthenticated"


@pytest.mark.parametrize(
    ("body", "slug"),
    [
        (b"{", "malformed-json"),
        (b'{"business": {}, "business": {}}', "malformed-json"),
        (b"[" * 5_000 + b"]" * 5_000, "malformed-json"),
        (b"{}", "validation-failed"),
        (b'"' + b"x" * MOST_QUESTION_BYTES + b'"', "payload-too-large"),
    ],
)
def test_what_is_no_question_is_refused(asked: Service, body: bytes, slug: str) -> None:
    """The body is strict JSON of a few kilobytes with every field, or a problem."""
    assert slug_of(ask(asked, body)) == slug


def test_nobodys_details_are_taken(asked: Service) -> None:
    """People, consents and statements are no part of the question, so that they cannot be sent by mistake."""
    whole = body_of()
    reply = ask(asked, whole)
    assert slug_of(reply) == "validation-failed"
    assert {error["path"] for error in reply.json()["errors"]} == {"people", "consents"}
    assert slug_of(ask(asked, question(), headers={"Content-Type": "text/plain"})) == "unsupported-media-type"
    late = question({"business": {"trading_since": "2027-01-01"}})
    assert ask(asked, late).json()["errors"][0]["rule"] == "date_in_future"


def test_a_business_of_the_file_round_trips(comparables: Comparables) -> None:
    """What is read is what was written, to the byte."""
    for each in comparables.businesses[:5]:
        assert Comparable.model_validate_json(each.canonical()) == each
        assert canonical_bytes(json.loads(each.canonical())) == each.canonical()
