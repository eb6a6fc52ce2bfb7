#!/usr/bin/env python3
"""Verify the receipt of a credit decision without anything of the program that wrote it, and without the lender.

    python3 standalone.py RECEIPT PUBLIC_KEY [PUBLIC_KEY ...]

It needs Python 3.11 and nothing else. Take the public key, 64 hexadecimal digits, from where the lender publishes it.
Exit code 0: the receipt is as the lender signed it. 2: it is not. 1: it could not be looked at.
It proves what the lender told, and on what; not that the decision was right.
"""

import hashlib
import json
import re
import sys
from pathlib import Path
from typing import Any

MOST_BYTES = 65_536
FILE = re.compile(rb'\{"receipt":(\{.*\}),"signature":"([0-9a-f]{128})"\}', re.DOTALL)
KEY_ID = re.compile(rb'"key":"([0-9a-f]{16})"')
P, ORDER = 2**255 - 19, 2**252 + 27742317777372353535851937790883648493  # RFC 8032: the field, the group
D, ROOT = -121665 * pow(121666, -1, P) % P, pow(2, (P - 1) // 4, P)
Point = tuple[int, int, int, int]  # x and y over a common denominator z, and xy over z


class Refused(Exception):
    """Why a file is no receipt of this lender, in words."""


def point(data: bytes) -> Point | None:
    """The point that 32 bytes stand for."""
    sign, y = divmod(int.from_bytes(data, "little"), 2**255)
    square = (y * y - 1) * pow(D * y * y + 1, -1, P) % P
    x = pow(square, (P + 3) // 8, P)
    x = x if x * x % P == square else x * ROOT % P
    if y >= P or x * x % P != square or (x == 0 and sign):
        return None
    x = x if x % 2 == sign else P - x
    return x, y, 1, x * y % P


def add(one: Point, other: Point) -> Point:
    """The sum of two points."""
    a, b = (one[1] - one[0]) * (other[1] - other[0]), (one[1] + one[0]) * (other[1] + other[0])
    c, d = 2 * D * one[3] * other[3], 2 * one[2] * other[2]
    e, f, g, h = b - a, d - c, d + c, b + a
    return e * f % P, g * h % P, f * g % P, e * h % P


def is_signed(public: bytes, body: bytes, signature: bytes) -> bool:
    """Whether an Ed25519 signature of these bytes is by the holder of this key."""
    base, key = point((4 * pow(5, -1, P) % P).to_bytes(32, "little")), point(public)
    s = int.from_bytes(signature[32:], "little")
    if base is None or key is None or s >= ORDER:
        return False
    k = int.from_bytes(hashlib.sha512(signature[:32] + public + body).digest(), "little") % ORDER
    minus, total = (P - key[0], key[1], 1, P - key[3]), (0, 1, 1, 0)
    for bit in range(255, -1, -1):
        total = add(total, total)
        total = add(total, base) if s >> bit & 1 else total
        total = add(total, minus) if k >> bit & 1 else total
    x, y = (each * pow(total[2], -1, P) % P for each in total[:2])
    return (y + (x % 2 << 255)).to_bytes(32, "little") == signature[:32]


def verify(data: bytes, keys: list[bytes], check: Any = is_signed) -> dict[str, Any]:
    """What a receipt says that one of these public keys signed; Refused says why it is none."""
    found = FILE.fullmatch(data.rstrip(b"\r\n")) if len(data) <= MOST_BYTES else None
    if found is None:
        raise Refused("the file is not written as a receipt is")
    body, named = found[1], {hashlib.sha256(key).hexdigest()[:16]: key for key in keys}
    said = KEY_ID.search(body)
    if said is None or said[1].decode() not in named:
        raise Refused("it names a key that is not the lender's")
    if not check(named[said[1].decode()], body, bytes.fromhex(found[2].decode())):
        raise Refused("the signature does not fit: the receipt was altered, or another key signed it")
    told: dict[str, Any] = json.loads(body)
    if json.dumps(told, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode() != body:
        raise Refused("it is signed, but a name stands twice or out of order")
    if (told.get("kind"), told.get("v")) != ("creditline decision receipt", 1):
        raise Refused("it is signed, but is no receipt of a decision")
    return told


def main(file: str = "", *keys: str) -> int:
    """Verify as the command line asks, and say what was found."""
    try:
        told = verify(Path(file).read_bytes(), [bytes.fromhex(key) for key in keys])
        words, code = f"VALID: {told['outcome']}, decision {told['decision_id']}, made at {told['decided_at']}", 0
    except Refused as why:
        words, code = f"INVALID: {why}", 2
    except (OSError, ValueError):
        words, code = "give a file that can be read, and public keys in hexadecimal digits", 1
    print(words)
    return code


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
