"""Pages of a queue that people look at: in the queue's own order. Two pages and all ids are held in memory at most.

Each page reads the whole queue: a broker that gets back a part of what it holds puts it behind the rest.
"""

from collections import Counter
from collections.abc import AsyncIterator, Callable
from typing import TypeVar

from shared.paging import PageRequest

Row = TypeVar("Row")


async def cut_page(
    rows: AsyncIterator[Row], wanted: PageRequest, id_of: Callable[[Row], str]
) -> tuple[list[Row], str | None]:
    """Return the rows behind the one named `wanted.after`, and the `after` of the next page; None after the last.

    A queue has no order of ids, and staff remove messages while they turn pages: where the named row is gone, the list
    begins anew, so that no row is left out. Of rows with one id (a message that was parked twice) the second is named
    `ID.2`, and so on: a page that ends between them is followed by the rest.
    """
    first, page, is_behind = list[tuple[Row, str]](), list[tuple[Row, str]](), not wanted.after
    times = Counter[str]()
    async for row in rows:
        row_id = id_of(row)
        times[row_id] += 1
        name = row_id if times[row_id] == 1 else f"{row_id}.{times[row_id]}"
        kept = page if is_behind else first
        if len(kept) < wanted.fetched:
            kept.append((row, name))
        is_behind = is_behind or name == wanted.after
    shown, following = wanted.cut(page if is_behind else first, lambda pair: pair[1])
    return [row for row, _ in shown], following
