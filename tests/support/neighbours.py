"""Many businesses that are alike but for their numbers: each with its own ABN, people and bank account.

It does: make request bodies, and sources that say of every business the ordinary story under its own numbers. It
does not: know guards. The rule it keeps: two businesses here share nothing that the test did not make them share.
"""

from collections.abc import Mapping
from copy import deepcopy
from functools import cache
from typing import Any

from stdnum.au import abn as stdnum_abn
from stdnum.au import acn as stdnum_acn

from api.sources import Asking, Gathered
from engine.facts import BankData, Fact, Facts
from tests.support.businesses import facts_of, story
from tests.support.service import body_of

FIRST = 910_000


@cache
def numbers_of(number: int) -> tuple[str, str]:
    """The ABN and ACN of a made-up company: bodies of 900 000 000 and above were never issued."""
    body = f"{900_000_000 // 10 + FIRST + number:08}"
    acn = body + stdnum_acn.calc_check_digit(body)
    return stdnum_abn.calc_check_digits(acn) + acn, acn


def person_of(number: int, **changes: Any) -> dict[str, Any]:
    """The owner of a business, who has nothing in common with another's."""
    return {
        **body_of()["people"][0],
        "family_name": f"Person{number}",
        "mobile": f"04{10_000_000 + number}",
        "email": f"owner@business-{number}.example",
        **changes,
    }


def body_for(number: int, told: Mapping[str, Any] | None = None, **person: Any) -> dict[str, Any]:
    """The request body of a business, some of the story and of its owner changed."""
    abn, acn = numbers_of(number)
    told = deepcopy(dict(told or {}))
    application = told.setdefault("application", {})
    application["business"] = {"abn": abn, "acn": acn, **application.get("business", {})}
    return body_of(told, person_of(number, **person))


class NeighbourSources:
    """Says of every business what one story says, under the business's own numbers and bank account.

    `accounts` names the account of an ABN where a test wants another than its own.
    """

    synthetic = True
    remote = False

    def __init__(self, told: Mapping[str, Any] | None = None) -> None:
        self.told = dict(told or {})
        self.accounts: dict[str, str] = {}

    async def gather(self, asking: Asking) -> Gathered:
        """The story's facts, fetched at this moment."""
        business = asking.application.business
        facts = self._facts(business.abn, business.acn)
        value = facts.bank.value
        if value is not None:
            account = self.accounts.get(business.abn, f"account-of-{business.abn}")
            renamed = tuple(each.model_copy(update={"account_id": account}) for each in value.accounts)
            value = value.model_copy(update={"accounts": renamed})
        told = {name: getattr(facts, name) for name in ("registry", "compliance", "marketplace", "bureau")}
        now = {name: fact.model_copy(update={"fetched_at": asking.as_of}) for name, fact in told.items()}
        bank: Fact[BankData] = facts.bank.model_copy(update={"value": value, "fetched_at": asking.as_of})
        return Gathered(bank=bank, **now)

    def _facts(self, abn: str, acn: str | None) -> Facts:
        registry = {"abn": abn, "acn": acn}
        return facts_of(story({**self.told, "registry": {**registry, **self.told.get("registry", {})}}))
