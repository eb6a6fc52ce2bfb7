"""Advice as settings describe it.

It does: build it. It does not: start anything; its thread begins with the first piece of work.
"""

from dataclasses import dataclass

from api.advice.advising import Adviser
from api.advice.contacts import Contacts, load_contacts
from api.advice.exploring import Explorer
from api.advice.working import Worker
from api.settings import Settings


@dataclass(frozen=True, slots=True)
class Advice:
    """Everything that the routes work with."""

    explorer: Explorer
    adviser: Adviser
    worker: Worker
    webhook: bool
    contacts: Contacts


def advice_service(settings: Settings) -> Advice:
    """The advice of these settings; raises api.advice.contacts.ContactsRefused."""
    worker = Worker()
    contacts = load_contacts(settings.contacts, development=settings.development)
    return Advice(Explorer(worker), Adviser(worker, contacts), worker, settings.notices.hook is not None, contacts)
