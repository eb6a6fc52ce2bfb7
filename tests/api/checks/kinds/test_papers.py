"""Made-up papers of ten kinds, in every layout and variant: right ones pass, wrong ones fail in just what is wrong."""

import re
from collections.abc import Mapping
from itertools import product

import pytest

from api.checks.kinds import (
    activity_statement,
    bank_account_proof,
    company_extract,
    financial_statements,
    identity,
    partnership_agreement,
    rates_notice,
    supplier_invoice,
    tax_account,
    trust_deed,
)
from api.checks.reading.ocr import reader
from api.checks.subject import Check
from api.checks.table import FIRST
from api.checks.values import Kind
from benchmarks.papers.measure import same
from engine.verification.documents import KINDS, RETURN_REASONS
from tests.support.checking import of_paper, results, typed, values, verdicts
from tests.support.papers import ELECTRONIC, WRITERS, Variant, paper, possible

CHECKS: Mapping[Kind, tuple[Check, ...]] = {
    "identity": identity.CHECKS,
    "company_extract": company_extract.CHECKS,
    "trust_deed": trust_deed.CHECKS,
    "partnership_agreement": partnership_agreement.CHECKS,
    "activity_statement": activity_statement.CHECKS,
    "tax_account": tax_account.CHECKS,
    "financial_statements": financial_statements.CHECKS,
    "supplier_invoice": supplier_invoice.CHECKS,
    "rates_notice": rates_notice.CHECKS,
    "bank_account_proof": bank_account_proof.CHECKS,
}
LAYOUTS = [(kind, layout) for kind in CHECKS for layout in WRITERS[kind]]
IDS = [f"{kind}-{layout}" for kind, layout in LAYOUTS]
POSSIBLE = [
    (kind, layout, variant)
    for kind, layout in LAYOUTS
    for variant in ELECTRONIC
    if variant != "other_kind" and possible(kind, layout, variant)
]
VERIFY_THEMSELVES: tuple[Kind, ...] = ("identity", "company_extract", "activity_statement", "bank_account_proof")
SEEDS = range(2)
OF_EVERY_KIND = {each.name for each in FIRST}
OF_THE_KIND: tuple[Variant, ...] = ("clean", "altered", "wrong_abn", "other_name", "expired", "pages_missing")
ON_MISSING_PAGES = {"turnover", "profit", "signed"}


@pytest.mark.parametrize(("kind", "layout", "variant"), POSSIBLE)
def test_a_paper_fails_in_what_is_wrong_with_it_and_in_nothing_else(kind: Kind, layout: str, variant: Variant) -> None:
    """Every check that ought not to pass warns or fails, and every other passes."""
    for seed in SEEDS:
        each = paper(kind, variant, layout, seed)
        found = verdicts(of_paper(each), CHECKS[kind])
        assert variant not in OF_THE_KIND or each.wrong - OF_EVERY_KIND <= found.keys(), each.title
        silent = ON_MISSING_PAGES if variant == "pages_missing" else set()
        flagged = {name for name, verdict in found.items() if verdict in {"warn", "fail"}}
        unread = {name for name, verdict in found.items() if verdict == "unread"}
        assert flagged == each.wrong & found.keys(), (each.title, seed, found)
        assert unread <= silent, (each.title, seed, found)


@pytest.mark.parametrize(("kind", "layout"), LAYOUTS, ids=IDS)
def test_a_clean_paper_says_every_value_that_is_recorded(kind: Kind, layout: str) -> None:
    """Each field that a reviewer would record is read, and read right."""
    for seed in range(5):
        each = paper(kind, "clean", layout, seed)
        read = values(results(of_paper(each), CHECKS[kind]).values())
        for field in KINDS[kind].fields:
            assert same(kind, field.name, read[field.name], each.truth[field.name]), (each.title, seed, field.name)


@pytest.mark.parametrize("kind", VERIFY_THEMSELVES)
def test_clean_electronic_papers_can_verify_themselves(kind: Kind) -> None:
    """Every check passes as sure as policy asks, and none says that it read nothing."""
    for layout, seed in product(WRITERS[kind], SEEDS):
        found = results(of_paper(paper(kind, "clean", layout, seed)), CHECKS[kind]).values()
        assert [each.name for each in found if each.verdict != "pass" or each.confidence_bps < 9_000] == []


@pytest.mark.parametrize(("kind", "layout"), LAYOUTS, ids=IDS)
def test_what_a_check_says_holds_no_value_that_was_read(kind: Kind, layout: str) -> None:
    """Neither names nor numbers nor days of birth stand in the words, and no day of birth in any finding."""
    for variant in ("clean", "other_name", "expired"):
        if not possible(kind, layout, variant):
            continue
        each = paper(kind, variant, layout, seed=1)
        found = results(of_paper(each), CHECKS[kind]).values()
        words = " ".join(result.says for result in found).casefold()
        said = [str(value) for value in each.prints.values()] + [each.subject.legal_name, each.subject.abn or ""]
        said += [name for person in each.subject.people for name in (person.given_names, person.family_name)]
        assert [value for value in said if value.casefold() in words] == []
        if kind == "identity":
            shown = " ".join(f"{finding.field} {finding.value}" for result in found for finding in result.found)
            years = {str(person.born.year) for person in each.subject.people if person.born}
            assert [year for year in years if re.search(rf"\b{year}\b", shown)] == []


@pytest.mark.skipif(reader() == "none", reason="nothing on this machine reads pictures")
@pytest.mark.parametrize(("kind", "layout"), [
    ("identity", "passport"), ("identity", "licence"), ("company_extract", "current"), ("activity_statement", "form"),
    ("bank_account_proof", "letter"),
])  # fmt: skip
def test_a_scan_is_read_and_never_fails_on_its_figures(kind: Kind, layout: str) -> None:
    """A clean scan fails in nothing, no yes is read as a no, and something that is recorded is read right."""
    each = paper(kind, "scanned", layout, seed=3)
    found = results(of_paper(each), CHECKS[kind])
    assert [name for name, result in found.items() if result.verdict == "fail"] == []
    read = values(found.values())
    right = {name: same(kind, name, read[name], value) for name, value in each.truth.items() if name in read}
    assert any(right.values()), read
    assert [name for name, well in right.items() if not well and isinstance(each.truth[name], bool)] == []


@pytest.mark.skipif(reader() == "none", reason="nothing on this machine reads pictures")
@pytest.mark.parametrize("kind", ["tax_account", "rates_notice"])
def test_an_altered_scan_is_for_a_person_to_look_at(kind: Kind) -> None:
    """Its figures do not add up: that warns, since a figure may have been misread, and does not fail."""
    each = paper(kind, "scanned_altered", seed=2)
    assert verdicts(of_paper(each), CHECKS[kind])["totals"] == "warn"


@pytest.mark.parametrize("kind", CHECKS)
def test_checks_are_named_once_and_return_documents_by_known_reasons(kind: Kind) -> None:
    """Names are unique in a kind, reasons are those of the table, and on an empty document nothing passes."""
    names = [each.name for each in CHECKS[kind]]
    assert len(set(names)) == len(names)
    assert {each.reason for each in CHECKS[kind] if each.reason} <= RETURN_REASONS.keys()
    empty = {name: verdict for name, verdict in verdicts(typed(kind, ""), CHECKS[kind]).items() if verdict == "pass"}
    assert empty == {}
