"""Bodies of sources' answers, read into typed values.

It does: parse JSON strictly, and clean short texts. It does not: know any source. The rule it keeps: what cannot be
read is a SourceFailed without a word of what was received.
"""

import re
from datetime import date
from typing import Annotated, TypeVar

from pydantic import BeforeValidator, TypeAdapter, ValidationError

from api.sources import SourceFailed, Why

T = TypeVar("T")
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")
_DAY_LENGTH = len("2026-11-22")


def _day(value: object) -> date:
    if isinstance(value, str) and len(value) == _DAY_LENGTH:
        return date.fromisoformat(value)
    raise ValueError("not a day")


# A day as YYYY-MM-DD. Pydantic alone would also take "0" for the first of January 1970, which favours an applicant.
Day = Annotated[date, BeforeValidator(_day)]


def read(adapter: TypeAdapter[T], body: bytes) -> T:
    """The body as the adapter describes it; raises SourceFailed `malformed` (no JSON) or `schema` (another shape)."""
    why: Why = "schema"
    try:
        return adapter.validate_json(body, strict=True)
    except ValidationError as error:
        if error.error_count() == 1 and error.errors(include_input=False)[0]["type"] == "json_invalid":
            why = "malformed"
    raise SourceFailed(why)


def clean(text: str, longest: int) -> str:
    """The text without control characters and outer blanks, cut to `longest` characters."""
    return _CONTROL.sub("", text).strip()[:longest].rstrip()
