"""The company register's client: rows of a datastore, and everything that must not pass for a status."""

import asyncio
import json
import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.sandbox import Ask, Told
from api.sources import SourceFailed
from api.sources.company_register import Companies
from tests.support.unplugged import Switchboard

ACN = "004085616"
ROW: dict[str, Any] = {
    "_id": 17, "Company Name": "SAMPLE COMPANY PTY LTD", "ACN": ACN, "Type": "APTY", "Class": "LMSH",
    "Sub Class": "PROP", "Status": "REGD", "Date of Registration": "08/01/1990", "Current Name Indicator": "Y",
    "ABN": "53004085616",
}  # fmt: skip


def body_of(*rows: dict[str, Any]) -> bytes:
    """The datastore's body with these rows."""
    result = {"resource_id": "r", "fields": [], "records": rows, "total": len(rows)}
    return json.dumps({"help": "...", "success": True, "result": result}).encode()


def status_of(body: bytes, board: Switchboard | None = None) -> str | None:
    """The status that the client reads from a body."""
    board = board or Switchboard(lambda _: Told(body))
    return asyncio.run(Companies(board, "res-1").status_of(ACN, math.inf))[0]


def failure_of(body: bytes) -> str | None:
    """Why the client takes nothing from a body, None where it does."""
    try:
        status_of(body)
    except SourceFailed as failed:
        return failed.why
    return None


@pytest.mark.parametrize("status", ["REGD", "EXAD", "SOFF", "DRGD"])
def test_a_row_says_what_has_become_of_the_company(status: str) -> None:
    """Each of the four words comes through."""
    assert status_of(body_of({**ROW, "Status": status})) == status


def test_the_datastore_is_asked_by_acn() -> None:
    """One search of the dataset, filtered by the ACN."""
    board = Switchboard(lambda _: Told(body_of(ROW)))
    status_of(b"", board)
    query = {"resource_id": "res-1", "filters": '{"ACN":"004085616"}', "limit": "100"}
    assert board.conversations[0].asks == [Ask("GET", "/api/3/action/datastore_search", query)]


def test_a_company_that_is_not_listed_has_no_status() -> None:
    """The dataset is published weekly: a new company is in nobody's way."""
    assert status_of(body_of()) is None


def test_of_several_names_the_worst_status_counts() -> None:
    """One row a name: whatever their order, an ended company is ended."""
    rows = [{**ROW, "Status": status} for status in ("REGD", "DRGD", "SOFF")]
    assert status_of(body_of(*rows)) == status_of(body_of(*rows[::-1])) == "DRGD"
    assert status_of(body_of(rows[0], rows[2])) == "SOFF"


def test_a_copy_without_leading_zeros_is_the_same_company() -> None:
    """Where ACNs have become numbers, the missing zeros are put back."""
    assert status_of(body_of({**ROW, "ACN": 4_085_616})) == "REGD"


@pytest.mark.parametrize(
    "body",
    [
        body_of({**ROW, "Status": "NOAC"}), body_of({**ROW, "Status": None}), body_of(ROW, {**ROW, "Status": "PEND"}),
        body_of({**ROW, "ACN": "000000019"}), body_of(ROW, {**ROW, "ACN": "000000019"}), body_of({**ROW, "ACN": None}),
        body_of({key: value for key, value in ROW.items() if key != "Status"}),
        body_of({key: value for key, value in ROW.items() if key != "ACN"}),
        body_of(*[ROW] * 101), b'{"success": true}', b'{"success": true, "result": {"records": null}}', b"[]", b"null",
        body_of(ROW).replace(b"true", b"false"),
    ],
)  # fmt: skip
def test_what_says_nothing_certain_is_refused(body: bytes) -> None:
    """A status without a word of ours, another company's row, a missing field: `schema`, never "no status"."""
    assert failure_of(body) == "schema"


@pytest.mark.parametrize("body", [b"", b"<html>(down)</html>", body_of(ROW)[:-3], b"\xff\xfe{}"])
def test_what_is_no_json_is_malformed(body: bytes) -> None:
    """Half an answer or an error page is `malformed`."""
    assert failure_of(body) == "malformed"


@given(
    st.one_of(
        st.binary(max_size=100),
        st.dictionaries(
            st.sampled_from(["ACN", "Status", "x"]),
            st.one_of(st.text(max_size=9), st.integers(), st.just(ACN), st.just("EXAD"), st.none()),
        ).map(body_of),
    )
)
def test_garbage_is_a_failure_with_a_name(body: bytes) -> None:
    """Whatever comes, there is a status, none, or SourceFailed."""
    assert failure_of(body) in {None, "malformed", "schema"}
