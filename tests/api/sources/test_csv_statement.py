"""Uploaded statements: every dialect reads back exactly, and every row that does not add up is found at its place."""

import csv
import io
import random
import re
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.sources.csv_rows import MOST_BYTES, RULES, StatementRefused, read_lines
from api.sources.csv_statement import Upload, read_statements
from engine.facts import BankData
from engine.facts.bank import KINDS, ProductCategory, day_number
from engine.facts.columns import MAX_ROWS
from engine.features.statement import summarise

EVERYDAY: ProductCategory = "TRANS_AND_SAVINGS_ACCOUNTS"
PAGE = (Path(__file__).parents[3] / "docs" / "statements.md").read_text(encoding="utf-8")
FIRST = date(2026, 3, 2)
TODAY = date(2026, 11, 24)
PLAIN = """Date,Description,Debit,Credit,Balance
02/03/2026,OPENING BALANCE,,,1000.00
02/03/2026,DIRECT CREDIT WATTLE,,500.00,1500.00
03/03/2026,HAKEA WHOLESALE,200.50,,1299.50
05/03/2026,ACCOUNT FEE,10.00,,1289.50
"""


def upload(content: str | bytes, name: str = "everyday", category: ProductCategory = EVERYDAY) -> Upload:
    """A file as it was sent."""
    return Upload(name, category, content if isinstance(content, bytes) else content.encode())


def bank_of(*files: str | bytes | Upload) -> BankData:
    """What the files amount to."""
    return read_statements([file if isinstance(file, Upload) else upload(file) for file in files], TODAY)


def problems(*files: str | bytes | Upload) -> list[tuple[int | None, int | None, str]]:
    """What is said of files that are refused; nothing where they are taken."""
    try:
        bank_of(*files)
    except StatementRefused as refused:
        return [(problem.file, problem.row, problem.rule) for problem in refused.problems]
    return []


# -- what it reads ---------------------------------------------------------------------------------------------


def test_a_file_becomes_declared_facts() -> None:
    """Rows, balances and the window of one file, by an account id that says nothing of what it was called."""
    bank = bank_of(upload(PLAIN, "062-000 1234 5678"))
    assert (bank.evidence, bank.oldest_on, bank.newest_on) == ("declared", FIRST, date(2026, 3, 5))
    [account] = bank.accounts
    assert (account.account_id, account.current_cents, account.open) == ("uploaded-1", 128_950, True)
    assert bank.transactions["amount_cents"].tolist() == [50_000, -20_050, -1_000]
    assert [KINDS[kind] for kind in bank.transactions["kind"]] == ["OTHER", "OTHER", "FEE"]
    assert bank.texts == ("DIRECT CREDIT WATTLE", "HAKEA WHOLESALE", "ACCOUNT FEE")


def test_without_an_opening_balance_the_oldest_row_is_one() -> None:
    """Nothing proves the amount of a file's oldest row, so it sets the balance to start from and is not counted."""
    rows = PLAIN.splitlines(keepends=True)
    bank = bank_of(rows[0] + "".join(rows[2:]))
    assert bank.transactions["amount_cents"].tolist() == [-20_050, -1_000]
    inflated = rows[2].replace("500.00", "900000.00", 1)
    assert bank_of(rows[0] + inflated + "".join(rows[3:])) == bank


@pytest.mark.parametrize(
    ("text", "cents"),
    [
        ("$1,234.50", 123_450), ("-$5", -500), ("$-5.5", -550), ("(5.00)", -500), ("($1,000.00)", -100_000),
        ("5.00-", -500), ("5.00 DR", -500), ("5.00CR", 500), ("+5.00", 500), ("-0.01", -1), ("− 5.00", -500),
        ("1 000.00", 100_000), ("0", 0),
    ],
)  # fmt: skip
def test_amounts_as_banks_write_them(text: str, cents: int) -> None:
    """Signs before and after, brackets, CR and DR, dollars, thousands."""
    [line] = read_lines(f'date,amount,description,balance\n1/3/2026,"{text}",X,0\n'.encode())
    assert line.cents == cents


@pytest.mark.parametrize(
    "text",
    ["(5.00", "5.00)", "-(5.00)", "-5.00 DR", "-5.00 CR", "1,00.00", "1.234", "5,00", "=5", "five", "1e3", "١", "$"],
)
def test_amounts_that_are_none_are_named(text: str) -> None:
    """Two signs, thousands out of place, three decimals, formulas and words are refused by row."""
    assert problems(f'Date,Amount,Description,Balance\n1/3/2026,"{text}",X,0\n') == [(0, 2, "amount")]


@pytest.mark.parametrize(
    "text", ["02/03/2026", "2/3/2026", "02-03-2026", "2026-03-02", "2 Mar 2026", "02 March 2026", "02-Mar-2026"]
)
def test_days_as_banks_write_them(text: str) -> None:
    """The day comes before the month."""
    [line] = read_lines(f"Date,Amount,Description,Balance\n{text},1,X,1\n".encode())
    assert line.day == day_number(FIRST)


@pytest.mark.parametrize("text", ["31/02/2026", "03/13/2026", "2/3/26", "2026/03/02", "2 Foo 2026", "", "today"])
def test_days_that_are_none_are_named(text: str) -> None:
    """Days that do not exist, months first and short years are refused by row."""
    assert problems(f"Date,Amount,Description,Balance\n{text},1,X,1\n") == [(0, 2, "date")]


def test_a_formula_is_text() -> None:
    """What a spreadsheet would run is a description like any other."""
    formulas = ['=HYPERLINK(""http://x"")', "+1+1", "-2+3", "@SUM(A1)"]
    rows = "".join(f'3/3/2026,1.00,"{text}",{n}.00\n' for n, text in enumerate(formulas, 2))
    bank = bank_of(f"Date,Amount,Description,Balance\n3/3/2026,1,X,1\n{rows}")
    assert bank.texts == ('=HYPERLINK("http://x")', "+1+1", "-2+3", "@SUM(A1)")


def test_lines_within_a_cell_count_as_one_row() -> None:
    """A quoted line break is a space in the text, and rows keep a spreadsheet's numbers."""
    text = 'Date,Amount,Description,Balance\n\n1/3/2026,1,"A\r\nB",1\n\n2/3/2026,1,C,3\n'
    assert problems(text) == [(0, 5, "balance_mismatch")]
    assert read_lines(text.encode())[0].text == "A B"


@pytest.mark.parametrize(
    ("names", "row"),
    [
        ("Bank Account,Date,Narrative,Debit Amount,Credit Amount,Balance,Categories,Serial", "9,{d},T,5.00,,{b},,"),
        ("Date,Amount,Account Number,,Transaction Type,Transaction Details,Balance", "{d},-5.00,9,,X,T,{b}"),
        ("Date,Description,Credit,Debit,Balance", "{d},T,,-5.00,{b}"),
        ("Transaction Date,Details,Withdrawals ($),Deposits ($),Balance ($)", "{d},T,$5.00,0.00,${b}"),
        ("Effective Date,Posted Date,Transaction,Money Out,Money In,Running Balance", "1/1/2020,{d},T,5.00,,{b}"),
    ],
)
def test_columns_are_found_by_their_names(names: str, row: str) -> None:
    """The exports of several banks, by their layout; other columns do not matter."""
    lines = [row.format(d="2/3/2026", b="10.00"), row.format(d="3/3/2026", b="5.00")]
    bank = bank_of("\n".join(["Account statement", "", names, *lines]))
    assert bank.transactions["amount_cents"].tolist() == [-500]
    assert bank.texts == ("T",)


@pytest.mark.parametrize(
    ("text", "cents", "kind"),
    [
        ("TFR TO SAVINGS", -100, "TRANSFER_OUTGOING"), ("Transfer from main", 100, "TRANSFER_INCOMING"),
        ("CREDIT INTEREST", 100, "INTEREST_PAID"), ("DEBIT INTEREST", -100, "INTEREST_CHARGED"),
        ("ACCOUNT FEE", -100, "FEE"), ("FEE REFUND", 100, "OTHER"), ("DIRECT DEBIT RENT", -100, "DIRECT_DEBIT"),
        ("EFTPOS HAKEA", -100, "PAYMENT"), ("COFFEE", -100, "OTHER"), ("ADDERS", -100, "OTHER"),
    ],
)  # fmt: skip
def test_kinds_are_guessed_by_whole_words(text: str, cents: int, kind: str) -> None:
    """A few words give a kind, by which way the money went; anything else is OTHER."""
    bank = bank_of(f"Date,Amount,Description,Balance\n1/3/2026,0,X,0\n1/3/2026,{cents / 100},{text},{cents / 100}\n")
    assert KINDS[bank.transactions["kind"][0]] == kind


# -- every dialect reads back --------------------------------------------------------------------------------


@dataclass(frozen=True)
class Dialect:
    """A way of writing a statement."""

    delimiter: str
    names: bool
    apart: bool  # debit and credit in columns of their own
    newest_first: bool
    day: str
    money: str
    mark: bool


DIALECTS = st.builds(
    Dialect,
    delimiter=st.sampled_from(",;\t"),
    names=st.booleans(),
    apart=st.booleans(),
    newest_first=st.booleans(),
    day=st.sampled_from(["%d/%m/%Y", "%d-%m-%Y", "%Y-%m-%d", "%d %b %Y"]),
    money=st.sampled_from(["plain", "dollars", "brackets", "drcr", "minus"]),
    mark=st.booleans(),
)
TEXTS = st.text(st.characters(codec="utf-8", exclude_categories=("Cc", "Cs", "Zl", "Zp")), max_size=20).map(str.strip)
LEDGERS = st.lists(
    st.tuples(st.integers(0, 7), st.integers(-(10**9), 10**9).filter(bool), TEXTS), min_size=1, max_size=30
)


def money(cents: int, style: str) -> str:
    """An amount in one style."""
    plain = f"{abs(cents) // 100}.{abs(cents) % 100:02d}"
    grouped = f"${abs(cents) // 100:,}.{abs(cents) % 100:02d}"
    match style:
        case "brackets":
            return f"({plain})" if cents < 0 else plain
        case "drcr":
            return f"{grouped} {'DR' if cents < 0 else 'CR'}"
        case "minus":
            return plain + ("-" if cents < 0 else "")
        case "dollars":
            return ("-" if cents < 0 else "") + grouped
    return ("-" if cents < 0 else "") + plain


def written(ledger: list[tuple[int, int, str]], dialect: Dialect, opening: int = 12_345) -> list[list[str]]:
    """A ledger's rows as cells, its opening balance first (last where the newest comes first)."""
    apart = dialect.apart and dialect.names
    day, balance = FIRST, opening
    rows = [(day, 0, "OPENING BALANCE", balance)]
    for gap, cents, text in ledger:
        day, balance = day + timedelta(days=gap), balance + cents
        rows.append((day, cents, text, balance))
    cells = []
    for at, cents, text, left in rows:
        sums = ["", money(cents, dialect.money)] if cents >= 0 else [money(-cents, "plain"), ""]
        if not cents:
            sums = ["", ""]
        amount = money(cents, dialect.money) if cents else ""
        shown = [at.strftime(dialect.day), *([text, *sums] if apart else [amount, text]), money(left, dialect.money)]
        cells.append(shown)
    names = ["Date", "Description", "Debit", "Credit", "Balance"] if apart else ["Date", "Amount", "Details", "Balance"]
    return [*([names] if dialect.names else []), *(cells[::-1] if dialect.newest_first else cells)]


def rendered(cells: list[list[str]], dialect: Dialect) -> bytes:
    """Cells as a file."""
    out = io.StringIO(newline="")
    csv.writer(out, delimiter=dialect.delimiter).writerows(cells)
    return out.getvalue().encode("utf-8-sig" if dialect.mark else "utf-8")


@given(LEDGERS, DIALECTS)
def test_every_dialect_reads_back_exactly(ledger: list[tuple[int, int, str]], dialect: Dialect) -> None:
    """Any ledger, written in any way that is accepted, gives its days, amounts, texts and closing balance again."""
    ledger = [(gap + (n == 0), cents, text) for n, (gap, cents, text) in enumerate(ledger)]  # so that time passes
    bank = bank_of(rendered(written(ledger, dialect), dialect))
    days = [day_number(FIRST) + sum(gap for gap, _, _ in ledger[: n + 1]) for n in range(len(ledger))]
    rows = bank.transactions
    assert rows["posted_day"].tolist() == days
    assert rows["amount_cents"].tolist() == [cents for _, cents, _ in ledger]
    assert [bank.texts[place] for place in rows["text"]] == [text for _, _, text in ledger]
    assert bank.accounts[0].current_cents == 12_345 + sum(cents for _, cents, _ in ledger)


@given(LEDGERS, DIALECTS, st.data())
def test_an_altered_digit_is_found_at_its_row(
    ledger: list[tuple[int, int, str]], dialect: Dialect, data: st.DataObject
) -> None:
    """One digit of an amount names its row alone; one of a balance names its row and the one after it."""
    ledger = [(gap + 1, cents, text) for gap, cents, text in ledger]
    cells = written(ledger, dialect)
    first = int(dialect.names)
    chosen = data.draw(st.integers(0, len(ledger) - 1))
    row = first + (len(ledger) - 1 - chosen if dialect.newest_first else chosen + 1)
    of_balance = data.draw(st.booleans())
    sums = (2, 3) if dialect.apart and dialect.names else (1,)
    column = -1 if of_balance else next(n for n in sums if cells[row][n])
    place = data.draw(st.sampled_from([n for n, c in enumerate(cells[row][column]) if c in "0123456789"]))
    digit = str((int(cells[row][column][place]) + data.draw(st.integers(1, 9))) % 10)
    cells[row][column] = cells[row][column][:place] + digit + cells[row][column][place + 1 :]
    found = problems(rendered(cells, dialect))
    after = row + (-1 if dialect.newest_first else 1)
    expected = {row + 1, *([after + 1] if of_balance and chosen + 1 < len(ledger) else [])}
    assert {(file, number, rule) for file, number, rule in found} == {
        (0, number, "balance_mismatch") for number in expected
    }


@given(st.binary(max_size=300) | st.text(max_size=300).map(str.encode))
def test_garbage_is_refused_by_rule(content: bytes) -> None:
    """Whatever is uploaded is read or refused by a known rule; nothing else is raised."""
    assert {rule for _, _, rule in problems(content)} <= set(RULES)


@given(
    st.lists(st.sampled_from([",", '"', "\n", "1/3/2026", "5.00", "Date", "Amount", "Balance", "Details"]), max_size=40)
)
def test_almost_csv_is_refused_by_rule(parts: list[str]) -> None:
    """The same of what nearly is a statement."""
    assert {rule for _, _, rule in problems("".join(parts))} <= set(RULES)


# -- files that cannot be used ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("content", "rule"),
    [
        (b"x" * (MOST_BYTES + 1), "too_large"),
        ("Date,Amount,Description,Balance\n".encode("utf-16"), "encoding"),
        (b"Date,Amount,Description,Balance\n1/3/2026,1,caf\xe9,1\n", "encoding"),
        (b'Date,Amount,Description,Balance\n1/3/2026,1,"X,1\n', "malformed"),
        (b"Date,Description,Debit,Credit\n1/3/2026,X,1,\n", "balance_missing"),
        (b"Date,Amount,Balance\n1/3/2026,1,1\n", "description_missing"),
        (b"Date,Amount,Description,Balance\n", "no_rows"),
        (b"Date,Amount,Description,Balance\n1/3/2026,,OPENING,1\n", "no_rows"),
        (b"", "columns_unknown"),
        (b"When,What,How much\n", "columns_unknown"),
        (b"1/3/2026,1,X\n", "columns_unknown"),
        (b"Date,Amount,Description,Balance\n" + b"1/3/2026,0,X,0\n" * (MAX_ROWS + 20), "too_many_rows"),
    ],
)
def test_a_file_that_cannot_be_used_says_why(content: bytes, rule: str) -> None:
    """Each reason has one rule, of the file as a whole."""
    assert problems(content) == [(0, None, rule)]


def test_every_rule_is_documented() -> None:
    """docs/statements.md lists the rules with the sentences that an applicant is told."""
    rows = dict(re.findall(r"^\| `([a-z_]+)` \| (.+) \|$", PAGE, re.MULTILINE))
    assert rows == RULES


def test_the_documented_examples_are_read() -> None:
    """Each example of docs/statements.md is a file that is taken, all of one week and to the same closing balance."""
    examples = re.findall(r"```csv\n(.+?)```", PAGE, re.DOTALL)
    assert len(examples) == 4
    for example in examples:
        bank = bank_of(example)
        assert bank.transactions["amount_cents"].tolist() == [128_000, -45_050, -1_000]
        assert bank.accounts[0].current_cents == 581_950


def test_every_bad_row_is_reported() -> None:
    """All rows that cannot be read, not only the first."""
    text = (
        "Date,Debit,Credit,Description,Balance\n1/3/2026,1,1,X,1\n2/3/2026,,-1,X,1\n3/3/2026,,x,X,1\n4/3/2026,1,,X,\n"
    )
    assert problems(text) == [(0, 2, "amount"), (0, 3, "amount"), (0, 4, "amount"), (0, 5, "balance")]


def test_days_out_of_order_are_reported() -> None:
    """A file runs one way in time; the row that turns back is named."""
    text = "Date,Amount,Description,Balance\n1/3/2026,1,X,1\n5/3/2026,1,X,2\n4/3/2026,1,X,3\n6/3/2026,1,X,4\n"
    assert problems(text) == [(0, 4, "date_order")]


def test_a_day_to_come_is_reported() -> None:
    """Tomorrow passes, since a day in Sydney begins before the same day in UTC; later days do not."""

    def file(day: date) -> str:
        return f"Date,Amount,Description,Balance\n1/11/2026,1,X,1\n{day.isoformat()},1,X,2\n"

    assert problems(file(TODAY + timedelta(days=1))) == []
    assert problems(file(TODAY + timedelta(days=2))) == [(0, 3, "date_in_future")]


def test_more_than_thirteen_months_are_refused() -> None:
    """A window has at most 400 days."""
    text = "Date,Amount,Description,Balance\n1/1/2025,1,X,1\n10/2/2026,1,X,2\n"
    assert problems(text) == [(None, None, "too_long")]


def test_amounts_beyond_any_account_are_refused() -> None:
    """What facts could not hold is refused as a whole."""
    text = "Date,Amount,Description,Balance\n1/3/2026,0,X,0\n2/3/2026,200000000,X,200000000\n"
    assert problems(text) == [(None, None, "out_of_range")]


# -- several files ---------------------------------------------------------------------------------------------

APRIL = "Date,Amount,Description,Balance\n1/4/2026,10.50,SALE,1300.00\n2/4/2026,-300,RENT,1000.00\n"
SAVER = "Date,Amount,Description,Balance\n1/2/2026,5.00,TFR,5.00\n3/2/2026,5.00,TFR,10.00\n4/3/2026,-5.00,TFR,5.00\n"


@pytest.mark.parametrize("order", [1, -1])
def test_parts_of_an_account_join(order: int) -> None:
    """Successive files of one account go on from balance to balance, in whatever order they are sent."""
    bank = bank_of(*[PLAIN, APRIL][::order])
    assert bank.transactions["amount_cents"].tolist() == [50_000, -20_050, -1_000, 1_050, -30_000]
    assert (len(bank.accounts), bank.accounts[0].current_cents) == (1, 100_000)


def test_a_gap_between_parts_is_found() -> None:
    """A file that does not start where the one before it ends is named."""
    assert problems(PLAIN, APRIL.replace("10.50", "11.50")) == [(1, 2, "not_contiguous")]


def test_accounts_come_together() -> None:
    """The busiest everyday account sets the first day; what another had before is left out."""
    bank = bank_of(upload(SAVER, "saver"), upload(PLAIN))
    assert [(a.account_id, a.current_cents) for a in bank.accounts] == [("uploaded-1", 500), ("uploaded-2", 128_950)]
    assert (bank.oldest_on, bank.newest_on) == (FIRST, date(2026, 3, 5))
    assert len(bank.transactions) == 4
    assert summarise(bank).evidence == "declared"


def test_the_same_rows_do_not_count_twice() -> None:
    """A file sent again under another name, or two that overlap, are found row by row."""
    assert problems(upload(PLAIN), upload(PLAIN, "another")) == [(1, row, "rows_overlap") for row in (3, 4, 5)]
    overlapping = "Date,Amount,Description,Balance\n5/3/2026,-10.00,ACCOUNT FEE,1289.50\n6/3/2026,1,X,1290.50\n"
    assert problems(PLAIN, overlapping) == [(1, 2, "rows_overlap")]


def test_one_account_has_one_category() -> None:
    """Files of the same name must agree on what they are of."""
    assert problems(PLAIN, upload(APRIL, category="OVERDRAFTS")) == [(1, None, "category_differs")]


def test_problems_of_all_files_are_reported_together() -> None:
    """One answer names what is wrong in each file."""
    assert problems("nothing", PLAIN, b"\xff") == [(0, None, "columns_unknown"), (2, None, "encoding")]


def test_a_problem_never_holds_a_value() -> None:
    """Names of files, cells and amounts stay out of what is raised."""
    text = PLAIN.replace("HAKEA", "CANARY7f3a").replace("1299.50", "98765.43")
    with pytest.raises(StatementRefused) as caught:
        bank_of(upload(text, "CANARY7f3a"))
    told = repr(caught.value) + repr(caught.value.problems) + repr(caught.value.__context__)
    assert "CANARY" not in told
    assert "98765" not in told


def test_a_large_statement_is_read() -> None:
    """Twenty thousand rows are read whole, in order."""
    dice, balance, rows = random.Random(3), 0, []
    for number in range(MAX_ROWS):
        cents = dice.randint(-90_000, 90_000)
        balance += cents
        day = FIRST + timedelta(days=number // 120)
        rows.append(f"{day:%d/%m/%Y},{money(cents, 'plain')},PAYER {number % 400},{money(balance, 'plain')}\n")
    bank = bank_of("".join(["Date,Amount,Description,Balance\n", *rows]))
    assert (len(bank.transactions), bank.accounts[0].current_cents) == (MAX_ROWS - 1, balance)
