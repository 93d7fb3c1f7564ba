"""Answer the keying page with characters that a keyboard cannot type: forms of another one, by reading or by parts.

Nothing is logged.
"""

from collections import defaultdict
from typing import Annotated, Any, Final

from fastapi import APIRouter, Depends, Query

from services.vault.applications.rules.variants import FOLDED
from services.vault.papers.character_parts import CharacterParts
from services.vault.papers.character_readings import CharacterReadings, Prints, to_reading
from shared.staff_roles import Right
from shared.web.sign_in.staff import Access

Character = Annotated[str, Query(min_length=1, max_length=10)]

_MOST: Final = 40


def families() -> dict[str, list[str]]:
    """Return representative → its other forms, in the order of their code points."""
    found: dict[str, list[str]] = defaultdict(list)
    for point, representative in sorted(FOLDED.items()):
        if chr(point) != representative:
            found[representative].append(chr(point))
    return found


def characters_router(prints: Prints, access: Access) -> APIRouter:
    """Route GET /v1/characters?like=高, ?like=たか and ?like=木目."""
    router, known = APIRouter(prefix="/v1/characters", tags=["staff"]), families()
    readings, parts = CharacterReadings(prints), CharacterParts(prints)

    @router.get("", dependencies=[Depends(access.guard(Right.KEY_PAPERS))])
    def like(like: Character) -> dict[str, Any]:
        """Return characters that a card can show: those of a reading in kana, those made of several parts, or forms.

        Parts that look like kana (ハ ム) count where no character has them as its reading. Characters that are parts of
        nothing are the beginning of a name: forms of the first one.
        """
        reading, written = to_reading(like), "".join(like.split())
        found = (readings.find(reading) if reading else ()) or (parts.find(written) if len(written) != 1 else ())
        if found or not written or (reading and len(written) != 1):
            return {"characters": list(found)[:_MOST]}
        like = written[0]
        representative = like.translate(FOLDED)
        family = dict.fromkeys((representative, *known.get(representative, ()), like))
        return {"characters": [one for one in family if prints(one)][:_MOST]}

    return router
