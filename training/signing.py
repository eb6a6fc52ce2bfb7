"""Private keys of the people who sign releases, and what they sign with them.

It does: make an Ed25519 key in a file of its owner alone, under a passphrase where one is given, and sign an envelope.
It does not: keep keys anywhere else, or say whom to believe (the trust root does). The rule it keeps: a private key is
written once, mode 0600, and never shown; a file that others can read is refused.
"""

import base64
import os
import stat
import tomllib
from pathlib import Path
from typing import Final

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    KeySerializationEncryption,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)

from engine.release import Validation
from models.signing import Envelope, Signature, key_id_of, pae

_OTHERS: Final = stat.S_IRWXG | stat.S_IRWXO
_MOST_BYTES: Final = 64 * 1024


def new_key(path: Path, passphrase: str = "") -> str:
    """Write a new private key (PKCS 8, PEM) and return its public half in base64; FileExistsError where one lies."""
    key = Ed25519PrivateKey.generate()
    lock: KeySerializationEncryption = BestAvailableEncryption(passphrase.encode()) if passphrase else NoEncryption()
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "wb") as file:
        file.write(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, lock))
        file.flush()
        os.fsync(file.fileno())
    return base64.b64encode(key.public_key().public_bytes_raw()).decode()


def read_key(path: Path, passphrase: str = "") -> Ed25519PrivateKey:
    """The private key in a file; ValueError where others can read it, or the passphrase or its kind is wrong."""
    with path.open("rb") as file:
        if os.fstat(file.fileno()).st_mode & _OTHERS:
            raise ValueError(f"{path} can be read by others: chmod 600 it, and think of making a new key")
        data = file.read(_MOST_BYTES)
    try:
        key = load_pem_private_key(data, passphrase.encode() or None)
    except TypeError as error:
        raise ValueError("the key is under a passphrase" if not passphrase else "the key has no passphrase") from error
    except ValueError as error:
        raise ValueError(f"{path}: the passphrase is wrong, or it is no private key") from error
    if not isinstance(key, Ed25519PrivateKey):
        raise ValueError(f"{path} is not an Ed25519 key")
    return key


def sign(key: Ed25519PrivateKey, envelope: Envelope, payload_type: str) -> Signature:
    """This key's signature over an envelope's payload, which must be of the type that the signer means."""
    message = pae(payload_type, envelope.content(payload_type))
    return Signature(
        keyid=key_id_of(key.public_key().public_bytes_raw()), sig=base64.b64encode(key.sign(message)).decode()
    )


def read_validation(path: Path, model_sha256: str) -> Validation:
    """An independent validation record (TOML), of this model; ValueError names what is wrong."""
    with path.open("rb") as file:
        told = tomllib.load(file)
    for day in ("validated_on", "review_on"):
        told[day] = str(told.get(day, ""))  # TOML has dates of its own
    record = Validation.model_validate(told)
    if record.model_sha256 != model_sha256:
        raise ValueError(f"{path} validates another model: this one's model.txt has sha256 {model_sha256}")
    return record
