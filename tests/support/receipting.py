"""What tests of receipts share: a key that is everybody's, a decision by the service in hand, and its receipt."""

from collections.abc import Mapping
from typing import Any

from api.receipts.making import receipt_of
from api.receipts.signing import Signer
from tests.support.service import Service, body_of

SIGNER = Signer(b"r" * 32)


def decided(service: Service, told: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """The reply to an application of a story."""
    reply = service.apply(body_of(told))
    assert reply.status_code == 201, reply.text
    answer: dict[str, Any] = reply.json()
    return answer


def receipt(service: Service, decision_id: str, signer: Signer = SIGNER) -> bytes:
    """The receipt of a decision that the service made."""
    with service.database.transaction(read_only=True) as connection:
        made = receipt_of(connection, decision_id, signer)
    assert made is not None
    return made
