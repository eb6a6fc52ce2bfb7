"""The scorecard's file: what it says, and what it may not say.

It does: read TOML and name what is wrong by feature. It does not: compile or calibrate. The rules it keeps: points are
on the engine's own scale (20 double the odds); every feature has a neutral band worth nothing, so that points read as
"against a neutral business"; and missing never earns points, so nobody gains by leaving something out.
"""

import tomllib
from itertools import pairwise
from pathlib import Path
from typing import Annotated, Final, Literal, Self

from pydantic import Field, model_validator

from engine.features import BY_NAME
from engine.values import Frozen, problem

MOST_POINTS: Final = 200
_WHOLE_BPS: Final = 10_000

Points = Annotated[int, Field(ge=-MOST_POINTS, le=MOST_POINTS)]
Bps = Annotated[int, Field(ge=0, le=_WHOLE_BPS)]
Words = Annotated[str, Field(min_length=3, max_length=2_000)]


class Band(Frozen):
    """Values up to and with `upto` (the last band: all above), their points, the share of applicants expected there."""

    upto: Annotated[float, Field(allow_inf_nan=False, strict=False)] | None = None
    points: Points
    share_bps: Bps


class Missing(Frozen):
    """What a missing value is worth, and how often one is expected."""

    points: Annotated[int, Field(ge=-MOST_POINTS, le=0)]
    share_bps: Bps


class ScoredFeature(Frozen):
    """One feature's bands in rising order, and why they are worth what they are."""

    name: str
    bands: Annotated[tuple[Band, ...], Field(min_length=2, max_length=30, strict=False)]
    missing: Missing
    why: Words

    @model_validator(mode="after")
    def _bands_make_sense(self) -> Self:
        if self.name not in BY_NAME:
            raise problem("feature", f"{self.name} is no feature of the engine")
        feature, cuts = BY_NAME[self.name], self.cuts
        if len(cuts) != len(self.bands) - 1 or self.bands[-1].upto is not None:
            raise problem("bands", f"{self.name}: every band but the last has an upto")
        if any(low >= high for low, high in pairwise(cuts)):
            raise problem("bands", f"{self.name}: bands do not rise")
        if not all(feature.low <= cut < feature.high for cut in cuts):
            raise problem("bands", f"{self.name}: a band lies outside {feature.low:g} to {feature.high:g}")
        if not any(band.points == 0 for band in self.bands):
            raise problem("neutral", f"{self.name}: no band is neutral (0 points)")
        if sum(band.share_bps for band in self.bands) + self.missing.share_bps != _WHOLE_BPS:
            raise problem("shares", f"{self.name}: shares do not add up to {_WHOLE_BPS}")
        return self

    @property
    def cuts(self) -> tuple[float, ...]:
        """The upper ends of all bands but the last."""
        return tuple(band.upto for band in self.bands if band.upto is not None)

    @property
    def worths(self) -> "tuple[Band | Missing, ...]":
        """The bands and what a missing value is worth, last."""
        return (*self.bands, self.missing)

    @property
    def neutral(self) -> int:
        """The first band worth nothing."""
        return next(place for place, band in enumerate(self.bands) if band.points == 0)


class Anchor(Frozen):
    """The bureau's rate of default over all its businesses, taken for the expected applicants, and a margin on top."""

    feature: Literal["bureau_score"]  # whose bands the card holds beside the rates the bureau publishes
    pd_bps: Annotated[int, Field(ge=1, le=5_000)]
    margin_bps: Annotated[int, Field(ge=0, le=_WHOLE_BPS)]  # how much the odds of default are raised for want of data
    why: Words
    why_margin: Words


class Observed(Frozen):
    """What little history there is: businesses with a closed window, and how many of them went bad."""

    obligors: Annotated[int, Field(ge=1, le=1_000_000)]
    bads: Annotated[int, Field(ge=0)]
    confidence_bps: Annotated[int, Field(ge=5_000, le=9_990)]
    correlation_bps: Annotated[int, Field(ge=0, le=5_000)]  # of the businesses' fates; 0 takes them as independent

    @model_validator(mode="after")
    def _some_are_good(self) -> Self:
        if self.bads >= self.obligors:
            raise problem("bads", "Not all observed businesses can be bad")
        return self


class Scorecard(Frozen):
    """The whole file."""

    schema_version: Literal[1]
    title: Words
    example: bool  # somebody's illustration: it publishes as synthetic, which production refuses
    anchor: Anchor
    observed: Observed | None = None
    features: Annotated[tuple[ScoredFeature, ...], Field(min_length=1, max_length=60, strict=False)]

    @model_validator(mode="after")
    def _anchored(self) -> Self:
        names = [feature.name for feature in self.features]
        if len(set(names)) != len(names):
            raise problem("features", "A feature stands twice")
        if self.anchor.feature not in names:
            raise problem("anchor", f"The anchor {self.anchor.feature} is not among the features")
        return self

    @property
    def anchored_pd(self) -> float:
        """The mean PD of the expected applicants, margin included."""
        pd = self.anchor.pd_bps / _WHOLE_BPS
        odds = pd / (1.0 - pd) * (1.0 + self.anchor.margin_bps / _WHOLE_BPS)
        return odds / (1.0 + odds)


def read_scorecard(path: Path) -> Scorecard:
    """The scorecard in a TOML file; ValueError says what is wrong with it."""
    with path.open("rb") as file:
        return Scorecard.model_validate(tomllib.load(file))
