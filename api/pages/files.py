"""Forms that carry files, as browsers send them: fields, and whole files in memory.

It does: read a multipart body within a time, and hand over each field and file. It does not: write anything to disk,
where what a person sends would lie unsealed. The rules: a field is given once; nothing is believed of a file's name or
type; the route bounds the bytes.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from multipart import MultipartError, MultipartSegment, PushMultipartParser, parse_options_header

from api.bodies import pieces
from api.errors import Problem
from api.requests import AnyRequest

SECONDS: Final = 120.0  # for 10 MB over a bad line
MOST_PARTS: Final = 50
MOST_FIELD_BYTES: Final = 4_000


@dataclass(frozen=True, slots=True)
class File:
    """One file that was chosen; a box in which none was chosen sends none."""

    box: str
    name: str
    media_type: str
    content: bytes = field(repr=False)


async def read_files(request: AnyRequest) -> tuple[Mapping[str, str], tuple[File, ...]]:
    """The fields and files of a form. Problem `malformed-request` for what is none, `payload-too-large`."""
    kind, options = parse_options_header(request.headers.get("content-type", ""))
    if kind != "multipart/form-data" or not options.get("boundary"):
        raise Problem("malformed-request")
    fields: dict[str, str] = {}
    files: list[File] = []
    segment: MultipartSegment | None = None
    content = bytearray()
    try:
        with PushMultipartParser(options["boundary"].encode(), max_segment_count=MOST_PARTS) as parser:
            async for piece in pieces(request, SECONDS):
                for part in parser.parse(piece):
                    if isinstance(part, MultipartSegment):
                        segment, content = part, bytearray()
                    elif part:
                        content += part
                        if segment is not None and segment.filename is None and len(content) > MOST_FIELD_BYTES:
                            raise Problem("payload-too-large")
                    elif segment is not None:
                        _keep(segment, bytes(content), fields, files)
                        segment = None
    except (MultipartError, UnicodeError):
        raise Problem("malformed-request") from None
    return fields, tuple(files)


def _keep(segment: MultipartSegment, content: bytes, fields: dict[str, str], files: list[File]) -> None:
    if segment.filename is None:
        if segment.name in fields:
            raise Problem("malformed-request")
        fields[segment.name] = content.decode()
    elif segment.filename or content:
        files.append(File(segment.name, segment.filename, segment.content_type or "", content))
