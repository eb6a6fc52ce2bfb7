"""The audit that a draft rests on, kept beside the model.

It does: write findings and waivers into a draft's folder, and make a section of the model card of them. It does not:
look again. The rule it keeps: a draft with an audit is published only if its inputs are clean or signed for, and what
was signed stands in the card, whose digest the manifest holds.
"""

import json
from collections.abc import Iterable
from pathlib import Path

from engine.canonical import canonical_bytes
from training.audit.findings import Report
from training.audit.waivers import Waiver, require_clean, waivers_section

AUDIT_FILE = "audit.json"


def keep(draft: Path, report: Report, waivers: Iterable[Waiver]) -> None:
    """Write what was found and what was signed into the folder of a draft."""
    signed = [waiver.model_dump(mode="json") for waiver in waivers]
    body = {"report": report.model_dump(mode="json"), "waivers": signed}
    (draft / AUDIT_FILE).write_bytes(canonical_bytes(body) + b"\n")


def card_section(draft: Path, columns: Iterable[str]) -> str:
    """The audit as a section of the model card; empty for a draft without one. Refused where nobody signed."""
    file = draft / AUDIT_FILE
    if not file.exists():
        return ""
    told = json.loads(file.read_bytes())
    report = Report.model_validate_json(json.dumps(told["report"]))
    waivers = [Waiver.model_validate_json(json.dumps(waiver)) for waiver in told["waivers"]]
    signed = require_clean(columns, report, waivers)
    return (
        f"\n## Audit of the table\n\n{len(report.columns)} columns of {report.table} (SHA-256 {report.sha256}) were "
        f"looked at before anything was fitted; {len(report.betraying)} betray the outcome. All clean columns together "
        f"reach AUC {report.reach:.3f} in the newer span.\n{waivers_section(signed)}"
    )
