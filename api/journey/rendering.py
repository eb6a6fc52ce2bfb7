"""The applicant's pages as bytes, and the files they load. It does not: send anything."""

from pathlib import Path
from typing import Any

from api.pages.assets import Assets
from api.pages.rendering import environment

PLACE = "/static"
ASSETS = Assets(Path(__file__).parent / "static", PLACE)


def render(name: str, **context: Any) -> bytes:
    """A template of `templates/` as UTF-8.

    Every page needs `csrf` (empty without a visit), `lender` and `demo`; UndefinedError names what lacks.
    """
    return _ENVIRONMENT.get_template(f"{name}.html").render(context).encode()


_ENVIRONMENT = environment(Path(__file__).parent / "templates", ASSETS)
