"""The ladder as the settings say: what is missing is missing, and production asks nobody in plain text."""

import pytest

from api.sources import OUTSIDE
from api.sources.settings import SourceSettings
from api.sources.setup import Unencrypted, ladder
from tests.support.exchanging import leaving_nothing
from tests.support.laddering import ASKED, now, question, settings_of

NOWHERE = "https://127.0.0.1:9"


def test_what_is_not_set_up_is_not_configured() -> None:
    """Without any setting no source is on the ladder: every fact is failed, and says that nobody set it up."""
    told = leaving_nothing(ladder(SourceSettings(), now, development=False).gather(question()))
    assert {(told.of(name).status, told.of(name).failure) for name in OUTSIDE} == {("failed", "not_configured")}


@pytest.mark.parametrize("source", [*ASKED, "sanctions"])
def test_outside_development_nothing_is_asked_in_plain_text(source: str) -> None:
    """One address that is not https stops the service at its start, whichever it is; development may."""
    ladder(settings_of(NOWHERE), now, development=False)
    plain = settings_of(NOWHERE, {source: "http://127.0.0.1:9"})
    with pytest.raises(Unencrypted, match=source) as refused:
        ladder(plain, now, development=False)
    assert "127.0.0.1" not in str(refused.value)
    ladder(plain, now, development=True)
