"""What the measurement of checks counts, shown with checkers whose answers are known."""

from collections.abc import Iterable

from api.checks.values import Checked, CheckResult, Expectation, Finding, MediaType, Redaction, Verdict
from benchmarks.papers.measure import Measured, measure, same
from tests.support.papers import Paper, paper, papers

NAMES = ("kind", "abn", "totals")


def checked(verdicts: dict[str, Verdict], found: Iterable[tuple[str, str]] = (), **more: object) -> Checked:
    """An answer with these verdicts, and the findings at the first of them."""
    findings = tuple(Finding(field=name, value=value, page=1, box=(0, 0, 9, 9)) for name, value in found)
    results = tuple(
        CheckResult(name=name, verdict=verdict, confidence_bps=0, says="", found=findings if not place else ())
        for place, (name, verdict) in enumerate(verdicts.items())
    )
    values: dict[str, object] = {
        "results": results, "redactions": (), "redactions_complete": True, "electronic": True, "reader": "text",
        "pages": 1, "pages_read": 1, "authenticity": 100, **more,
    }  # fmt: skip
    return Checked.model_validate(values)


def measured(some: list[Paper], answers: list[Checked]) -> Measured:
    """The papers measured with these answers, one each."""
    rest = iter(answers)

    def check(document: bytes, media_type: MediaType, expectation: Expectation) -> Checked:
        return next(rest)

    return measure(some, check, lambda words: None)


def test_a_checker_that_knows_the_truth_scores_whole() -> None:
    """Flagging what is wrong and nothing else gives precision and recall of one in every check."""
    some = list(papers(2, 40, ("clean", "altered", "wrong_abn", "expired")))
    answers = [
        checked({name: "fail" if name in each.wrong else "pass" for name in {*NAMES, *each.wrong}}) for each in some
    ]
    found = measured(some, answers)
    assert not found.unasked
    assert not found.readings
    assert all(tally.recall in {1.0, None} and not tally.alarms for tally in found.checks.values())
    assert sum(tally.caught for tally in found.checks.values()) == sum(len(each.wrong) for each in some)


def test_a_missed_an_unread_and_a_false_alarm_are_told_apart() -> None:
    """Four answers to two wrong and two right documents land in four different columns."""
    wrong, right = paper("tax_account", "altered"), paper("tax_account")
    verdicts: tuple[Verdict, ...] = ("pass", "unread", "warn", "unread")
    found = measured([wrong, wrong, right, right], [checked({"totals": verdict}) for verdict in verdicts])
    tally = found.checks["tax_account", "totals"]
    assert (tally.caught, tally.missed, tally.wrong_unread) == (0, 1, 1)
    assert (tally.passed, tally.alarms, tally.right_unread) == (0, 1, 1)
    assert (tally.precision, tally.recall) == (0.0, 0.0)
    assert (found.variants["altered"].missed, found.variants["altered"].flagged) == (1, 1)


def test_a_check_that_does_not_exist_is_named_and_counts_as_not_found() -> None:
    """A paper that is wrong in a check nobody makes is not called found."""
    found = measured([paper("tax_account", "altered")], [checked({"kind": "pass"})])
    assert found.unasked == {"tax_account: totals"}
    assert found.variants["altered"].flagged == 0


def test_values_are_compared_by_their_meaning() -> None:
    """Cents as numbers, days as days, yes as true, names without regard to case and spacing."""
    assert same("bank_statement", "closing_cents", "123", 123)
    assert not same("bank_statement", "closing_cents", "1.23", 123)
    assert same("tax_account", "plan", "yes", True)
    assert not same("tax_account", "plan", "maybe", True)
    assert same("bank_statement", "account_name", "HAKEA  STEEL PTY. LTD.", "Hakea Steel Pty Ltd")
    assert not same("bank_statement", "account_name", "Hakea Steal Pty Ltd", "Hakea Steel Pty Ltd")
    assert not same("bank_statement", "period_to", "2026-07-01", "2026-07-02")


def test_a_kept_tax_file_number_and_an_uncovered_one_are_seen() -> None:
    """The canary in a finding is a leak; a redaction elsewhere on the page does not cover it, and one over all does."""
    planted = paper("tax_account", "tax_number")
    [canary] = planted.canaries
    spaced = f"{canary[:3]} {canary[3:6]} {canary[6:]}"
    elsewhere, over_all = (
        Redaction(what="tax file number", page=1, box=box) for box in ((900, 900, 950, 950), (0, 0, 1000, 1000))
    )
    found = measured(
        [planted, planted],
        [
            checked({"kind": "pass"}, [("note", f"TFN {spaced}")], redactions=(elsewhere,)),
            checked({"kind": "pass"}, redactions=(over_all,)),
        ],
    )
    assert (found.canaries, found.leaks, found.bare) == (2, 1, 1)
