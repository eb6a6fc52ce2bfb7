"""A request of any face: where it comes from, and what of the application it reaches."""

from typing import Any

from litestar import Request

from api.advice.setup import Advice
from api.cases.desk import Desk
from api.flow import Shell
from api.settings import Settings

AnyRequest = Request[Any, Any, Any]


def address_of(request: AnyRequest) -> str:
    """Where a request comes from: the address of the connection, since anybody can write a header."""
    return request.client.host if request.client else ""


def settings_of(request: AnyRequest) -> Settings:
    """How the lender set this application up."""
    settings: Settings = request.app.state.settings
    return settings


def shell_of(request: AnyRequest) -> Shell:
    """The shell that decides."""
    shell: Shell = request.app.state.shell
    return shell


def desk_of(request: AnyRequest) -> Desk:
    """What the case service works with."""
    desk: Desk = request.app.state.desk
    return desk


def advice_of(request: AnyRequest) -> Advice:
    """What answers questions about a decision."""
    advice: Advice = request.app.state.advice
    return advice
