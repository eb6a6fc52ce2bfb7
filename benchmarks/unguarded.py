"""The service as `creditline serve --development` runs it, with the policy's guards against abuse switched off.

It does: serve the champion with `[guards]` at nought, since a load generator sends the same few businesses again and
again, which is what guards are there to stop. It does not: change anything else; the guards' own cost is measured by
`python -m benchmarks.guards`. The rule it keeps: what is measured under load says that it was measured so.
"""

from dataclasses import replace

from litestar.types import ASGIApp

import models
from api import app as service
from engine.policy import PolicyBook
from engine.release import Release


def create() -> ASGIApp:
    """The application of the environment's settings, its champion unguarded."""
    champion = models.champion()
    models.champion = lambda **_: unguarded(champion)
    return service.create()


def unguarded(release: Release) -> Release:
    """The same release with every guard off."""
    table = release.policy.model_dump()
    return replace(release, policy=PolicyBook.model_validate({**table, "base": {**release.policy.base, "guards": {}}}))
