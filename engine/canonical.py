"""One byte form for every value that is hashed, stored or compared.

It does: sorted keys, no spaces, UTF-8, whole floats as integers, no NaN. It does not: parse untrusted input
(the shell does). The rule it keeps: records hold integers, strings, booleans, null and floats rounded to at most
four decimals, so that these bytes are also the RFC 8785 form (a test compares them with a reference library).
"""

import hashlib
from math import isfinite

import msgspec
from pydantic_core import to_json

_EXACT = 2**53  # above it not every whole number is a float, and RFC 8785 writes other digits
_SHORT = 8
_PLAIN = frozenset({int, str, bool, type(None), msgspec.Raw})  # what has one form already
_ENCODER = msgspec.json.Encoder(enc_hook=lambda value: msgspec.Raw(to_json(value)), order="sorted")


def canonical_bytes(value: object) -> bytes:
    """Serialise a JSON-like value to its only byte form; raises ValueError on NaN or infinity.

    A `msgspec.Raw` inside it stands for bytes that have this form already.
    """
    return _ENCODER.encode(_whole(value))


def _whole(value: object) -> object:
    """The same value with 12.0 as 12, and -0.0 as 0: JSON's numbers have one form and Python's two."""
    if isinstance(value, float):
        if -_EXACT < value < _EXACT:
            return int(value) if value.is_integer() else value
        if not isfinite(value):
            raise ValueError("a record holds no NaN and no infinity")
        return msgspec.Raw(to_json(value))  # the two libraries write large floats in two ways
    if isinstance(value, list | tuple):
        # A block's columns are long and hold integers alone; to look through a pair first costs more than to copy it.
        if len(value) > _SHORT and _PLAIN.issuperset(map(type, value)):
            return value
        return [inner if type(inner) in _PLAIN else _whole(inner) for inner in value]
    if isinstance(value, dict):
        if _PLAIN.issuperset(map(type, value.values())):
            return value
        return {key: inner if type(inner) in _PLAIN else _whole(inner) for key, inner in value.items()}
    return value


def digest(value: object) -> str:
    """SHA-256 in hex of bytes, or of the canonical form of anything else."""
    data = value if isinstance(value, bytes) else canonical_bytes(value)
    return hashlib.sha256(data).hexdigest()
