"""What the model is, what it is for, and who stands for it."""

from engine.release import Replay
from training.report.blocks import Block, Bullets, Heading, Prose, Section, table
from training.report.content import Report
from training.report.formats import count, interval, number, percent

_STANDINGS = {"plain": "", "good": "holds", "caution": "look", "alarm": "stop"}


def summary(report: Report) -> Section:
    """The sentences of the summary, and what this report does not hold."""
    said = report.summary
    blocks: list[Block] = [
        table(
            "What the figures say. “stop” and “look” mark what the committee should settle before it decides",
            "about|finding|",
            "ttt",
            [(each.topic, each.says, _STANDINGS[each.standing]) for each in said],
            marked=[i for i, each in enumerate(said) if each.standing in {"alarm", "caution"}],
        )
    ]
    if report.absent:
        rows = [(each.part, each.why) for each in report.absent]
        blocks.append(table("What this report does not hold", "part|why", "tt", rows))
    return Section("summary", "Summary", tuple(blocks))


def tiles(report: Report) -> tuple[tuple[str, str, str], ...]:
    """Label, figure and interval of the few figures that stand on the first page."""
    if report.judgement is None:
        return ()
    f, earned = report.judgement.figures, report.judgement.profit
    shown = [
        ("AUC", number(f.auc, 3), interval(f.auc_low, f.auc_high, 3)),
        ("KS", number(f.ks, 3), interval(f.ks_low, f.ks_high, 3)),
        ("calibration slope", number(f.calibration_slope, 2), "1 is right"),
        ("went bad", percent(f.bad_rate), f"PDs said {percent(f.mean_pd)}"),
        ("bads judged by", count(f.bads), f"of {count(f.rows)} examples"),
    ]
    if earned is not None:
        shown.append(("approved", percent(earned.approval_rate, 1), f"under {earned.policy}"))
    return tuple(shown)


def purpose(report: Report) -> Section:
    """Use and limits."""
    blocks: list[Block] = [Prose(report.purpose), Heading("Limits"), Bullets(report.limits)]
    if report.identity.notes:
        blocks += [Heading("Notes of the release"), Prose((report.identity.notes,))]
    return Section("purpose", "Purpose, use and limits", tuple(blocks))


def governance(report: Report) -> Section:
    """Names, digests, signatures, validation."""
    told, identity = report.governance, report.identity
    rows = [
        ("model", identity.name), ("kind", identity.kind),
        ("made on", identity.created_on or "not dated: a draft"),
        ("serves from", identity.not_before or "no day is stated"),
        ("sequence", "none" if identity.sequence is None else str(identity.sequence)),
        ("data", "synthetic" if identity.synthetic else "not marked as synthetic"),
        ("policy", identity.policy or "none yet: a draft carries no policy"),
        ("report dated", report.dated or "not dated"),
    ]  # fmt: skip
    digests = [
        ("model.txt", identity.model_sha256), ("manifest.json (names the release)",
            identity.manifest_sha256 or "none: a draft"),
        ("policy.toml", identity.policy_sha256 or "none: a draft"), ("training data", report.data.sha256),
    ]  # fmt: skip
    blocks: list[Block] = [
        table("The model", "|", "tt", rows),
        table("Digests (SHA-256)", "of|digest", "tc", digests),
        Heading("Who stands for it"),
        Prose((told.state,)),
    ]
    if told.signatures:
        signers = [(s.role, s.person, s.key_id) for s in told.signatures]
        blocks.append(table("Signatures over the manifest, checked", "as|person|key", "ttc", signers))
    if (record := told.validation) is not None:
        blocks.append(table("Independent validation", "|", "tt", [
            ("validated by", record.validated_by), ("trained by", record.trained_by),
            ("validated on", record.validated_on), ("review due", record.review_on),
            ("examined", record.examined), ("conclusion", record.conclusion),
            *((f"limit {i}", limit) for i, limit in enumerate(record.limits, 1)),
        ]))  # fmt: skip
    else:
        blocks.append(Prose(("There is no record of an independent validation.",)))
    return Section("governance", "Identity and approval", (*blocks, *_gate(told.replay)))


def _gate(found: Replay | None) -> tuple[Block, ...]:
    """What recorded decisions became under the release when it was published."""
    if found is None:
        return (Prose(("No recorded decisions were decided again before it was published.",)),)
    rows = [
        ("replay set, SHA-256", found.set_sha256), ("recorded decisions", count(found.decisions)),
        ("against", f"{found.against or 'no champion'} {found.against_digest or ''}"),
        ("changed", count(found.changed)),
        ("engine, SHA-256", found.engine_digest), ("why another set", found.new_set or "it is the champion's"),
    ]  # fmt: skip
    causes = [(each.kind, each.rule or "", each.why, count(each.most), count(each.moved)) for each in found.causes]
    gate = table("Release gate: recorded decisions decided again", "|", "tt", rows)
    if not causes:
        return (gate,)
    return gate, table(
        "Causes of change, as declared before publication", "kind|rule|why|at most|moved", "tttnn", causes
    )
