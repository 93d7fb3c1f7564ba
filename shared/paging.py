"""Pages of long lists, by the id of the last row. Pure."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, TypeVar

Row = TypeVar("Row")

LARGEST_PAGE: Final = 1000
"""Most rows of one answer, and as many as an answer has where the caller names no limit."""


@dataclass(frozen=True)
class PageRequest:
    """Rows that the caller wants: at most `limit` with an id above `after`, in the order of their ids."""

    after: str = ""
    limit: int = LARGEST_PAGE

    def query(self, selected: Mapping[str, object]) -> dict[str, object]:
        """Return the database query for these rows."""
        return {**selected, "_id": {"$gt": self.after}} if self.after else {**selected}

    @property
    def fetched(self) -> int:
        """Rows to read: one more than shown tells whether there is a next page."""
        return self.limit + 1

    def cut(self, rows: Sequence[Row], id_of: Callable[[Row], str]) -> tuple[list[Row], str | None]:
        """Return the rows of this page, and the `after` of the next one; None after the last page."""
        shown = list(rows[: self.limit])
        return shown, id_of(shown[-1]) if len(rows) > self.limit else None
