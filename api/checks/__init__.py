"""What machines check in a document: read it, redact it, and run the checks of its kind.

It does: offer `check`, and load what reads files only when it is called. It does not: run in the service, which takes
the values from here and starts `python -m api.checks` in a process of its own. The rule it keeps: importing this
package parses nothing and loads no reader.
"""

from api.checks.values import Checked, Expectation, MediaType

__all__ = ["check"]


def check(document: bytes, media_type: MediaType, expectation: Expectation) -> Checked:
    """All that is kept of a document: what each check found, and where to paint."""
    from api.checks.examination import examined  # noqa: PLC0415 - loads the readers of files

    return examined(document, media_type, expectation)
