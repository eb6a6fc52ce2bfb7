"""What staff sign-in counts, for Prometheus; labels hold results and actions, never who.

It stands beside api.metrics, whose registry it uses, so that a process without a console has none of it.
"""

from prometheus_client import Counter

from api.metrics import REGISTRY

SIGN_INS = Counter(
    "creditline_sign_ins",
    "Attempts of staff to sign in, by stage and how they ended: opened, wrong, waiting, closed.",
    ["stage", "result"],
    registry=REGISTRY,
)
DENIED = Counter(
    "creditline_staff_denied",
    "Requests of staff that were refused, by action and why: signed_out, over, role, csrf, origin.",
    ["action", "why"],
    registry=REGISTRY,
)
STAGES = ("password", "code", "passkey", "again")
RESULTS = ("opened", "wrong", "waiting", "closed")

for _stage in STAGES:
    for _result in RESULTS:
        SIGN_INS.labels(_stage, _result)
