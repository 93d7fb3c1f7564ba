"""Find reads that look through a whole collection, by MongoDB's own profiler."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from shared.storage import Database


@dataclass
class Scans:
    """Collections that were looked through without an index, each with the members that were asked for."""

    found: list[tuple[str, list[str]]] = field(default_factory=list)


@asynccontextmanager
async def watch_scans(db: Database) -> AsyncIterator[Scans]:
    """Note the scans of this database until the block ends. An empty collection is scanned by no one."""
    scans = Scans()
    await db.command("profile", 2)
    try:
        yield scans
    finally:
        await db.command("profile", 0)
        rows = db["system.profile"].find({"planSummary": "COLLSCAN", "docsExamined": {"$gt": 0}})
        scans.found += [(row["ns"].partition(".")[2], _asked(row["command"])) async for row in rows]


def _asked(command: dict[str, Any]) -> list[str]:
    """Return the members of a filter, without their values: these may be a person's."""
    return sorted(command.get("filter") or command.get("q") or {})
