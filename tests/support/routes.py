"""All routes of an app, also those of the routers that it includes."""

from collections.abc import Iterator

from fastapi import FastAPI
from fastapi.routing import iter_route_contexts


def routes_of(app: FastAPI) -> Iterator[tuple[str, str]]:
    """Yield method and path of each route, e.g. `("GET", "/v1/campaigns/{campaign}/draw")`."""
    for context in iter_route_contexts(app.routes):
        for method in sorted(context.methods or ()):
            yield method, str(context.path_format)
