"""Pages of a queue, whose order is its own."""

from collections.abc import AsyncIterator, Sequence

from hypothesis import given
from hypothesis.strategies import integers, lists, text

from shared.messaging.queue_pages import cut_page
from shared.paging import PageRequest


async def each(rows: Sequence[str]) -> AsyncIterator[str]:
    for row in rows:
        yield row


async def page(rows: Sequence[str], after: str, limit: int) -> tuple[list[str], str | None]:
    return await cut_page(each(rows), PageRequest(after, limit), str)


@given(lists(text("abc", min_size=1, max_size=2), max_size=30), integers(1, 7))
async def test_all_pages_one_after_the_other_are_the_queue(rows: list[str], limit: int) -> None:
    """Rows with equal ids too: a message may be parked twice."""
    found, following = await page(rows, "", limit)
    while following is not None:
        assert len(found) < len(rows), "a page came twice"
        assert len(found) % limit == 0
        further, following = await page(rows, following, limit)
        found += further
    assert found == rows


async def test_where_the_last_row_is_gone_the_list_begins_anew() -> None:
    assert await page(["d", "b", "c"], "gone", 2) == (["d", "b"], "b")


async def test_behind_the_last_row_there_is_nothing() -> None:
    assert await page(["d", "b"], "b", 2) == ([], None)
