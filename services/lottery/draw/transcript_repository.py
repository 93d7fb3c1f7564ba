"""Store transcripts, which may be larger than MongoDB's limit for a document, in parts."""

import secrets
from collections.abc import Mapping
from typing import Any, Final

from services.lottery.draw.collections import TEXTS
from shared.errors import TransientError
from shared.ids import DrawId
from shared.storage import Store, UnitOfWork

_PART: Final = 4 * 1024 * 1024
"""Characters in a part."""
_ATTEMPTS: Final = 5


class TranscriptRepository:
    """Reads and writes the transcripts of draws, by itself or inside the transaction of a unit of work."""

    def __init__(self, at: Store | UnitOfWork) -> None:
        self._texts = at.db[TEXTS]
        self._session = at.session if isinstance(at, UnitOfWork) else None

    async def put(self, draw: DrawId, text: str) -> None:
        """Store the transcript of a draw that has none."""
        name, version = _name(draw), secrets.token_hex(8)
        parts = [text[at : at + _PART] for at in range(0, len(text), _PART)] or [""]
        documents = [
            {"_id": f"{name}:{number:06d}", "name": name, "version": version, "parts": len(parts), "text": part}
            for number, part in enumerate(parts)
        ]
        await self._texts.insert_many(documents, session=self._session)

    async def replace(self, draw: DrawId, text: str) -> None:
        """Replace the transcript of a draw."""
        await self._texts.delete_many(_parts_of(draw), session=self._session)
        await self.put(draw, text)

    async def get(self, draw: DrawId) -> str:
        """Return the transcript, reading it again if it is replaced meanwhile. Raises KeyError, TransientError."""
        for _ in range(_ATTEMPTS):
            parts = await self._texts.find(_parts_of(draw)).sort("_id", 1).to_list(None)
            if parts and len(parts) == parts[0]["parts"] and len({part["version"] for part in parts}) == 1:
                return "".join(part["text"] for part in parts)
            if not parts and await self._texts.count_documents(_parts_of(draw), limit=1) == 0:
                raise KeyError(draw)
        raise TransientError(f"the transcript of {draw} is being replaced; read it again in a moment")


def _name(draw: DrawId) -> str:
    return f"{draw}:transcript"


def _parts_of(draw: DrawId) -> Mapping[str, Any]:
    return {"_id": {"$gte": f"{_name(draw)}:", "$lt": f"{_name(draw)};"}}
