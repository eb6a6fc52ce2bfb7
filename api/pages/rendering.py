"""The template environment of a face, strict, with the filters that every page shares.

It does: escape every value, show moments in the lender's zone, make invisible characters visible, and fail on a name
that a page was not given. The rule it keeps: no template marks a text as safe, and no page holds an inline script or
style (api.pages.replies has them refused).
"""

from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from api.pages import wording
from api.pages.assets import Assets
from api.zone import SYDNEY


def environment(templates: Path, assets: Assets, nothing: str = "") -> Environment:
    """Over a folder of templates; `asset` in them is the address of one of `assets`, None is shown as `nothing`."""

    def final(value: Any) -> Any:
        # Exactly str: a macro's result is markup, and its values went through here already.
        if type(value) is str:
            return wording.visible(value)
        return nothing if value is None else value

    made = Environment(
        loader=FileSystemLoader(templates),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=final,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )
    made.globals.update(asset=assets.address)
    made.filters.update(
        abn=wording.abn, day=wording.day, duration=wording.duration, machine_time=wording.machine_time,
        money=wording.money, percent=wording.percent, size=wording.size,
        dated=lambda moment: wording.dated(moment, SYDNEY), local=lambda moment: wording.local(moment, SYDNEY),
        soon=lambda moment: wording.soon(moment, SYDNEY),
    )  # fmt: skip
    return made
