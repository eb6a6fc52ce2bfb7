"""From a fitted model to a release: a draft folder, a card, and publication.

It does: keep what a fit gave in a folder that people can look at, and publish it, or the model of a release under
another policy, with a card, once the replay gate lets it. It does not: judge (evaluation does) or load for service
(models does). The rule it keeps: the card says what the model was made from, and a model made from pretend data says so
first.
"""

import json
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from datetime import date
from decimal import Decimal
from hashlib import sha256
from pathlib import Path

import lightgbm
import numpy as np

import models
from engine.canonical import canonical_bytes
from engine.features import BY_NAME, FEATURE_NAMES, contract_digest
from engine.policy import Policy, PolicyBook
from engine.pricing import break_even_report, check_reference_line
from engine.release import MANIFEST_NAME, Baselines, ReleaseFacts, Replay, TrainingFacts, Validation
from engine.scoring import Calibration, parse_model
from models.folder import read_folder
from models.store import check_digests, parsed_manifest
from training.audit import card_section
from training.backtest.replay import Found, Gate
from training.backtest.trials import Trial, as_model, read_policy
from training.data import Dataset, Floats
from training.evaluation import Evaluation, Prices
from training.fitting import Fitted, Split
from training.folder import DRAFT_FILE, neither
from training.monitor.baselines import fitted_baselines, stored_baselines
from training.policies import policy_changes
from training.scorecard import scorecard_card
from training.signing import read_validation
from training.whole import write_whole

JUDGEMENT_FILE = "judgement.json"
GOLDEN_CANDIDATES = 1_000
MODEL_CARD = "\n## The model's card\n\n"
_REPLAY = "\n## Replay\n\n"


def write_draft(folder: Path, fitted: Fitted, data: Dataset, split: Split, prices: Prices | None = None) -> None:
    """Keep a fit: model.txt, golden.jsonl, judgement.json and draft.json (calibration, data, figures, importance)."""
    parts = split.parts(data)
    spans = [(str(part.time.min()), str(part.time.max()), len(part.y), part.bads) for part in parts]
    learnt = Learnt(data, spans, fitted_baselines(fitted, parts[0], prices))
    keep_draft(folder, fitted, golden_rows(fitted, parts[-1]), split, learnt)


@dataclass(frozen=True, slots=True)
class Learnt:
    """What a draft says of its examples: names, description and digest of `data`; first and last day, rows and bads of
    the training, validation and test span; what training looked like, where that is known.
    """

    data: Dataset
    spans: Sequence[tuple[str, str, int, int]]
    baselines: Baselines | None = None


def golden_rows(fitted: Fitted, test: Dataset) -> Floats:
    """The rows of the newest examples that a release's scorer is held to."""
    return models.choose_rows(parse_model(fitted.model_text), test.x[:GOLDEN_CANDIDATES])


def keep_draft(folder: Path, fitted: Fitted, golden: Floats, split: Split, learnt: Learnt) -> None:
    """The same where the examples lie elsewhere."""
    data, (train, *_) = learnt.data, learnt.spans
    booster, ensemble = lightgbm.Booster(model_str=fitted.model_text), parse_model(fitted.model_text)
    arbiter = lightgbm.Booster(model_str=ensemble.lightgbm_text())  # so that what was parsed is what is held to
    raws = np.asarray(arbiter.predict(golden, raw_score=True, num_threads=1))
    shares = np.asarray(arbiter.predict(golden, pred_contrib=True, num_threads=1))
    gains = dict(zip(booster.feature_name(), booster.feature_importance("gain").tolist(), strict=True))
    facts = TrainingFacts(
        data_description=data.description,
        data_sha256=data.source_sha256,
        seed=fitted.seed,
        rows=train[2],
        bads=train[3],
        metrics={**fitted.validation.as_metrics("validation"), **fitted.test.as_metrics("test")},
    )
    told = {
        "calibration": fitted.calibration.model_dump(),
        "training": facts.model_dump(mode="json"),
        "features": list(data.names),
        "categories": {data.names[i]: list(held) for i, held in zip(data.categorical, data.levels, strict=False)},
        "trees": fitted.trees,
        "spans": {name: list(told) for name, told in zip(("train", "validation", "test"), learnt.spans, strict=True)},
        "gain": {name: round(gain / max(sum(gains.values()), 1e-12), 4) for name, gain in gains.items()},
        "split": {key: str(value) for key, value in asdict(split).items()},
        "baselines": learnt.baselines.model_dump(mode="json") if learnt.baselines else None,
    }
    write_whole(
        folder,
        {
            "model.txt": fitted.model_text.encode(),
            "golden.jsonl": models.golden_bytes(golden, raws, shares),
            JUDGEMENT_FILE: fitted.judgement.model_dump_json(indent=1).encode() + b"\n",
            DRAFT_FILE: canonical_bytes(told) + b"\n",
        },
    )


@dataclass(frozen=True, slots=True)
class Published:
    """What was published, and what the gate found; None where there was no replay set."""

    name: str
    facts: ReleaseFacts
    found: Found | None


def publish_draft(  # noqa: PLR0913 - what a release states
    folder: Path, policy: Path, name: str, created_on: date, root: Path, synthetic: bool,
    validation: Path | None = None, *, gate: Gate | None = None, not_before: date | None = None,
) -> Published:  # fmt: skip
    """Publish a draft, or the model of a release again, under a policy. ReleaseRejected or ValueError say why not.

    Where a champion serves, the gate's replay set is decided again first, and no change may be unclaimed. With an
    independent validation record, which a release brings along, it says that it is signed, and loads once people have
    signed it.
    """
    root.mkdir(parents=True, exist_ok=True)
    listed = models.releases(root)
    sequence = max((one.manifest.sequence for one in listed if one.manifest), default=0) + 1
    if not_before is not None and not_before < created_on:
        raise ValueError(f"a release made on {created_on} cannot have served from {not_before}")
    book = read_policy(policy)
    check_prices(book)
    source = _source(folder, synthetic, validation)
    ensemble = parse_model(source.model_text)
    replay, found = _through(gate, root, source, book, name, not_before or created_on)
    facts = ReleaseFacts(
        name=name,
        sequence=sequence,
        created_on=created_on.isoformat(),
        synthetic=source.synthetic,
        lightgbm_version=source.lightgbm_version,
        objective=ensemble.objective,
        features=FEATURE_NAMES,
        contract_sha256=contract_digest(),
        calibration=source.calibration,
        training=source.training,
        certificate=models.prove(ensemble, models.engine_contract().directions),
        signed=source.validation is not None,
        validation=source.validation,
        not_before=None if not_before is None else not_before.isoformat(),
        replay=replay,
        baselines=source.baselines,
    )
    files = {
        "model.txt": source.model_text.encode(),
        "golden.jsonl": (folder / "golden.jsonl").read_bytes(),
        "policy.toml": policy.read_bytes(),
        "card.md": source.card(facts, book).encode(),
    }
    return Published(models.publish(models.draft(facts, files), root), facts, found)


@dataclass(frozen=True, slots=True)
class _Source:
    """Where a release's model comes from."""

    model_text: str
    calibration: Calibration
    training: TrainingFacts
    synthetic: bool
    lightgbm_version: str
    validation: Validation | None
    baselines: Baselines | None
    card: Callable[[ReleaseFacts, PolicyBook], str]


def _source(folder: Path, synthetic: bool, validation: Path | None) -> _Source:
    """The model of a draft's or a release's folder; ValueError where it is neither or has other inputs."""
    if not (folder / DRAFT_FILE).is_file():
        return _released(folder, validation)
    told = json.loads((folder / DRAFT_FILE).read_bytes())
    if tuple(told["features"]) != FEATURE_NAMES:
        raise ValueError("this draft was fitted on other inputs than the engine's features: it cannot decide")
    model_text = (folder / "model.txt").read_text()
    scored = told.get("scorecard")
    made = scorecard_card if scored else card
    return _Source(
        model_text=model_text, calibration=Calibration.model_validate(told["calibration"]),
        training=TrainingFacts.model_validate(told["training"]),
        synthetic=synthetic or (scored is not None and scored["example"]), lightgbm_version=lightgbm.__version__,
        validation=None if validation is None else _validation(validation, model_text),
        baselines=stored_baselines(told),
        card=lambda facts, book: (
            made(facts, told) + prices(book) + card_section(folder, FEATURE_NAMES) + replay_section(facts.replay)
        ),
    )  # fmt: skip


def _released(folder: Path, validation: Path | None) -> _Source:
    """A release's model again, with the validation that it has unless there is a newer one."""
    if not (folder / MANIFEST_NAME).is_file():
        raise neither(folder)
    files = read_folder(folder.name, folder.parent)
    manifest = parsed_manifest(files[MANIFEST_NAME], folder.name)
    check_digests(manifest, files)
    model_text, old = files["model.txt"].decode("ascii"), files["policy.toml"].decode()

    def changed(facts: ReleaseFacts, book: PolicyBook) -> str:
        told = "\n".join(f"- {sentence}" for sentence in policy_changes(PolicyBook.parse(old), book))
        own, _, models_card = files["card.md"].decode().partition(MODEL_CARD)
        return (
            f"# {facts.name}\n\nThe model of {manifest.name}, unchanged, under another policy.\n\n{told}\n"
            + prices(book) + replay_section(facts.replay) + MODEL_CARD + (models_card or own.partition(_REPLAY)[0])
        )  # fmt: skip

    return _Source(
        model_text=model_text, calibration=manifest.calibration, training=manifest.training,
        synthetic=manifest.synthetic, lightgbm_version=manifest.lightgbm_version,
        validation=manifest.validation if validation is None else _validation(validation, model_text),
        baselines=manifest.baselines, card=changed,
    )  # fmt: skip


def _validation(file: Path, model_text: str) -> Validation:
    return read_validation(file, sha256(model_text.encode()).hexdigest())


def _through(
    gate: Gate | None, root: Path, source: _Source, book: PolicyBook, name: str, first_day: date
) -> tuple[Replay | None, Found | None]:
    """What the gate says; ValueError where a champion serves and there is no replay set."""
    if gate is not None:
        model = as_model(source.model_text.encode(), source.calibration, source.training.data_sha256)
        return gate.judge(Trial(name, "", book, model), root, first_day)
    if (line := models.champion_line(root)) is not None:
        raise ValueError(
            f"{line.name} serves, and nothing shows what {name} would change of its decisions: choose a replay set "
            "with `creditline-train replay-set` and give it with --replay-set"
        )
    return None, None


def replay_section(replay: Replay | None) -> str:
    """What the replay set became, as a section of the card."""
    if replay is None or replay.against is None:
        return f"{_REPLAY}No release served before this one, so there was nothing to compare it with.\n"
    rows = "".join(
        f"| {each.kind}{' ' + each.rule if each.rule else ''} | {each.moved:,} | {each.most:,} | {each.why} |\n"
        for each in replay.causes
    )
    return (
        f"{_REPLAY}{replay.changed:,} of {replay.decisions:,} decisions of the fixed set (sha256 "
        f"{replay.set_sha256}) differ from those of {replay.against}.\n"
        + (f"\n| declared cause | moved | at most | why |\n|---|---|---|---|\n{rows}" if rows else "")
    )  # fmt: skip


def check_prices(book: PolicyBook) -> None:
    """ValueError where a rate of any version of the policy is below break-even at the reference line."""
    for start in (book.effective_from, *(amendment.effective_from for amendment in book.amendments)):
        policy = book.on(start)
        if found := check_reference_line(policy.pricing, _worst(policy), policy.pricing.economics):
            raise ValueError(f"policy from {start}: " + " ".join(violation.sentence for violation in found))


def prices(book: PolicyBook) -> str:
    """The newest price grid beside its break-even, every cell, as a section of the card."""
    policy = book.on(date.max)
    cells = break_even_report(policy.pricing, _worst(policy), policy.pricing.economics, policy.pricing.fees)
    rows = "\n".join(
        f"| {c.grade} | ${c.band_to_cents / 100:,.0f} | {c.rate_bps / 100:.2f} | {c.break_even_bps / 100:.2f} "
        f"| {c.mid_break_even_bps / 100:.2f} | {c.mid_fee_bps / 100:.2f} | {c.mid_margin_bps / 100:+.2f} |"
        for c in cells
    )
    return (
        "\n## Prices\n\nPer cent a month, at each grade's worst PD. The reference line is "
        f"${policy.pricing.economics.reference_limit_cents / 100:,.0f}, two thirds drawn; mid is the middle of the "
        "band, with the minimum fee counted.\n\n"
        "| grade | up to | rate | break-even, reference | break-even, mid | fee, mid | margin, mid |\n"
        f"|---|---|---|---|---|---|---|\n{rows}\n"
    )


def _worst(policy: Policy) -> list[tuple[str, Decimal]]:
    return [(grade.name, Decimal(grade.pd_most_bps) / 10_000) for grade in policy.grades]


def card(facts: ReleaseFacts, told: dict[str, object]) -> str:
    """The model card, in words and tables."""
    spans, gain, metrics = told["spans"], told["gain"], facts.training.metrics
    assert isinstance(spans, dict) and isinstance(gain, dict)  # noqa: PT018 - shapes write_draft gives
    warning = (
        "**Synthetic.** This model learnt from a simulated market. It knows nothing of real businesses and must be "
        "retrained on the lender's own data before it lends; the service refuses it outside development.\n\n"
        if facts.synthetic
        else ""
    )
    rows = "\n".join(
        f"| {name} | {start} to {end} | {count:,} | {bads:,} |"
        for name in ("train", "validation", "test")
        for start, end, count, bads in [spans[name]]
    )
    figures = "\n".join(
        f"| {label} | {metrics[f'validation.{key}']:.4f} | {metrics[f'test.{key}']:.4f} |"
        for key, label in _CARD_FIGURES
    )
    inputs = "\n".join(
        f"| {name} | {share:.1%} | {BY_NAME[name].meaning} |"
        for name, share in sorted(gain.items(), key=lambda item: (-item[1], item[0]))[:15]
    )
    return (
        f"# {facts.name}\n\n{warning}"
        f"Probability of default within twelve months of a small business that asks for a credit line: "
        f"{told['trees']} gradient-boosted trees (LightGBM {facts.lightgbm_version}) on {len(facts.features)} inputs, "
        f"monotone in every direction that the feature catalogue declares, calibrated on the validation span.\n\n"
        f"Made {facts.created_on} from {facts.training.data_description}, seed {facts.training.seed}.\n\n"
        f"| span | applied | examples | bad |\n|---|---|---|---|\n{rows}\n\n"
        f"| figure | validation | test (newest, out of time) |\n|---|---|---|\n{figures}\n\n"
        f"AUC 95 % interval on test: {metrics['test.auc_low']:.4f} to {metrics['test.auc_high']:.4f}.\n\n"
        f"| input | share of gain | meaning |\n|---|---|---|\n{inputs}\n\n"
        "Not for: consumers, businesses outside Australia, lines above AU$300,000, or any use but this one.\n"
    )


_CARD_FIGURES = (
    ("auc", "AUC"), ("gini", "Gini"), ("ks", "KS"), ("brier", "Brier"), ("log_loss", "Log loss"),
    ("calibration_slope", "Calibration slope"), ("bad_rate", "Bad rate"),
)  # fmt: skip


def figures(evaluation: Evaluation) -> list[tuple[str, str]]:
    """Label and figure, for a table on the screen."""
    told = evaluation.model_dump()

    def ranged(name: str) -> str:
        return f"{_shown(told[name])}  ({_shown(told[f'{name}_low'])} to {_shown(told[f'{name}_high'])})"

    return [
        ("examples", f"{evaluation.rows:,}"),
        ("bad", f"{evaluation.bads:,} ({evaluation.bad_rate:.2%} weighted; the PDs say {evaluation.mean_pd:.2%})"),
        ("AUC", ranged("auc")),
        ("Gini", _shown(evaluation.gini)),
        ("KS", ranged("ks")),
        ("H-measure", _shown(evaluation.h_measure)),
        ("average precision", ranged("average_precision")),
        ("Brier", f"{ranged('brier')}, a constant {evaluation.brier_of_rate:.4f}"),
        ("log loss", ranged("log_loss")),
        (
            "calibration",
            f"slope {_shown(evaluation.calibration_slope)}, intercept {_shown(evaluation.calibration_intercept)}",
        ),
    ]


def _shown(figure: float | None) -> str:
    return "not known" if figure is None else f"{figure:.4f}"
