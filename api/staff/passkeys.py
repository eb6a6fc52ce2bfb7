"""The two ceremonies of passkeys: registering one, and showing one as the second factor.

It does: make the options that a browser hands to its authenticator, and verify what comes back. It does not: keep
challenges or credentials. The rules it keeps: user verification (a PIN, a finger, a face) is required; a challenge is
of one session and five minutes; whatever the library cannot read is a refusal, never an error.
"""

import secrets
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from api.store.moment import microseconds
from api.store.queries import Passkey

if TYPE_CHECKING:
    from webauthn.helpers.structs import PublicKeyCredentialDescriptor

MOST_PASSKEYS = 10  # of one member
MOST_NAME = 60
CHALLENGE_LASTS = timedelta(minutes=5)
_TIMEOUT_MS = 300_000
_CHALLENGE_BYTES = 64


@dataclass(frozen=True, slots=True)
class Party:
    """Us, as a browser knows us: the origins that pages come from, the first one's host names the party."""

    origins: tuple[str, ...]

    @property
    def id(self) -> str:
        """A host's name; browsers refuse addresses, so that on a laptop passkeys work under localhost alone."""
        host = urlsplit(self.origins[0]).hostname or ""
        return "localhost" if host == "127.0.0.1" else host


def new_challenge(now: datetime) -> str:
    """A challenge as a session keeps it: when it ends, and 512 random bits."""
    return f"{microseconds(now + CHALLENGE_LASTS)}.{_text_of(secrets.token_bytes(_CHALLENGE_BYTES))}"


def _bytes_of(challenge: str) -> bytes:
    return _read(challenge.partition(".")[2])


def _text_of(data: bytes) -> str:
    return urlsafe_b64encode(data).rstrip(b"=").decode()


def _read(text: str) -> bytes:
    return urlsafe_b64decode(text + "=" * (-len(text) % 4))


def challenge_holds(challenge: str, now: datetime) -> bool:
    """Whether a kept challenge is still to be answered."""
    return microseconds(now) < int(challenge.partition(".")[0])


def registration_options(
    party: Party, staff_id: str, login: str, name: str, held: Sequence[Passkey], challenge: str
) -> str:
    """What `navigator.credentials.create` is asked, as JSON."""
    from webauthn import generate_registration_options, options_to_json
    from webauthn.helpers.structs import (
        AuthenticatorSelectionCriteria,
        ResidentKeyRequirement,
        UserVerificationRequirement,
    )

    return options_to_json(
        generate_registration_options(
            rp_id=party.id,
            rp_name="creditline",
            user_id=staff_id.encode(),
            user_name=login,
            user_display_name=name,
            challenge=_bytes_of(challenge),
            timeout=_TIMEOUT_MS,
            authenticator_selection=AuthenticatorSelectionCriteria(
                resident_key=ResidentKeyRequirement.PREFERRED, user_verification=UserVerificationRequirement.REQUIRED
            ),
            exclude_credentials=_descriptors(held),
        )
    )


def registered(
    party: Party, challenge: str, credential: str, staff_id: str, name: str, now: datetime
) -> Passkey | None:
    """The credential that a browser made; none where it is not an answer to this challenge of ours."""
    from webauthn import verify_registration_response

    try:
        made = verify_registration_response(
            credential=credential,
            expected_challenge=_bytes_of(challenge),
            expected_rp_id=party.id,
            expected_origin=list(party.origins),
            require_user_verification=True,
        )
    except Exception:  # the library raises many kinds for bytes that a stranger wrote
        return None
    key_id = _text_of(made.credential_id)
    return Passkey(key_id, staff_id, made.credential_public_key, made.sign_count, name, now)


def authentication_options(party: Party, held: Sequence[Passkey], challenge: str) -> str:
    """What `navigator.credentials.get` is asked, as JSON."""
    from webauthn import generate_authentication_options, options_to_json
    from webauthn.helpers.structs import UserVerificationRequirement

    return options_to_json(
        generate_authentication_options(
            rp_id=party.id,
            challenge=_bytes_of(challenge),
            timeout=_TIMEOUT_MS,
            allow_credentials=_descriptors(held),
            user_verification=UserVerificationRequirement.REQUIRED,
        )
    )


def shown_count(party: Party, challenge: str, credential: str, held: Passkey) -> int | None:
    """The counter that an authenticator showed with this passkey; none where it did not answer this challenge."""
    from webauthn import verify_authentication_response

    try:
        shown = verify_authentication_response(
            credential=credential,
            expected_challenge=_bytes_of(challenge),
            expected_rp_id=party.id,
            expected_origin=list(party.origins),
            credential_public_key=held.public_key,
            credential_current_sign_count=held.sign_count,
            require_user_verification=True,
        )
    except Exception:  # the same
        return None
    return shown.new_sign_count if _text_of(shown.credential_id) == held.id else None


def _descriptors(held: Sequence[Passkey]) -> "list[PublicKeyCredentialDescriptor]":
    from webauthn.helpers.structs import PublicKeyCredentialDescriptor

    return [PublicKeyCredentialDescriptor(id=_read(each.id)) for each in held]
