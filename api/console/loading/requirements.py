"""What a case wants, as its page shows it."""

from collections.abc import Iterable, Mapping

from api.cases.wanted import Wanted
from api.console.views import RequirementState, RequirementView
from api.store import queries as store
from engine.verification.documents import KINDS

_SENT_AWAY = frozenset({"returned", "rejected"})


def requirement_view(
    wanted: Wanted, documents: Iterable[store.DocumentRow], names: Mapping[str, str]
) -> RequirementView:
    """One wanted document and how it stands; `names` are people's by reference."""
    state, title = requirement_state(wanted, documents), KINDS[wanted.kind].title
    return RequirementView(
        id=wanted.id,
        title=title if wanted.count == 1 else f"{title} ({wanted.count})",
        state=state,
        why=wanted.why or wanted.adds,
        person=names.get(wanted.person_ref) if wanted.person_ref else None,
        document_id=wanted.documents[-1] if wanted.documents else None,
        required=wanted.required,
        waivable=wanted.required and state in {"missing", "returned"},
        words=wanted.waived_because,
    )


def requirement_state(wanted: Wanted, documents: Iterable[store.DocumentRow]) -> RequirementState:
    """How one wanted document stands, whoever asks."""
    if wanted.waived:
        return "waived"
    if wanted.settled:
        return "accepted"
    if wanted.met:
        return "received"
    answers = (each.state for each in documents if each.id in wanted.documents)
    return "returned" if any(state in _SENT_AWAY for state in answers) else "missing"
