"""The difference between two policies in words."""

from pathlib import Path

from click.testing import CliRunner
from pydantic import BaseModel

from engine.policy import Policy, PolicyBook
from training.cli import main
from training.policies import WORDS, policy_changes

POLICY = Path(__file__).parents[2] / "training" / "policy.toml"


def changes(*replaced: tuple[str, str]) -> list[str]:
    """What replacing texts of the draft policy changes, in words."""
    text = old = POLICY.read_text()
    for one, other in replaced:
        assert text.count(one) == 1, one
        text = text.replace(one, other)
    return policy_changes(PolicyBook.parse(old), PolicyBook.parse(text))


def leaves(path: str, kind: type[BaseModel]) -> set[str]:
    """The dotted names of a policy's values; grades and prices are rows of their own."""
    found: set[str] = set()
    for name, info in kind.model_fields.items():
        inner = info.annotation
        place = f"{path}.{name}" if path else name
        if isinstance(inner, type) and issubclass(inner, BaseModel):
            found |= leaves(place, inner)
        else:
            found.add(place)
    return found


def test_every_value_of_a_policy_has_words() -> None:
    """A value added to the policy cannot change without a sentence."""
    expected = leaves("", Policy) - {"grades", "pricing.rates"}
    assert expected == {path for path in WORDS if not path.startswith("grades.")}


def test_thresholds_grades_and_prices_are_told_in_money_and_per_cent() -> None:
    """A credit officer reads months, dollars, per cent, and what follows from a threshold."""
    told = changes(
        ("least_trading_months = 6", "least_trading_months = 12"),
        ("bank_absent_cents = 2_000_000", "bank_absent_cents = 1_500_000"),
        ("pd_most_bps = 500\n", "pd_most_bps = 450\n"),
        ("C = [185, 165, 155, 145]", "C = [185, 170, 155, 145]"),
        ("minimum_monthly_fee_cents = 2_500", "minimum_monthly_fee_cents = 3_000"),
        ("dscr_least_bps = 12_500", "dscr_least_bps = 13_000"),
    )
    since = "from 1 January 2023: "
    assert told == [
        f"{since}Shortest time of trading and of the ABN (younger: declined, R01): 6 months -> 12 months",
        f"{since}Least cover of debt service by cash flow: 1.25 times -> 1.30 times",
        f"{since}Largest line without bank data (R25): $20,000 -> $15,000",
        f"{since}Least monthly fee: $25 -> $30",
        f"{since}Grade C reaches to a chance of default within a year of: 5 % -> 4.5 %",
        f"{since}Price of grade C, lines above $20,000 up to $50,000: 1.65 % -> 1.70 % a month "
        "(+$199.99 a year on $50,000, drawn as usual)",
    ]


def test_rules_on_and_off_and_industries_are_named() -> None:
    """A guard that is turned off, an industry more and one less."""
    told = changes(
        ("retype_refer = 1", "retype_refer = 0"),
        ('referred_divisions = ["B", "K"]', 'referred_divisions = ["B", "L"]'),
    )
    assert told == [
        "from 1 January 2023: Industries referred (R22): added Rental, hiring and real estate (L), "
        "removed Financial and insurance (K)",
        "from 1 January 2023: Changed versions of declared values that refer: turned off (was 1)",
    ]


def test_an_amendment_is_told_with_its_day_and_reason() -> None:
    """What begins later says from when, and why; what stays is not repeated."""
    old = POLICY.read_text()
    new = old + (
        '\n[[amendments]]\neffective_from = 2027-01-01\nwhy = "Losses among the young."\n[amendments.set]\n'
        '"screening.least_trading_months" = 24\n'
    )
    assert policy_changes(PolicyBook.parse(old), PolicyBook.parse(new)) == [
        "from 1 January 2027: Shortest time of trading and of the ABN (younger: declined, R01): 6 months -> 24 months",
        "reason given for 1 January 2027: Losses among the young.",
    ]


def test_a_grade_more_and_other_bands_are_told_row_by_row() -> None:
    """Where bands move, each grade's whole row of prices is told; a grade that goes is told with its reach."""
    told = changes(
        ("bands_cents = [2_000_000, 5_000_000, 10_000_000, 30_000_000]",
         "bands_cents = [2_500_000, 5_000_000, 10_000_000, 30_000_000]"),
    )  # fmt: skip
    assert "Bands of the price grid, up to: $20,000, $50,000, $100,000, $300,000 -> $25,000" in told[0]
    assert sum("is priced at" in line for line in told) == 5


def test_the_command_names_a_file_that_is_no_policy(tmp_path: Path) -> None:
    """A file that is none is named with what is wrong; two that are the same say so."""
    wrong = tmp_path / "wrong.toml"
    wrong.write_text("schema_version = 1\n")
    done = CliRunner().invoke(main, ["policy", "diff", str(POLICY), str(wrong)])
    assert done.exit_code == 1
    assert "wrong.toml: not a policy" in done.output
    same = CliRunner().invoke(main, ["policy", "diff", str(POLICY), str(POLICY)])
    assert same.output == "the two policies say the same\n"
