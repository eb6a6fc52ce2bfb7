"""The machine checks of one document, in the confined process that the service starts.

It does: take an expectation and a file, and answer with the results. It does not: lock itself as inspection does, since
one of the readers of pictures is a program of its own. The rule it keeps: what is answered is what `Checked` holds, and
redactions are boxes as those who render pages take them: page, left, top, right, bottom.
"""

import json
from typing import Any

from api.checks import check
from api.checks.values import Expectation
from api.documents.confinement import serve


def work(header: dict[str, Any], content: bytes) -> tuple[dict[str, Any], bytes]:
    """One document checked."""
    checked = check(content, header["media_type"], Expectation.model_validate_json(json.dumps(header["expectation"])))
    told = checked.model_dump(mode="json")
    return {**told, "redactions": [[each.page, *each.box] for each in checked.redactions]}, b""


if __name__ == "__main__":
    serve(work)
