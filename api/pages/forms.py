"""Forms as browsers send them: whether a page of ours sent it, and its fields.

The rule: origin is looked at before the body; a field is given once; a form is small.
"""

from collections.abc import Collection, Mapping
from urllib.parse import parse_qsl

from api.bodies import whole_body
from api.errors import Problem
from api.requests import AnyRequest

MOST_BYTES = 64_000
MOST_FIELDS = 200
MEDIA_TYPE = "application/x-www-form-urlencoded"
CSRF_FIELD, CSRF_HEADER = "csrf", "x-csrf-token"  # where a page puts its token, and its script


def is_form(request: AnyRequest) -> bool:
    """Whether the body says that it is a form."""
    return request.headers.get("content-type", "").partition(";")[0].strip().lower() == MEDIA_TYPE


def is_from(request: AnyRequest, origins: Collection[str]) -> bool:
    """Whether a page of ours sent this: every browser says where a POST comes from, and what does not say is refused.

    A page without a referrer has the origin `null`; it is believed where the browser calls it same-origin.
    """
    site, origin = request.headers.get("sec-fetch-site"), request.headers.get("origin")
    if site is None:
        return origin in origins
    return site == "same-origin" and (origin in {None, "null"} or origin in origins)


async def read_form(request: AnyRequest) -> Mapping[str, str]:
    """The fields of a form, each given once; {} for a body of another kind.

    Problem `payload-too-large` above 64 kB or without a length, `malformed-request` for what is no form in UTF-8.
    """
    if not is_form(request):
        return {}
    length = request.headers.get("content-length", "")
    if not (length.isascii() and length.isdigit()) or int(length[:9]) > MOST_BYTES:
        raise Problem("payload-too-large")
    try:
        pairs = parse_qsl(
            (await whole_body(request)).decode("ascii"), keep_blank_values=True, errors="strict",
            max_num_fields=MOST_FIELDS,
        )  # fmt: skip
    except ValueError:
        raise Problem("malformed-request") from None
    form = {name: value.replace("\r\n", "\n") for name, value in pairs}  # a browser sends every end of a line as two
    if len(form) != len(pairs):
        raise Problem("malformed-request")
    return form
