"""The file of comparables: sampled evenly, named for nobody, and a statement sums up as it did."""

import json
import re
import zlib
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from api.comparables import Comparables
from api.sources.market import MarketFile
from engine.comparable import REFERENCE_DAY, group_of
from tests.support.businesses import business
from training.cli import main
from training.comparables import from_export, from_market, write_comparables
from training.simulate import write_market

BUSINESSES = 60


@pytest.fixture(scope="module")
def market(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A market of sixty made-up businesses."""
    path = tmp_path_factory.mktemp("market") / "market.sqlite"
    write_market(path, count=BUSINESSES, seed=11)
    return path


@pytest.fixture(scope="module")
def written(market: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Forty comparables of it."""
    out = tmp_path_factory.mktemp("comparables") / "comparables.bin"
    write_comparables(out, from_market(market), 40)
    return out


def test_nothing_that_names_anybody_remains(market: Path, written: Path) -> None:
    """No ABN, name, text, account, supplier or date of any business of the market is in the file."""
    content = zlib.decompress(written.read_bytes()).decode()
    dates = {date.fromisoformat(day) for day in re.findall(r"\d{4}-\d{2}-\d{2}", content)}
    assert max(dates) <= REFERENCE_DAY
    with MarketFile.open(market) as file:
        for place in range(BUSINESSES):
            application = file.application_at(place)
            facts = file.facts_for(application.business.abn) if application else None
            assert application is not None
            assert facts is not None
            suppliers = facts.marketplace.value.suppliers if facts.marketplace.value else ()
            banks = facts.bank.value
            known = {
                application.business.abn, application.business.abn[2:], application.business.legal_name,
                facts.registry.value.entity_name if facts.registry.value else "",
                *(supplier.id for supplier in suppliers),
                *(banks.texts if banks else ()),
                *(account.account_id for account in (banks.accounts if banks else ())),
            }  # fmt: skip
            assert [name for name in known if len(name) > 3 and name in content] == []


# -- the command ---------------------------------------------------------------------------------------------


def test_the_command_writes_what_the_service_reads(market: Path, tmp_path: Path) -> None:
    """`creditline-train comparables` makes a file of the count asked for, marked synthetic; a second needs --force."""
    out = tmp_path / "var" / "comparables.bin"
    command = ["comparables", "--market", str(market), "--count", "40", "--out", str(out)]
    done = CliRunner().invoke(main, command)
    assert done.exit_code == 0, done.output
    read = Comparables.open(out)
    assert (len(read.businesses), read.synthetic) == (40, True)
    assert f"sha256 {read.digest}" in done.output
    assert "40 synthetic businesses" in done.output
    again = CliRunner().invoke(main, command)
    assert (again.exit_code, "--force" in again.output) == (1, True)
    assert CliRunner().invoke(main, [*command, "--force"]).exit_code == 0
    assert Comparables.open(out).digest == read.digest
    assert [file.name for file in out.parent.iterdir()] == [out.name]


def test_an_export_is_read_as_a_market_is(market: Path, written: Path, tmp_path: Path) -> None:
    """The same businesses as exported decisions give the same file; repeated, erased or bankless lines add nothing."""
    lines: list[dict[str, Any]] = [{"application": None, "facts": None}]
    with MarketFile.open(market) as file:
        for place in range(BUSINESSES):
            application = file.application_at(place)
            facts = file.facts_for(application.business.abn) if application else None
            assert application is not None
            record = {
                "application": application.model_dump(mode="json"),
                "facts": facts and facts.model_dump(mode="json"),
            }
            lines += [record, record] if place % 7 == 0 else [record]
    export = tmp_path / "export.jsonl"
    export.write_bytes(b"".join(json.dumps(line).encode() + b"\n" for line in lines))
    out = tmp_path / "comparables.bin"
    write_comparables(out, from_export(export), 40)
    assert set(Comparables.open(out).businesses) == set(Comparables.open(written).businesses)


def test_real_businesses_are_not_called_synthetic(tmp_path: Path) -> None:
    """The mark comes from the facts' own sources."""
    application, facts = business()
    real = {name: getattr(facts, name).model_copy(update={"source": f"real/{name}"}) for name in FACTS}
    export = tmp_path / "export.jsonl"
    record = {"application": application.model_dump(mode="json"),
              "facts": facts.model_copy(update=real).model_dump(mode="json")}  # fmt: skip
    export.write_text(json.dumps(record) + "\n")
    told = write_comparables(tmp_path / "c.bin", from_export(export), 40)
    assert (told.synthetic, told.businesses) == (False, 1)


FACTS = ("registry", "compliance", "marketplace", "bank", "bureau", "exposure")


@pytest.mark.parametrize("line", [b"no json", b"[]", b'{"application": {}}', b'{"application": 1, "facts": []}'])
def test_an_export_that_is_none_is_named_by_line(line: bytes, tmp_path: Path) -> None:
    """A line that is no exported decision stops the command with its number, and nothing of its content."""
    export = tmp_path / "export.jsonl"
    export.write_bytes(b'{"application": null, "facts": null}\n' + line + b"\n")
    done = CliRunner().invoke(main, ["comparables", "--export", str(export), "--out", str(tmp_path / "c.bin")])
    assert done.exit_code == 1
    assert "line 2 is not an exported decision" in done.output
    assert not (tmp_path / "c.bin").exists()


@pytest.mark.parametrize("given_options", [[], ["--market", "M", "--export", "M"]])
def test_one_source_is_given(given_options: list[str], market: Path, tmp_path: Path) -> None:
    """Neither or both of --market and --export is a mistake in use."""
    options = [str(market) if option == "M" else option for option in given_options]
    done = CliRunner().invoke(main, ["comparables", *options, "--out", str(tmp_path / "c.bin")])
    assert (done.exit_code, "either --market or --export" in done.output) == (2, True)


def test_a_file_that_is_no_market_is_refused(tmp_path: Path) -> None:
    """Any other file ends the command in one line."""
    other = tmp_path / "other.bin"
    other.write_bytes(b"nothing of the kind" * 100)
    done = CliRunner().invoke(main, ["comparables", "--market", str(other), "--out", str(tmp_path / "c.bin")])
    assert (done.exit_code, "is not a market file" in done.output) == (1, True)


def test_cells_take_turns(market: Path, tmp_path: Path) -> None:
    """A sample of few businesses comes from many groups of divisions, not from the commonest alone."""
    candidates = list(from_market(market))
    out = tmp_path / "few.bin"
    told = write_comparables(out, iter(candidates), 25)
    assert told.cells >= 15
    groups = {group_of(each.division) for each in Comparables.open(out).businesses}
    assert len(groups) >= 4
    shuffled = write_comparables(tmp_path / "turned.bin", iter(candidates[::-1]), 25)
    assert shuffled == told
