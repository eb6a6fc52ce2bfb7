"""The market file: same seed, same content; written whole or not at all; read back as it was made."""

import sqlite3
import zlib
from contextlib import closing
from pathlib import Path

import pytest
from click.testing import CliRunner

from api.sources.market import MarketFile, MarketFileError
from engine.application import Application
from engine.facts import SOURCES, Facts
from engine.values import is_synthetic_abn
from training.cli import main
from training.simulate import Summary, make, market_digest, write_market

COUNT, SEED = 230, 7  # not a whole number of chunks


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Summary]:
    """One market on one process, shared by the tests that only read it."""
    path = tmp_path_factory.mktemp("market") / "market.sqlite"
    return path, write_market(path, count=COUNT, seed=SEED)


def test_the_same_seed_gives_the_same_content_on_any_number_of_processes(
    made: tuple[Path, Summary], tmp_path: Path
) -> None:
    """Two processes write row for row what one writes, and the summary's digest is the file's."""
    path, summary = made
    other = write_market(tmp_path / "two.sqlite", count=COUNT, seed=SEED, jobs=2)
    assert other.content_sha256 == summary.content_sha256 == market_digest(path)
    assert market_digest(tmp_path / "two.sqlite") == market_digest(path)
    assert other.by_division == summary.by_division


def test_another_seed_gives_other_content(made: tuple[Path, Summary], tmp_path: Path) -> None:
    """The seed matters."""
    assert write_market(tmp_path / "m.sqlite", count=20, seed=SEED + 1).content_sha256 != market_digest(made[0])


def test_a_business_does_not_depend_on_the_count(made: tuple[Path, Summary]) -> None:
    """Business 101 made alone is the one in the file, to the byte."""
    alone = make(SEED, 101)
    with closing(sqlite3.connect(made[0])) as connection:
        facts, story = connection.execute("SELECT facts, story FROM business WHERE idx = 101").fetchone()
    assert zlib.decompress(facts) == alone.facts_bytes
    assert story == alone.story


def test_the_digest_notices_a_changed_outcome(made: tuple[Path, Summary], tmp_path: Path) -> None:
    """One flipped outcome changes the digest of the content."""
    copy = tmp_path / "copy.sqlite"
    copy.write_bytes(made[0].read_bytes())
    with closing(sqlite3.connect(copy)) as connection, connection:
        connection.execute("UPDATE business SET fraud = 1 - fraud WHERE idx = 3")
    assert market_digest(copy) != market_digest(made[0])


def test_an_existing_file_is_not_overwritten_unasked(made: tuple[Path, Summary], tmp_path: Path) -> None:
    """Without force the file stays as it was; with it the new market takes its place."""
    path = tmp_path / "kept.sqlite"
    path.write_bytes(b"kept")
    with pytest.raises(FileExistsError):
        write_market(path, count=5, seed=1)
    assert path.read_bytes() == b"kept"
    write_market(path, count=5, seed=1, force=True)
    with MarketFile.open(path) as market:
        assert len(market) == 5


def test_a_stopped_run_leaves_nothing_behind(tmp_path: Path) -> None:
    """A run that fails half-way leaves neither the market nor its draft."""

    def stop(made: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_market(tmp_path / "never.sqlite", count=5, seed=1, progress=stop)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(("count", "seed", "jobs"), [(0, 1, 1), (10_000_001, 1, 1), (5, -1, 1), (5, 1, 0)])
def test_counts_and_seeds_out_of_range_are_refused(tmp_path: Path, count: int, seed: int, jobs: int) -> None:
    """Nothing is written for a count, seed or number of processes that makes no sense."""
    with pytest.raises(ValueError, match="count must be"):
        write_market(tmp_path / "never.sqlite", count=count, seed=seed, jobs=jobs)
    assert list(tmp_path.iterdir()) == []


def test_the_command_writes_a_market_and_says_what_is_in_it(tmp_path: Path) -> None:
    """`creditline-train simulate` prints bad rate, missing banks and divisions, and never overwrites."""
    out = tmp_path / "made" / "market.sqlite"
    arguments = ["simulate", "--businesses", "40", "--seed", "3", "--out", str(out), "--jobs", "1"]
    first = CliRunner().invoke(main, arguments)
    assert first.exit_code == 0, first.output
    for words in ("bad rate before policy", "bank not connected", "by ANZSIC division", "transactions"):
        assert words in first.output
    assert market_digest(out) in first.output
    again = CliRunner().invoke(main, arguments)
    assert again.exit_code == 1
    assert "--force" in again.output
    assert CliRunner().invoke(main, [*arguments, "--force"]).exit_code == 0


# -- the reading side ----------------------------------------------------------------------------------------


def test_a_reader_gets_back_what_was_made(made: tuple[Path, Summary]) -> None:
    """Facts and application by ABN are those of the simulator; an unknown ABN is None."""
    with MarketFile.open(made[0]) as market:
        for index in (0, 17, COUNT - 1):
            alone = make(SEED, index)
            facts = market.facts_for(alone.business.abn)
            assert facts is not None
            assert facts.canonical() == alone.facts_bytes
            application = market.application_of(alone.business.abn)
            assert application is not None
            assert application.business.abn == alone.business.abn
        assert market.facts_for("51824753556") is None
        assert market.application_of("51824753556") is None
        told = market.meta()
    assert (told["seed"], told["count"], told["synthetic"]) == (str(SEED), str(COUNT), "true")
    assert told["content_sha256"] == made[1].content_sha256


@pytest.mark.parametrize(("asked", "given"), [(0, 0), (1, 1), (7, 7), (COUNT, COUNT), (10_000, COUNT)])
def test_a_sample_is_spread_over_the_market(made: tuple[Path, Summary], asked: int, given: int) -> None:
    """A sample holds distinct businesses, never more than there are."""
    with MarketFile.open(made[0]) as market:
        sample = market.sample_applications(asked)
        assert sample == market.sample_applications(asked)
    assert len({application.business.abn for application in sample}) == len(sample) == given


def test_only_a_synthetic_market_file_is_opened(made: tuple[Path, Summary], tmp_path: Path) -> None:
    """An absent file, another database and a market that does not call itself synthetic are all refused."""
    absent, noise, real = tmp_path / "absent", tmp_path / "noise", tmp_path / "real.sqlite"
    noise.write_bytes(b"not a database at all, but long enough to look at" * 20)
    real.write_bytes(made[0].read_bytes())
    with closing(sqlite3.connect(real)) as connection, connection:
        connection.execute("UPDATE market SET value = 'false' WHERE key = 'synthetic'")
    for path in (absent, noise, real):
        with pytest.raises(MarketFileError):
            MarketFile.open(path)
    assert not absent.exists()


@pytest.mark.parametrize("facts", [b"not zlib", zlib.compress(b"{}" * 50)[:-4], zlib.compress(b"0" * 40_000_000)])
def test_damaged_facts_are_refused(made: tuple[Path, Summary], tmp_path: Path, facts: bytes) -> None:
    """Facts that do not inflate, are cut short, or inflate without end are an error, not a crash."""
    copy = tmp_path / "copy.sqlite"
    copy.write_bytes(made[0].read_bytes())
    with closing(sqlite3.connect(copy)) as connection, connection:
        connection.execute("UPDATE business SET facts = ?", (facts,))
    with MarketFile.open(copy) as market, pytest.raises(MarketFileError):
        market.facts_for(make(SEED, 0).business.abn)


def test_every_business_in_the_file_is_valid(made: tuple[Path, Summary]) -> None:
    """Every row parses as Application and Facts in canonical form, synthetic throughout, one ABN each."""
    with closing(sqlite3.connect(made[0])) as connection:
        rows = connection.execute("SELECT abn, application, facts FROM business").fetchall()
    for abn, application, packed in rows:
        stated, facts = (
            Application.model_validate_json(application),
            Facts.model_validate_json(zlib.decompress(packed)),
        )
        assert stated.canonical().decode() == application
        assert facts.canonical() == zlib.decompress(packed)
        assert facts.registry.value is not None
        assert abn == stated.business.abn == facts.registry.value.abn
        assert is_synthetic_abn(abn)
        assert all(getattr(facts, name).source == f"synthetic/{name}" for name in SOURCES)
        assert all(getattr(facts, name).status != "failed" for name in SOURCES)
        assert all(consent.at <= facts.as_of for consent in stated.consents)
    assert len({abn for abn, _, _ in rows}) == len(rows)
