"""Campaigns: sweeps so long that every change runs a sample of them, and `make campaigns` the whole.

The rules it keeps: a sample is drawn by a fixed seed, so that what failed fails again, and has something of each class.
"""

import os
import random
from collections.abc import Sequence
from typing import TypeVar

T = TypeVar("T")
WHOLE = os.environ.get("CREDITLINE_CAMPAIGNS") == "whole"
_SEED = 11


def sample(things: Sequence[T], count: int) -> tuple[T, ...]:
    """So many of these in their order, or all of them in a whole campaign."""
    if WHOLE or count >= len(things):
        return tuple(things)
    chosen = sorted(random.Random(_SEED).sample(range(len(things)), count))
    return tuple(things[place] for place in chosen)
