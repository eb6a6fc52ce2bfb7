"""One-time codes by the clock (TOTP) and recovery codes.

It does: make seeds and codes, say which step a code belongs to, draw the picture that an authenticator app reads. It
does not: keep anything; whether a step or a recovery code was used already is the store's to know. The rules it keeps:
a code counts one step early or late, 30 seconds each; a seed leaves here sealed, but for the picture of its owner.
"""

import base64
import hashlib
import io
import re
import secrets
from datetime import datetime

import pyotp
import segno
from pyotp.exceptions import OTPVerificationError

from api.sealing import Sealer

ISSUER = "creditline"
STEP_SECONDS = 30
RECOVERY_CODES = 10
_RECOVERY_BYTES, _GROUP = 15, 6  # 120 bits: a plain digest of them is enough
_NOT_DIGIT = re.compile(r"[\s-]+")
_CODE = re.compile(r"[0-9]{6}")


def new_seed() -> str:
    """A seed of 160 random bits, base32."""
    return pyotp.random_base32(32)


def seal_seed(sealer: Sealer, staff_id: str, seed: str, *, pending: bool = False) -> bytes:
    """A seed as it is kept, bound to its column and row."""
    return sealer.seal(seed.encode(), _place(staff_id, pending))


def open_seed(sealer: Sealer, staff_id: str, sealed: bytes, *, pending: bool = False) -> str:
    """The seed again; raises api.sealing.CannotOpen."""
    return sealer.open(sealed, _place(staff_id, pending)).decode()


def _place(staff_id: str, pending: bool) -> str:
    return f"staff/{'totp_pending' if pending else 'totp_sealed'}/{staff_id}"


def step_of(seed: str, code: str, now: datetime) -> int | None:
    """The step that a code belongs to, at most one away from now; none for a wrong code."""
    digits = _NOT_DIGIT.sub("", code)
    if not _CODE.fullmatch(digits):
        return None
    try:
        return pyotp.TOTP(seed).verify_and_get_timecode(digits, for_time=now, valid_window=1)
    except OTPVerificationError:
        return None


def code_at(seed: str, now: datetime) -> str:
    """The code of this moment."""
    return pyotp.TOTP(seed).at(now)


def picture(seed: str, login: str) -> bytes:
    """An SVG with the address that an authenticator app reads, without any style or script in it."""
    address = pyotp.TOTP(seed).provisioning_uri(name=login, issuer_name=ISSUER)
    drawn = io.BytesIO()
    segno.make(address, error="m", micro=False).save(
        drawn, kind="svg", scale=6, border=4, dark="#000000", light="#ffffff", xmldecl=False, svgns=True, nl=False
    )
    return drawn.getvalue()


def new_recovery_codes() -> tuple[str, ...]:
    """Ten codes, to be shown once."""
    return tuple(_recovery_code() for _ in range(RECOVERY_CODES))


def _recovery_code() -> str:
    letters = base64.b32encode(secrets.token_bytes(_RECOVERY_BYTES)).decode().lower()
    return "-".join(letters[start : start + _GROUP] for start in range(0, len(letters), _GROUP))


def recovery_sha256(code: str) -> str:
    """What is kept of a recovery code; hyphens, spaces and case do not matter."""
    return hashlib.sha256(_NOT_DIGIT.sub("", code).lower().encode()).hexdigest()
