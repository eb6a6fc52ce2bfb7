"""The one way a release fails.

It does: carry the stage and the reason. It does not: decide anything. The rule it keeps: a reason names
files and rules, so that an operator knows what to do.
"""

from typing import Literal

Stage = Literal[
    "name",
    "size",
    "manifest",
    "digest",
    "trust",
    "signature",
    "validation",
    "contract",
    "child",
    "model",
    "library",
    "golden",
    "certificate",
    "policy",
    "sequence",
    "day",
    "champion",
    "rollout",
]


class ReleaseRejected(ValueError):
    """A release not loaded, published or promoted: the stage of the check that refused it, and why."""

    def __init__(self, stage: Stage, reason: str) -> None:
        super().__init__(f"{stage}: {reason}")
        self.stage: Stage = stage
        self.reason = reason

    def __reduce__(self) -> tuple[type["ReleaseRejected"], tuple[str, str]]:
        # An exception is rebuilt from its one message; this one takes two words, also across processes.
        return type(self), (self.stage, self.reason)
