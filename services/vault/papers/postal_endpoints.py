"""Answer the keying page with the towns of a postal code. Public geography, for handlers only: no look-up is logged."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Path

from shared.postal_codes import PostalCodes
from shared.staff_roles import Right
from shared.web.sign_in.staff import Access

Digits = Annotated[str, Path(pattern=r"^[0-9]{7}$")]


def postal_router(codes: PostalCodes, access: Access) -> APIRouter:
    """Route GET /v1/postal-codes/{code}."""
    router = APIRouter(prefix="/v1/postal-codes", tags=["staff"])

    @router.get("/{code}", dependencies=[Depends(access.guard(Right.KEY_PAPERS))])
    def towns(code: Digits) -> dict[str, Any]:
        """Return the towns in Japan Post's order; none where the code does not exist."""
        found = codes.find(code).towns
        return {
            "towns": [
                {"prefecture": town.prefecture, "municipality": town.municipality, "town": town.town} for town in found
            ]
        }

    return router
