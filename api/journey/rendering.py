"""The applicant's pages as bytes: one template environment, strict, with everything that pages share.

It does: escape every value, make invisible characters visible, and fail on a name that a page was not given. It does
not: send anything. The rule it keeps: no template marks a text as safe, and no page holds an inline script or style.
"""

from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from api.console import wording
from api.pages.assets import Assets

PLACE = "/static"
ASSETS = Assets(Path(__file__).parent / "static", PLACE)
ZONE = ZoneInfo("Australia/Sydney")


def render(name: str, **context: Any) -> bytes:
    """A template of `templates/` as UTF-8.

    Every page needs `csrf` (empty without a visit), `lender` and `demo`; UndefinedError names what lacks.
    """
    return _ENVIRONMENT.get_template(f"{name}.html").render(context).encode()


def _final(value: Any) -> Any:
    # Exactly str: a macro's result is markup, and its values went through here already.
    if type(value) is str:
        return wording.visible(value)
    return "" if value is None else value


def _environment() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=_final,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )
    environment.globals.update(asset=ASSETS.address)
    environment.filters.update(
        abn=wording.abn, day=wording.day, duration=wording.duration, machine_time=wording.machine_time,
        money=wording.money, percent=wording.percent, size=wording.size,
        dated=lambda moment: wording.dated(moment, ZONE), local=lambda moment: wording.local(moment, ZONE),
    )  # fmt: skip
    return environment


_ENVIRONMENT = _environment()
