"""Which release decides: one line-up, swapped by one reference, and the arm that each business is in.

It does: hold the line-up, choose by business, decide, and let the champion step in where a challenger fails. It does
not: load releases or look at counts. The rules it keeps: a business that is in a share is in every larger one, on every
worker and after every restart; whoever has chosen finishes on that release whatever is swapped meanwhile.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, TypeVar

from api.guards import BlindIndex
from api.rollout.readings import Readings
from engine.application import Application
from engine.decision import Decision, decide, knocked_out
from engine.facts import Facts
from engine.release import Release

T = TypeVar("T")
Arm = Literal["champion", "challenger"]
_WHOLE = 10_000  # hundredths of a per cent
_PLACE_DIGITS = 13  # of the digest, in hexadecimal: 52 bits, which leave no place more likely than another


@dataclass(frozen=True, slots=True)
class Observation:
    """A decision that was made, for the other release to decide beside."""

    decision_id: str
    application: Application
    facts: Facts
    decided: Decision


@dataclass(frozen=True, slots=True)
class Trial:
    """A challenger in service: for what share, and who is told of what it does."""

    rollout: str
    share: int  # hundredths of a per cent; 0 is shadow alone
    challenger: Release
    readings: Readings
    notice: Callable[["Trial", Observation], None]
    fail: Callable[[], None]  # looks at the readings at once


@dataclass(frozen=True, slots=True)
class Lineup:
    """The releases in service at one moment."""

    champion: Release
    trial: Trial | None = None

    def of(self, digest: str) -> Release | None:
        """The release of this digest, where it is in service."""
        if self.champion.digest == digest:
            return self.champion
        return self.trial.challenger if self.trial and self.trial.challenger.digest == digest else None


class InService:
    """The line-up that new requests are given: replaced whole, never changed."""

    def __init__(self, champion: Release) -> None:
        self.lineup = Lineup(champion)


@dataclass(frozen=True, slots=True)
class Chosen:
    """One request's release, and the line-up that it was chosen from."""

    release: Release
    lineup: Lineup

    def decide(self, application: Application, facts: Facts) -> Decision:
        """Decide; by the champion where the challenger fails, which is then taken out."""
        if (trial := self.lineup.trial) is not None and self.release is trial.challenger:
            trial.readings.asked()
        return self._surely(lambda release: decide(application, facts, release))

    def knocked_out(self, application: Application, facts: Facts) -> bool:
        """Whether the hard rules decline; by the champion's where the challenger's fail."""
        return self._surely(lambda release: knocked_out(application, facts, release))

    def arm_of(self, decision: Decision) -> tuple[str, Arm] | None:
        """The roll-out and the arm that made a decision; None where it is of neither."""
        trial = self.lineup.trial
        if trial is None:
            return None
        arms: dict[str, Arm] = {trial.challenger.digest: "challenger", self.lineup.champion.digest: "champion"}
        arm = arms.get(decision.release_digest)
        return None if arm is None else (trial.rollout, arm)

    def notice(self, decision_id: str, application: Application, facts: Facts, decided: Decision) -> None:
        """Let the other release decide beside, some time later."""
        if (trial := self.lineup.trial) is not None:
            trial.notice(trial, Observation(decision_id, application, facts, decided))

    def _surely(self, piece: Callable[[Release], T]) -> T:
        trial = self.lineup.trial
        if trial is None or self.release is not trial.challenger:
            return piece(self.release)
        try:
            return piece(trial.challenger)
        except Exception as error:  # whatever it is: the applicant is answered, and the readings tell of it
            trial.readings.failed(error)
            trial.fail()
            return piece(self.lineup.champion)


def choose(lineup: Lineup, index: BlindIndex, abn: str) -> Chosen:
    """The release for a business."""
    trial = lineup.trial
    if trial is not None and trial.share and place_of(index, trial.rollout, abn) < trial.share:
        return Chosen(trial.challenger, lineup)
    return Chosen(lineup.champion, lineup)


def place_of(index: BlindIndex, rollout: str, abn: str) -> int:
    """Where a business stands in one roll-out, 0 to 9,999: it is in every share above that.

    A keyed digest: nobody outside can work it out, and the next roll-out takes others first.
    """
    return int(index.of("rollout", f"{rollout}\0{abn}")[:_PLACE_DIGITS], 16) * _WHOLE >> 4 * _PLACE_DIGITS
