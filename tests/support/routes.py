"""The routes of the application as tests of authority ask for them: each method of each path, with its one rule.

It does: list them from the application that is served, so that a new route is in every such test at once. It does not:
know what is allowed.
"""

from dataclasses import dataclass
from typing import Any

from litestar import Litestar
from litestar.handlers import HTTPRouteHandler
from litestar.routes import HTTPRoute

from api.staff.authority import RULES


@dataclass(frozen=True)
class Route:
    """One method of one path, with its rule and what the rule says."""

    method: str
    path: str
    rule: str
    value: Any

    @property
    def name(self) -> str:
        """How a person says it."""
        return f"{self.method} {self.path}"

    @property
    def last(self) -> str:
        """The last word of the path."""
        return self.path.rpartition("/")[2]


def routes_of(app: Litestar) -> list[Route]:
    """Every route that is served, by name, but for the framework's own answers to OPTIONS."""
    found = []
    for route in app.routes:
        assert isinstance(route, HTTPRoute), "say here how another kind of route is asked"
        for handler in route.route_handlers:
            if not handler.fn.__module__.startswith("litestar."):
                found += [_route(handler, method, route.path_format) for method in handler.http_methods]
    return sorted(found, key=lambda each: each.name)


def _route(handler: HTTPRouteHandler, method: str, path: str) -> Route:
    rule = next(name for name in RULES if name in handler.opt)
    return Route(str(method), path, rule, handler.opt[rule])
