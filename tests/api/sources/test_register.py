"""The business register's client: published shapes, every message, and everything that must not pass.

The bodies are rebuilt from the service's published documentation; the businesses in them are public bodies or made up.
"""

import asyncio
import json
from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.sandbox import Ask, Told
from api.sources import Asking, SourceFailed
from api.sources.company_register import Companies
from api.sources.register import Register
from engine.facts import RegisterRecord
from tests.support.businesses import AS_OF, business
from tests.support.unplugged import Switchboard, Unplugged, asking, fetched, why_not

GUID = "7c5f0c9e-canary"
AGENCY: dict[str, Any] = {
    "Abn": "74172177893", "AbnStatus": "Active", "AbnStatusEffectiveFrom": "2017-09-27", "Acn": "172177893",
    "AddressDate": None, "AddressPostcode": "2600", "AddressState": "ACT", "BusinessName": [],
    "EntityName": "DIGITAL TRANSFORMATION AGENCY", "EntityTypeCode": "CGE",
    "EntityTypeName": "Commonwealth Government Entity", "Gst": "2017-09-27", "Message": "",
}  # fmt: skip
REQUIRED = {
    "Abn", "AbnStatus", "AbnStatusEffectiveFrom", "Acn", "AddressState", "BusinessName", "EntityName", "EntityTypeCode",
    "Gst", "Message",
}  # fmt: skip


def about(abn: str, acn: str | None = None) -> Asking:
    """A question about the business of this ABN."""
    application = business()[0]
    stated = application.business.model_copy(update={"abn": abn, "acn": acn})
    return asking(application.model_copy(update={"business": stated}))


def wrapped(details: object) -> bytes:
    """The service's body around these details."""
    return f"callback({json.dumps(details)})".encode()


def record_of(body: bytes, abn: str = AGENCY["Abn"]) -> RegisterRecord:
    """What the client reads from a body."""
    record: RegisterRecord = fetched(Register(GUID), about(abn), Unplugged(lambda _: Told(body))).value
    return record


def failure_of(body: bytes, abn: str = AGENCY["Abn"]) -> str | None:
    """Why the client takes nothing from a body, None where it does."""
    return why_not(Register(GUID), about(abn), Unplugged(lambda _: Told(body)))


# -- what it reads -------------------------------------------------------------------------------------------


def test_the_documented_example_is_read() -> None:
    """The published example gives the record that it shows; GST is a date, and its "Acn" is no company's number."""
    assert record_of(wrapped(AGENCY)) == RegisterRecord(
        abn="74172177893", abn_active=True, abn_active_from=date(2017, 9, 27), acn=None,
        entity_name="DIGITAL TRANSFORMATION AGENCY", entity_type_code="CGE", gst_from=date(2017, 9, 27), state="ACT",
    )  # fmt: skip


def test_a_sole_trader_without_gst_is_read() -> None:
    """Names come as SURNAME, GIVEN NAMES; an empty ACN is none, and a null GST date is not registered."""
    told = {**AGENCY, "Acn": "", "EntityName": "CITIZEN, ROBIN LEE", "EntityTypeCode": "IND", "Gst": None}
    record = record_of(wrapped(told))
    assert (record.entity_name, record.acn, record.gst_from) == ("CITIZEN, ROBIN LEE", None, None)
    assert record.entity_class == "sole_trader"
    assert record_of(wrapped({**told, "Acn": None})) == record


def test_a_cancelled_abn_is_found_and_not_active() -> None:
    """Cancelled is a fact about a business that is on the register, not an absence."""
    record = record_of(wrapped({**AGENCY, "AbnStatus": "Cancelled", "Gst": None}))
    assert (record.found, record.abn_active) == (True, False)


@pytest.mark.parametrize("around", ["callback({})", "callback({});", " callback({}) ;\r\n", "\ufeffcb_1({})\n"])
def test_parentheses_belong_to_names(around: str) -> None:
    """Only the first and the last parenthesis are the wrapper's, however it ends."""
    told = {**AGENCY, "EntityName": "SMITH (HOLDINGS) CO (NSW)", "BusinessName": ["A (B)", "C); ("]}
    record = record_of(around.replace("{}", json.dumps(told)).encode())
    assert record.entity_name == "SMITH (HOLDINGS) CO (NSW)"
    assert record.business_names == ("A (B)", "C); (")


def test_names_are_cleaned_and_cut() -> None:
    """Control characters go, names end at 200 characters, blank ones are left out, and fifty are enough."""
    names = ["  TEA\u0000 &\u2028 CAKE\n", "\t", "N" * 300, *(f"NAME {n}" for n in range(60))]
    record = record_of(wrapped({**AGENCY, "EntityName": "LONG " * 60, "BusinessName": names}))
    assert record.entity_name == ("LONG " * 60)[:200].rstrip()
    assert record.business_names[:3] == ("TEA & CAKE", "N" * 200, "NAME 0")
    assert len(record.business_names) == 49


def test_what_nobody_has_heard_of_is_tolerated() -> None:
    """New fields, an entity type that is new, and a territory without a word of ours are no failures."""
    told = {**AGENCY, "EntityTypeCode": "ZZZ", "AddressState": "AAT", "Charity": {"a": [1]}, "Abn2": None}
    record = record_of(wrapped(told))
    assert (record.entity_type_code, record.entity_class, record.state) == ("ZZZ", "manual", None)


def test_one_request_with_the_credential_in_the_query() -> None:
    """The service is asked as it is documented; the credential shows in no repr."""
    conversation, register = Unplugged(lambda _: Told(wrapped(AGENCY))), Register(GUID)
    fetched(register, about(AGENCY["Abn"]), conversation)
    query = {"abn": AGENCY["Abn"], "callback": "callback", "guid": GUID}
    assert conversation.asks == [Ask("GET", "/json/AbnDetails.aspx", query)]
    assert GUID not in repr(register)


# -- messages ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("message", ["No record found", "No records found.", "Search text is not a valid ABN or ACN"])
def test_not_on_the_register_is_an_answer(message: str) -> None:
    """The messages that mean "no such ABN" give a record that says so."""
    record = record_of(wrapped({**dict.fromkeys(AGENCY, ""), "BusinessName": [], "Message": message}))
    assert (record.found, record.abn_active, record.abn) == (False, False, AGENCY["Abn"])
    assert record.abn_active_from == AS_OF.date()


@pytest.mark.parametrize(
    "message",
    [
        "The GUID entered is not recognised as a Registered Party",
        "The party identified by this GUID has not been registered for the requested service",
        "The registration for the party identified by this GUID has been cancelled",
        "A GUID must be supplied to access service",
    ],
)
def test_a_refused_credential_is_an_alarm(message: str) -> None:
    """Every message about the GUID is `unauthorised`, although it comes with HTTP 200."""
    assert failure_of(wrapped({"Message": message})) == "unauthorised"


@pytest.mark.parametrize(
    "message",
    [
        "System problems have prevented this request from completing",
        "There was a problem completing your request.",
        "No record found because the database is away",
        "x",
    ],
)
def test_an_outage_is_never_not_found(message: str) -> None:
    """Any other message is a failure, however much it looks like an answer, and even with a record beside it."""
    assert failure_of(wrapped({**AGENCY, "Message": message})) == "status"


# -- what it refuses -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", sorted(AGENCY))
def test_each_required_field_is_required(name: str) -> None:
    """A missing field that a decision reads is a schema failure; the others may be missing."""
    told = {key: value for key, value in AGENCY.items() if key != name}
    assert failure_of(wrapped(told)) == ("schema" if name in REQUIRED else None)


@pytest.mark.parametrize(
    "change",
    [
        {"Abn": "53004085616"}, {"Abn": ""}, {"Abn": 74172177893}, {"AbnStatus": "active"}, {"AbnStatus": ""},
        {"AbnStatusEffectiveFrom": "0001-01-01"}, {"AbnStatusEffectiveFrom": "27/09/2017"},
        {"AbnStatusEffectiveFrom": None}, {"AbnStatusEffectiveFrom": 1_506_470_400}, {"Gst": "9999-12-31"},
        {"Gst": True}, {"Gst": "Y"}, {"Acn": "172177893", "EntityTypeCode": "PRV"}, {"Acn": 172177893},
        {"BusinessName": None}, {"BusinessName": [1]}, {"BusinessName": {}}, {"EntityName": " \u0007"},
        {"EntityName": None}, {"AbnStatusEffectiveFrom": "0"}, {"Gst": "946684800"}, {"EntityTypeCode": "CG"},
        {"EntityTypeCode": "cge"}, {"EntityTypeCode": "CGEX"}, {"Message": None},
        {"EntityName": "\ud800"},
    ],
)  # fmt: skip
def test_what_is_out_of_range_is_refused(change: dict[str, Any]) -> None:
    """Another ABN than the one asked about, impossible dates, wrong types: `schema`, never a guess."""
    assert failure_of(wrapped({**AGENCY, **change})) in ({"malformed"} if "\ud800" in change.values() else {"schema"})


@pytest.mark.parametrize(
    "body",
    [
        b"", b"callback", b"callback(", b"callback)", b")(", b"callback()", wrapped(AGENCY)[:-20],
        b"<html><body onload='start()'>Server Error (500)</body></html>", b"<html>down</html> (sorry)",
        json.dumps(AGENCY).encode(), b"callback({'Abn': 1})", b"callback(" + b"[" * 100_000 + b")", b"callback(NaNs)",
    ],
)  # fmt: skip
def test_what_is_no_jsonp_is_malformed(body: bytes) -> None:
    """An error page with HTTP 200, half an answer, or plain JSON is `malformed`."""
    assert failure_of(body) == "malformed"


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from(sorted(AGENCY)), inner, max_size=6),
    max_leaves=12,
)


@given(
    st.one_of(
        st.binary(max_size=200),
        st.binary(max_size=100).map(lambda inner: b"callback(" + inner + b")"),
        JSON.map(wrapped),
        st.dictionaries(st.sampled_from(sorted(AGENCY)), JSON, max_size=4).map(
            lambda more: wrapped({**AGENCY, **more})
        ),
    )
)
def test_garbage_is_a_failure_with_a_name(body: bytes) -> None:
    """Whatever comes, there is a record of the ABN asked about, or SourceFailed; nothing else is raised."""
    assert failure_of(body) in {None, "malformed", "schema", "status", "unauthorised"}


def test_a_failure_keeps_nothing_of_what_came() -> None:
    """Neither the failure nor what led to it holds a piece of the body."""
    for body in (
        b"callback(CANARY",
        b"callback(CANARY)",
        wrapped({**AGENCY, "Gst": "CANARY"}),
        wrapped({"Message": "CANARY"}),
    ):
        with pytest.raises(SourceFailed) as caught:
            record_of(body)
        assert (caught.value.__cause__, caught.value.__context__) == (None, None)
        assert "CANARY" not in str(caught.value)


# -- the company register beside it --------------------------------------------------------------------------

ACN, OTHER_ACN = "955501005", "912345674"
COMPANY = {**AGENCY, "Abn": "37955501005", "Acn": ACN, "EntityTypeCode": "PRV"}


def companies(statuses: dict[str, str | None]) -> Switchboard:
    """A company register that knows these ACNs; None stands for one that fails."""

    def tell(ask: Ask) -> Told:
        acn = json.loads(ask.query["filters"])["ACN"]
        if acn in statuses and statuses[acn] is None:
            return Told(b"", 500)
        records = [{"ACN": acn, "Status": statuses[acn]}] if acn in statuses else []
        return Told(json.dumps({"success": True, "result": {"records": records}}).encode())

    return Switchboard(tell)


@pytest.mark.parametrize("status", ["REGD", "EXAD", "SOFF", "DRGD", None])
def test_a_company_has_its_status(status: str | None) -> None:
    """The company register's status is the record's; a company that is not listed has none."""
    board = companies({} if status is None else {ACN: status})
    first = Unplugged(lambda _: Told(wrapped(COMPANY)))
    answer = fetched(Register(GUID, Companies(board)), about("37955501005", ACN), first)
    assert answer.value.company_status == status
    assert answer.also == tuple(board.conversations)
    assert [len(other.asks) for other in board.conversations] == [1]


def test_the_registers_acn_counts() -> None:
    """Where the register knows another ACN than was stated, the status is that company's, the other's failure none."""
    board = companies({ACN: None, OTHER_ACN: "EXAD"})
    first = Unplugged(lambda _: Told(wrapped({**COMPANY, "Acn": OTHER_ACN})))
    answer = fetched(Register(GUID, Companies(board)), about("37955501005", ACN), first)
    assert answer.value.company_status == "EXAD"
    assert [len(other.asks) for other in answer.also] == [1]


@pytest.mark.parametrize("stated", [None, ACN])
def test_who_is_no_company_needs_no_company_register(stated: str | None) -> None:
    """Without an ACN on the register there is no status, and a company register that is away costs nothing."""
    first = Unplugged(lambda _: Told(wrapped({**COMPANY, "Acn": "", "EntityTypeCode": "DTT"})))
    answer = fetched(Register(GUID, Companies(companies({ACN: None}))), about("37955501005", stated), first)
    assert (answer.value.company_status, answer.also) == (None, ())


@pytest.mark.parametrize("stated", [None, ACN])
def test_a_company_register_that_fails_fails_the_fact(stated: str | None) -> None:
    """No insolvency is missed because a register was away: the whole fact is failed."""
    first = Unplugged(lambda _: Told(wrapped(COMPANY)))
    assert why_not(Register(GUID, Companies(companies({ACN: None}))), about("37955501005", stated), first) == "status"


def test_both_registers_are_asked_at_once() -> None:
    """Neither waits for the other: each answers only once both have been asked."""
    both = asyncio.Event()

    async def first(ask: Ask) -> Told:
        await both.wait()
        return Told(wrapped(COMPANY))

    def second(ask: Ask) -> Told:
        both.set()
        return Told(json.dumps({"success": True, "result": {"records": [{"ACN": ACN, "Status": "REGD"}]}}).encode())

    register = Register(GUID, Companies(Switchboard(second)))
    assert fetched(register, about("37955501005", ACN), Unplugged(first)).value.company_status == "REGD"


def test_a_register_that_fails_leaves_nothing_running() -> None:
    """When the first register fails, the question to the other is given up (`fetched` sees that no task is left)."""

    async def never(ask: Ask) -> Told:
        await asyncio.sleep(3_600)
        return Told(b"")

    register = Register(GUID, Companies(Switchboard(never)))
    assert why_not(register, about("37955501005", ACN), Unplugged(lambda _: Told(b"", 503))) == "busy"
