"""Store the time stamps of a draw's manifest, numbered from 1."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Self

from services.lottery.draw.collections import STAMPS
from shared.ids import DrawId
from shared.storage import Store, UnitOfWork


@dataclass(frozen=True)
class Stamp:
    """A time stamp as it was attached; `content` is the token or proof, byte for byte."""

    draw: DrawId
    number: int
    kind: str
    at: datetime
    content: bytes

    @classmethod
    def from_document(cls, document: Mapping[str, Any]) -> Self:
        """Return the stamp of a stored document."""
        at = datetime.fromisoformat(document["at"])
        return cls(DrawId(document["draw"]), document["number"], document["kind"], at, bytes(document["content"]))

    def to_document(self) -> Mapping[str, Any]:
        """Return the document that `from_document` reads."""
        return {
            "_id": f"{self.draw}:{self.number}",
            "draw": self.draw,
            "number": self.number,
            "kind": self.kind,
            "at": self.at.isoformat(),
            "content": self.content,
        }


class StampRepository:
    """Reads and writes time stamps."""

    def __init__(self, at: Store | UnitOfWork) -> None:
        self._stamps = at.db[STAMPS]
        self._session = at.session if isinstance(at, UnitOfWork) else None

    async def add(self, draw: DrawId, kind: str, content: bytes, at: datetime) -> Stamp:
        """Store a stamp and return it. Raises DuplicateKeyError if another process took its number meanwhile."""
        number = await self._stamps.count_documents({"draw": draw}, session=self._session) + 1
        stamp = Stamp(draw, number, kind, at, content)
        await self._stamps.insert_one(dict(stamp.to_document()), session=self._session)
        return stamp

    async def find_equal(self, draw: DrawId, content: bytes) -> Stamp | None:
        """Return the stamp with this content if it was attached before."""
        document = await self._stamps.find_one({"draw": draw, "content": content}, session=self._session)
        return None if document is None else Stamp.from_document(document)

    async def all(self, draw: DrawId) -> list[Stamp]:
        """Return the stamps of a draw by number."""
        documents = await self._stamps.find({"draw": draw}).sort("number", 1).to_list(None)
        return [Stamp.from_document(document) for document in documents]

    async def find(self, draw: DrawId, number: int) -> Stamp | None:
        """Return the stamp with this number, or None."""
        document = await self._stamps.find_one({"_id": f"{draw}:{number}"})
        return None if document is None else Stamp.from_document(document)
