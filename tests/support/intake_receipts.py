"""Play intake for the lottery's pages: it names the application of a receipt number."""

from collections.abc import Iterable
from typing import Final

from playwright.sync_api import Page, Route

from tests.support.applicants import Applicant

INTAKE: Final = "http://intake.localhost:1"
"""Origin of the played intake; nothing listens there."""


def play_intake(page: Page, people: Iterable[Applicant]) -> list[str]:
    """Answer look-ups by receipt number, as intake does; return the addresses that the page asks for."""
    known = {applicant.receipt: applicant for applicant in people}
    asked: list[str] = []

    def answer(route: Route) -> None:
        asked.append(route.request.url)
        found = known.get(route.request.url.rpartition("/")[2])  # type: ignore[call-overload]
        headers = {"Access-Control-Allow-Origin": route.request.headers.get("origin", "")}
        if found is None:
            route.fulfill(status=404, json={"type": "urn:kuji:problem:receipt-unknown"}, headers=headers)
            return
        body = {"v": 2, "receipt": found.receipt, "application_id": found.application_id, "status": "drawn"}
        route.fulfill(json=body | {"reasons": [], "next_version": 2}, headers=headers)

    page.route(f"{INTAKE}/**", answer)
    return asked
