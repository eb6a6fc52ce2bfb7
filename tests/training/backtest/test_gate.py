"""Nothing is published while a decision of the fixed set changes and nobody declared why."""

import hashlib
import json
import shutil
from datetime import date
from pathlib import Path

import pytest
from click.testing import CliRunner

import models
from engine.release import Manifest
from tests.training.backtest.conftest import POLICY, SHIPPED, Changed
from training.backtest.claims import Claim, Claims, read_claims
from training.backtest.replay import Gate, Unclaimed
from training.cli import main
from training.publishing import publish_draft
from training.scorecard import write_scorecard_draft

LONGER = ("least_trading_months = 6", "least_trading_months = 24")
DEARER = ("C = [185, 165, 155, 145]", "C = [190, 165, 155, 145]")
RULE = '[[claims]]\nkind = "rule"\nrule = "R01"\nmost = 60\nwhy = "Younger businesses lost money."\n'


def published(root: Path, policy: Path, gate: Gate | None, name: str = "next", not_before: date | None = None) -> None:
    """Published from the shipped release's own model."""
    day = date(2026, 12, 1)
    publish_draft(root / SHIPPED, policy, name, day, root, synthetic=True, gate=gate, not_before=not_before)


def claims(tmp_path: Path, text: str) -> Claims:
    """A causes file, read."""
    path = tmp_path / "causes.toml"
    path.write_text(text)
    return read_claims(path)


def names(root: Path) -> list[str]:
    """Every folder in a root, drafts left behind included."""
    return sorted(path.name for path in root.iterdir() if path.is_dir())


def test_an_undeclared_change_of_a_rule_stops_a_release(root: Path, replay_set: Path, changed: Changed) -> None:
    """Nothing is written; the error names decisions, what moved, the rule, and the claim that would let it pass."""
    with pytest.raises(Unclaimed) as stopped:
        published(root, changed(LONGER), Gate(replay_set))
    told = str(stopped.value)
    assert "decisions of the replay set would change" in told
    assert "  dec_business-" in told
    assert "approve -> decline" in told
    assert 'kind = "rule"\nrule = "abn_too_young"\nmost = ' in told
    assert names(root) == [SHIPPED]


def test_a_declared_change_passes_and_is_kept(root: Path, replay_set: Path, changed: Changed, tmp_path: Path) -> None:
    """With the claim by its reason's code it is published; the manifest holds the count, the set and the champion."""
    published(root, changed(LONGER), Gate(replay_set, claims(tmp_path, RULE)))
    replay = models.load("next", root).manifest.replay
    assert replay is not None
    assert (replay.against, replay.against_digest) == (SHIPPED, models.champion(root).digest)
    assert replay.decisions == len(replay_set.read_text().splitlines())
    assert replay.causes[0].moved == replay.changed > 5
    assert "Younger businesses lost money." in (root / "next" / "card.md").read_text()


def test_a_claim_covers_its_own_cause_alone(root: Path, replay_set: Path, changed: Changed, tmp_path: Path) -> None:
    """A price that moves beside a declared rule stops the release, and the rule's own changes are not listed."""
    with pytest.raises(Unclaimed) as stopped:
        published(root, changed(LONGER, DEARER), Gate(replay_set, claims(tmp_path, RULE)))
    told = str(stopped.value)
    assert "rate 1.85 % -> 1.90 % a month  (price)" in told
    assert "abn_too_young" not in told.split("Take the change back")[1]
    assert names(root) == [SHIPPED]


def test_more_than_was_declared_stops_a_release(root: Path, replay_set: Path, changed: Changed, tmp_path: Path) -> None:
    """The bound of a claim is a bound."""
    few = claims(tmp_path, RULE.replace("most = 60", "most = 2"))
    with pytest.raises(Unclaimed, match="at most 2 were declared: raise the bound"):
        published(root, changed(LONGER), Gate(replay_set, few))


def test_the_same_policy_and_model_pass_without_a_claim(root: Path, replay_set: Path) -> None:
    """Nothing changes, nothing need be declared; a claim that nothing used is kept with a nought."""
    declared = Claims(claims=(Claim(kind="price", most=1, why="Not this time."),))
    published(root, root / SHIPPED / "policy.toml", Gate(replay_set, declared))
    replay = models.load("next", root).manifest.replay
    assert replay is not None
    assert (replay.changed, replay.causes[0].moved) == (0, 0)


def test_a_change_that_begins_later_is_seen_today(root: Path, replay_set: Path, tmp_path: Path) -> None:
    """An amendment of a day to come moves no past decision on its own day, and is not let through for that."""
    later = tmp_path / "later.toml"
    later.write_text(
        POLICY.read_text() + '\n[[amendments]]\neffective_from = 2027-07-01\nwhy = "Later."\n[amendments.set]\n'
        '"screening.least_trading_months" = 24\n'
    )
    with pytest.raises(Unclaimed, match="rule abn_too_young"):
        published(root, later, Gate(replay_set))


def test_another_model_is_declared_as_what_it_learnt_from(root: Path, replay_set: Path, tmp_path: Path) -> None:
    """A model of other data takes a claim of kind data; one of kind model does not cover it."""
    write_scorecard_draft(tmp_path / "card", POLICY.parent / "scorecards" / "example.toml")
    text = '[[claims]]\nkind = "{}"\nmost = 1000\nwhy = "Experts."\n'

    def go(kind: str) -> None:
        gate = Gate(replay_set, claims(tmp_path, text.format(kind)))
        publish_draft(
            tmp_path / "card", root / SHIPPED / "policy.toml", "card", date(2026, 12, 1), root, True, gate=gate
        )

    with pytest.raises(Unclaimed, match='kind = "data"'):
        go("model")
    go("data")
    assert models.load("card", root).manifest.replay is not None


def test_what_the_code_changed_is_the_codes(root: Path, replay_set: Path, tmp_path: Path) -> None:
    """Decisions that an earlier engine made otherwise, under the same release, count as code and must be declared."""
    old = tmp_path / "old.jsonl"
    records = [json.loads(line) for line in replay_set.read_text().splitlines()]
    offered = [record for record in records if record["decision"]["offer"]]
    for record in offered[:3]:
        record["engine_digest"] = "0" * 64
        record["decision"]["offer"]["monthly_rate_bps"] += 1
    old.write_text("".join(json.dumps(record) + "\n" for record in records))
    with pytest.raises(Unclaimed, match=r"3 of (.|\n)*\(code\)(.|\n)*kind = \"code\"\nmost = 3"):
        published(root, root / SHIPPED / "policy.toml", Gate(old))
    declared = Claims(claims=(Claim(kind="code", most=3, why="Half-cents are rounded up."),))
    published(root, root / SHIPPED / "policy.toml", Gate(old, declared))


def test_an_altered_set_is_refused(root: Path, replay_set: Path, tmp_path: Path) -> None:
    """A record that its own release and engine do not decide so was altered, and is no cause of anything."""
    bent = tmp_path / "bent.jsonl"
    first, *rest = replay_set.read_text().splitlines(keepends=True)
    record = json.loads(first)
    record["decision"]["outcome"] = "refer" if record["decision"]["outcome"] != "refer" else "decline"
    bent.write_text(json.dumps(record) + "\n" + "".join(rest))
    with pytest.raises(
        ValueError, match=f"{record['decision_id']} of the replay set is not what .* the file was altered"
    ):
        published(root, root / SHIPPED / "policy.toml", Gate(bent))


def test_the_set_stays_unless_somebody_says_why(root: Path, replay_set: Path, export: Path, tmp_path: Path) -> None:
    """Once a champion passed a set, the next is held to the same one, or the manifest says why not."""
    published(root, root / SHIPPED / "policy.toml", Gate(replay_set))
    models.promote("next", root)
    policy = root / SHIPPED / "policy.toml"
    with pytest.raises(ValueError, match="not the set that the champion passed"):
        published(root, policy, Gate(export), "third")
    published(root, policy, Gate(export, Claims(new_set="Yearly renewal.")), "third")
    replay = models.load("third", root).manifest.replay
    assert replay is not None
    assert replay.new_set == "Yearly renewal."
    publish_draft(root / "third", policy, "fourth", date(2026, 12, 1), root, True, gate=Gate(replay_set))
    card = (root / "fourth" / "card.md").read_text()
    assert card.count("## The model's card") == card.count("## Replay") == card.count("# synthetic-2026-11") == 1


def test_a_champion_demands_a_set_and_a_first_release_says_so(root: Path, tmp_path: Path) -> None:
    """Without a set nothing follows a champion; where nothing serves yet, the command says it compared nothing."""
    policy = root / SHIPPED / "policy.toml"
    with pytest.raises(ValueError, match="choose a replay set with `creditline-train replay-set`"):
        published(root, policy, None)
    assert names(root) == [SHIPPED]
    done = CliRunner().invoke(
        main,
        ["publish", str(root / SHIPPED), "--policy", str(policy), "--name", "first", "--root", str(tmp_path / "empty")],
    )
    assert done.exit_code == 0, done.output
    assert "a first release: no champion serves" in done.output


def test_a_policy_alone_goes_live_on_its_day(root: Path, replay_set: Path, changed: Changed, tmp_path: Path) -> None:
    """By commands: the champion's model under another policy, from a day on; before it, promotion is refused."""
    (tmp_path / "causes.toml").write_text(RULE)
    done = CliRunner().invoke(
        main,
        ["publish", str(root / SHIPPED), "--policy", str(changed(LONGER)), "--name", "longer", "--root", str(root),
         "--replay-set", str(replay_set), "--causes", str(tmp_path / "causes.toml"), "--created-on", "2026-12-01",
         "--not-before", "2099-01-01"],
    )  # fmt: skip
    assert done.exit_code == 0, done.output
    assert "every one as declared" in done.output
    release = models.load("longer", root)
    assert release.model_sha256 == models.champion(root).model_sha256
    card = (root / "longer" / "card.md").read_text()
    assert "6 months -> 24 months" in card
    with pytest.raises(models.ReleaseRejected, match="does not serve before 2099-01-01"):
        models.promote("longer", root)
    with pytest.raises(models.ReleaseRejected, match="does not serve before 2099-01-01"):
        models.serving("longer", root)
    assert models.promote("longer", root, day=date(2099, 1, 1)).name == "longer"


def test_a_day_before_it_was_made_is_refused(root: Path, replay_set: Path) -> None:
    """A release cannot have served before it was made."""
    with pytest.raises(ValueError, match="cannot have served from"):
        published(root, root / SHIPPED / "policy.toml", Gate(replay_set), not_before=date(2026, 11, 1))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[[claims", "not TOML"),
        ('[[claims]]\nkind = "rule"\nmost = 1\nwhy = "x"', 'A claim of kind "rule" names its rule'),
        ('[[claims]]\nkind = "rule"\nrule = "abn_too_yung"\nmost = 1\nwhy = "x"', "did you mean abn_too_young?"),
        ('[[claims]]\nkind = "luck"\nmost = 1\nwhy = "x"', "claims.0.kind"),
        ('[[claims]]\nkind = "price"\nwhy = "x"', "claims.0.most"),
        ('[[claims]]\nkind = "price"\nmost = 3\nwhy = ""', "claims.0.why"),
    ],
)
def test_a_wrong_causes_file_is_told(text: str, said: str, tmp_path: Path) -> None:
    """Each fault of the file is named, with what was probably meant."""
    with pytest.raises(ValueError, match=r"causes\.toml") as wrong:
        claims(tmp_path, text)
    assert said in str(wrong.value)


def test_an_erased_decision_is_no_part_of_a_set(root: Path, replay_set: Path, tmp_path: Path) -> None:
    """A set that lost a decision to erasure says so, and how to go on."""
    first, *rest = replay_set.read_text().splitlines(keepends=True)
    bent = tmp_path / "erased.jsonl"
    bent.write_text(json.dumps({**json.loads(first), "facts": None}) + "\n" + "".join(rest))
    with pytest.raises(ValueError, match="holds an erased decision: choose a new set"):
        published(root, root / SHIPPED / "policy.toml", Gate(bent))


def test_a_damaged_champion_stops_a_release(root: Path, replay_set: Path) -> None:
    """The champion's files must be those of its manifest before anything is compared with it."""
    policy = shutil.copy(root / SHIPPED / "policy.toml", root / "kept.toml")
    (root / SHIPPED / "policy.toml").write_text(Path(policy).read_text() + "\n# touched\n")
    write_scorecard_draft(root.parent / "card", POLICY.parent / "scorecards" / "example.toml")
    with pytest.raises(models.ReleaseRejected, match=r"policy\.toml is not the file that the manifest names"):
        publish_draft(root.parent / "card", Path(policy), "card", date(2026, 12, 1), root, True, gate=Gate(replay_set))


def test_a_champion_of_another_engine_is_compared_by_its_record(
    root: Path, replay_set: Path, changed: Changed, tmp_path: Path
) -> None:
    """Where the champion was made for other features than this engine derives, what differs is the code's."""
    shutil.copytree(root / SHIPPED, tmp_path / SHIPPED)
    place = root / SHIPPED / "manifest.json"
    manifest = Manifest.parse(place.read_bytes()).model_copy(update={"contract_sha256": "0" * 64})
    place.write_bytes(manifest.to_bytes())
    digest = hashlib.sha256(manifest.to_bytes()).hexdigest()
    (root / "CHAMPION").write_text(f"{SHIPPED} {digest}\n")
    same, longer = tmp_path / SHIPPED / "policy.toml", changed(LONGER)

    def go(policy: Path) -> None:
        publish_draft(tmp_path / SHIPPED, policy, "next", date(2026, 12, 1), root, True, gate=Gate(replay_set))

    with pytest.raises(Unclaimed, match='kind = "code"'):
        go(longer)
    go(same)
    replay = models.load("next", root).manifest.replay
    assert replay is not None
    assert (replay.against_digest, replay.changed) == (digest, 0)
