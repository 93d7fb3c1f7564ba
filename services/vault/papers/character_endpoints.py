"""Answer the keying page with other forms of a character, for those that a keyboard cannot type. Nothing is logged."""

from collections import defaultdict
from collections.abc import Callable
from typing import Annotated, Any, Final

from fastapi import APIRouter, Depends, Query

from services.vault.applications.rules.variants import FOLDED
from shared.staff_roles import Right
from shared.web.sign_in.staff import Access

Prints = Callable[[str], bool]
"""Returns True if the fonts of cards have the character."""

Character = Annotated[str, Query(min_length=1, max_length=1)]

_MOST: Final = 40


def families() -> dict[str, list[str]]:
    """Return representative → its other forms, in the order of their code points."""
    found: dict[str, list[str]] = defaultdict(list)
    for point, representative in sorted(FOLDED.items()):
        if chr(point) != representative:
            found[representative].append(chr(point))
    return found


def characters_router(prints: Prints, access: Access) -> APIRouter:
    """Route GET /v1/characters?like=高."""
    router, known = APIRouter(prefix="/v1/characters", tags=["staff"]), families()

    @router.get("", dependencies=[Depends(access.guard(Right.KEY_PAPERS))])
    def like(like: Character) -> dict[str, Any]:
        """Return the character and its other forms, as far as a card can show them."""
        representative = like.translate(FOLDED)
        family = dict.fromkeys((representative, *known.get(representative, ()), like))
        return {"characters": [one for one in family if prints(one)][:_MOST]}

    return router
