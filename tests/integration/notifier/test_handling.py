"""Cards on their way to the post office and back: who fetched, counted and posted them, and who is still to be told."""

from typing import Any

import httpx
import pytest

from shared.contracts import PrintRequested, StaffActed
from shared.ids import new_application_id
from shared.receipts import candidates
from tests.integration.notifier.test_post import complete
from tests.support.notifier_harness import STAFF, NotifierHarness, by_post

POSTING = {"posted_on": "2018-05-31", "office": "新宿郵便局"}


async def make_batch(harness: NotifierHarness, count: int = 3, **answer: Any) -> str:
    """Order and make the cards of applicants without mail; return the batch's id."""
    await harness.publish_results(by_post(count), "lost")
    ordered = await harness.next_event(PrintRequested)
    await harness.publish(complete(ordered, **answer))
    return str(ordered.batch_id)


async def act(
    http: httpx.AsyncClient, batch: str, name: str, staff: dict[str, str] | None = None, **body: Any
) -> tuple[int, str]:
    """Call a staff endpoint of a batch; return the status code and the state or the problem's name."""
    answer = await http.post(f"/print-batches/{batch}/{name}", json=body, headers=staff)
    content = answer.json()
    return answer.status_code, content.get("state") or content["type"].rpartition(":")[2]


async def test_cards_count_as_told_only_once_they_are_fetched_counted_by_two_people_and_posted(
    harness: NotifierHarness,
) -> None:
    async with harness.run_notifier() as http:
        batch = await make_batch(harness)
        await harness.wait_for_states(made=3)
        second = await harness.sign_in("office-2")
        assert await act(http, batch, "posting", **POSTING) == (409, "wrong-state")
        assert await act(http, batch, "counts", pieces=3) == (409, "wrong-state")
        assert await act(http, batch, "fetches") == (200, "fetched")
        assert await act(http, batch, "counts", pieces=2) == (409, "count-differs")
        assert await act(http, batch, "counts", pieces=3) == (200, "fetched")
        assert await act(http, batch, "counts", pieces=3) == (409, "same-person")
        assert await act(http, batch, "posting", **POSTING) == (409, "wrong-state")
        assert await act(http, batch, "counts", second, pieces=3) == (200, "counted")
        assert (await http.get("/summary")).json()["to_tell"] == 3
        assert await act(http, batch, "posting", **POSTING) == (200, "posted")
        summary = (await http.get("/summary")).json()
        (listed,) = (await http.get("/print-batches")).json()["batches"]
    assert (summary["told"], summary["to_tell"], summary["notices"]) == (3, 0, {"posted": 3})
    assert (listed["fetched_by"], listed["counted_by"]) == (["office-1"], ["office-1", "office-2"])
    assert {name: listed["posting"][name] for name in POSTING} == POSTING


async def test_a_batch_is_not_posted_on_a_day_that_has_not_come(harness: NotifierHarness) -> None:
    async with harness.run_notifier() as http:
        batch = await make_batch(harness)
        await harness.wait_for_states(made=3)
        answer = await act(http, batch, "posting", **{**POSTING, "posted_on": "2999-01-01"})
    assert answer == (422, "future-day")


async def test_a_returned_card_puts_its_applicant_on_the_telephone_list_until_telephoned(
    harness: NotifierHarness,
) -> None:
    async with harness.run_notifier() as http:
        applicants = by_post(2)
        await harness.publish_results(applicants, "lost")
        ordered = await harness.next_event(PrintRequested)
        await harness.publish(complete(ordered))
        await harness.wait_for_states(made=2)
        back = {"receipt": applicants[0].receipt.lower(), "reason": "unknown-address"}
        assert (await http.post("/returns", json=back)).status_code == 404
        for name, staff, body in (
            ("fetches", None, {}),
            ("counts", None, {"pieces": 2}),
            ("counts", await harness.sign_in("office-2"), {"pieces": 2}),
            ("posting", None, POSTING),
        ):
            assert (await act(http, str(ordered.batch_id), name, staff, **body))[0] == 200
        assert (await http.post("/returns", json=back)).json()["state"] == "returned"
        stranger = {**back, "receipt": next(candidates(bytes(32), "web", new_application_id()))}
        assert (await http.post("/returns", json=stranger)).status_code == 404
        (entry,) = (await http.get("/telephone-list")).json()["notices"]
        assert (entry["receipt"], entry["return_reason"]) == (applicants[0].receipt, "unknown-address")
        assert (await http.get("/summary")).json()["to_telephone"] == 1
        decided = await http.post(f"/notices/{entry['id']}/resolve", json={"decision": "phoned"})
        assert decided.json()["state"] == "phoned"
        events = [await harness.next_event(StaffActed) for _ in range(6)]
        acts = {(item.act, item.sub, item.case) for event in events for item in event.items}
        batch = str(ordered.batch_id)
        assert acts == {
            ("fetch-cards", STAFF, batch),
            ("count-cards", STAFF, batch),
            ("count-cards", "office-2", batch),
            ("post-cards", STAFF, batch),
            ("record-returned-card", STAFF, entry["id"]),
            ("confirm-telephoned", STAFF, entry["id"]),
        }
        assert (await http.get("/telephone-list")).json()["notices"] == []
        assert (await http.get("/summary")).json()["to_tell"] == 0


async def test_the_cards_of_a_mismatch_can_be_ordered_again(harness: NotifierHarness) -> None:
    async with harness.run_notifier() as http:
        batch = await make_batch(harness, pages=5)
        await harness.wait_for_states(requested=3)
        for _ in range(100):
            answer = await act(http, batch, "reorder")
            if answer[0] == 200:
                break
        assert answer == (200, "reordered")
        again = await harness.next_event(PrintRequested)
        await harness.publish(complete(again))
        await harness.wait_for_states(made=3)
    assert str(again.batch_id) != batch


@pytest.mark.parametrize("name", ["fetches", "reorder"])
async def test_a_batch_that_does_not_exist_is_refused(harness: NotifierHarness, name: str) -> None:
    async with harness.run_notifier() as http:
        assert await act(http, "p-0000", name) == (404, "unknown-batch")
