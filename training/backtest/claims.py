"""What somebody declares that a release will change: a file of claims, each with its bound and its reason.

It does: read the file and say which claim covers which cause. It does not: find causes. The rule it keeps: a claim
without a bound or a reason is none, and a rule that does not exist cannot be claimed.
"""

import tomllib
from collections.abc import Iterable
from difflib import get_close_matches
from pathlib import Path
from typing import Annotated, Self

from pydantic import Field, ValidationError, model_validator

from engine.facts import SOURCES
from engine.reasons import CATALOGUE
from engine.release import CauseKind, Line
from engine.screening import RULES
from engine.values import Frozen, problem
from training.backtest.causes import Cause

_CODES = {rule.finding.rule: rule.finding.reason for rule in RULES}
_NAMES = (*_CODES, *(f"{source}_failed" for source in SOURCES), "brake_refer_all", "brake_daily_dollars",
          "brake_concentration")  # fmt: skip


class Claim(Frozen):
    """One declared cause: at most `most` decisions of the replay set move by it, and why."""

    kind: CauseKind
    rule: str | None = None
    most: Annotated[int, Field(ge=1)]
    why: Line

    @model_validator(mode="after")
    def _names_a_rule(self) -> Self:
        if (self.kind == "rule") != (self.rule is not None):
            raise problem("claim_rule", 'A claim of kind "rule" names its rule, and no other claim does')
        if self.rule is not None and self.rule not in _NAMES and self.rule not in CATALOGUE:
            near = get_close_matches(self.rule, _NAMES, 1)
            hint = f": did you mean {near[0]}?" if near else ": a rule's name or a reason's code, such as R01"
            raise problem("claim_unknown_rule", f"There is no rule of this name{hint}")
        return self

    def covers(self, cause: Cause) -> bool:
        """Whether the cause is the one declared: by its kind, and a rule by its name or its reason's code."""
        if self.kind != cause.kind:
            return False
        return self.kind != "rule" or self.rule in {cause.rule, _CODES.get(cause.rule)}


class Claims(Frozen):
    """The whole file; `new_set` says why the replay set is another than the champion's."""

    new_set: Line | None = None
    claims: Annotated[tuple[Claim, ...], Field(max_length=100, strict=False)] = ()


def read_claims(path: Path | None) -> Claims:
    """The claims in a file (TOML), none without one; ValueError names what is wrong."""
    if path is None:
        return Claims()
    try:
        return Claims.model_validate(tomllib.loads(path.read_text(encoding="utf-8")))
    except tomllib.TOMLDecodeError as error:
        raise ValueError(f"{path}: not TOML: {error}") from None
    except ValidationError as error:
        wrong = [f"  {'.'.join(map(str, found['loc']))}: {found['msg']}" for found in error.errors()]
        raise ValueError("\n".join([f"{path}: not a file of claims", *wrong])) from None


def as_toml(causes: Iterable[tuple[Cause, int]]) -> str:
    """Claims for causes and how many decisions each moved, ready to be given a reason."""
    return "\n".join(
        "\n".join(
            ["[[claims]]", f'kind = "{cause.kind}"', *([f'rule = "{cause.rule}"'] if cause.rule else []),
             f"most = {moved}", 'why = "..."']
        )
        for cause, moved in causes
    )  # fmt: skip
