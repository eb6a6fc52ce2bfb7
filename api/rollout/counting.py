"""What a stage has counted, as the stopping rule takes it.

It does: turn rows of counts into a tally. It does not: judge. The rule it keeps: an error of the other release is no
outcome, so it is not compared; errors have a bound of their own.
"""

from collections.abc import Iterable

from api.store.queries.rollout import ShadowCount
from models.stopping import Tally


def tally_of(counts: Iterable[ShadowCount]) -> Tally:
    """The tally of one stage; `arm` of a count is the release that decided beside."""
    found = dict.fromkeys(Tally.__dataclass_fields__, 0)
    for each in counts:
        by_challenger = each.arm == "champion"
        maker = "challenger" if by_challenger else "champion"
        found[f"{maker}_made"] += each.count
        found[f"{maker}_approved"] += each.count if each.made_outcome == "approve" else 0
        if each.outcome is None:
            continue
        champion, challenger = (each.outcome, each.made_outcome) if by_challenger else (each.made_outcome, each.outcome)
        found["compared"] += each.count
        found["differing"] += each.count if champion != challenger else 0
        found["gained"] += each.count if challenger == "approve" != champion else 0
        found["lost"] += each.count if champion == "approve" != challenger else 0
    return Tally(**found)
