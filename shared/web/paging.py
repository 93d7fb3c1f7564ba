"""Query parameters of a route that gives a long list page by page."""

from typing import Annotated, Final

from fastapi import Depends, Query

from shared.paging import LARGEST_PAGE, PageRequest

_LONGEST_ID: Final = 200


def _page_request(
    after: Annotated[str, Query(max_length=_LONGEST_ID, description="`next` of the page before")] = "",
    limit: Annotated[int, Query(ge=1, le=LARGEST_PAGE, description="most rows of the answer")] = LARGEST_PAGE,
) -> PageRequest:
    return PageRequest(after, limit)


Paging = Annotated[PageRequest, Depends(_page_request)]
"""Parameter of such a route: the query's `after` and `limit`."""
