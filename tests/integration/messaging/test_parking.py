"""The parking queue through the staff calls: seen without bodies, put back, thrown away; others are left alone."""

from collections.abc import AsyncIterator, Sequence
from pathlib import Path

import httpx
import pytest
from fastapi import FastAPI

from shared.contracts import ApplicationReceived, PrintRequested, StaffAct
from shared.errors import PermanentError
from shared.ids import CampaignId
from shared.messaging import BrokerUnavailableError, Bus
from shared.staff_roles import Role
from shared.storage import StoreUnavailableError, UnitOfWork
from shared.web import install_problems
from tests.support.counting_handler import Witness, all_marked, marks
from tests.support.message_samples import SAMPLES
from tests.support.messaging_harness import CAMPAIGN, MessagingHarness, received
from tests.support.service_keys import signed, signed_body
from tests.support.staff_sign_in import sign_in_at, staff_access
from tests.support.waiting import until

TOKEN = "staff"


class Fickle(Witness):
    """Refuses for good until it has been repaired."""

    broken = True

    async def __call__(self, events: Sequence[ApplicationReceived], uow: UnitOfWork) -> None:
        await super().__call__(events, uow)
        if self.broken:
            raise PermanentError("a text that nobody may see")


@pytest.fixture
async def vault(harness: MessagingHarness) -> Bus:
    return await harness.bus("vault")


class Acts:
    """Acts that were recorded, or the refusal to record them."""

    def __init__(self) -> None:
        self.recorded: list[tuple[str, StaffAct, str]] = []
        self.is_away = False

    async def record(self, actor: str, act: StaffAct, case: str) -> None:
        if self.is_away:
            raise StoreUnavailableError("away")
        self.recorded.append((actor, act, case))


@pytest.fixture
def acts() -> Acts:
    return Acts()


@pytest.fixture
async def staff(harness: MessagingHarness, vault: Bus, acts: Acts, tmp_path: Path) -> AsyncIterator[httpx.AsyncClient]:
    """Return the client of an engineer who signed in."""
    store, app = await harness.store("vault"), FastAPI()
    install_problems(app)
    app.include_router(vault.parking_router(staff_access("vault", store, tmp_path), acts.record))
    transport, headers = httpx.ASGITransport(app), await sign_in_at(store, "vault", roles={Role.ENGINEER})
    async with httpx.AsyncClient(transport=transport, base_url="http://vault", headers=headers) as client:
        yield client


async def parked(staff: httpx.AsyncClient, count: int) -> list[dict[str, str]]:
    async def there() -> bool:
        return len((await staff.get("/v1/parked")).json()["messages"]) == count

    await until(there)
    return list((await staff.get("/v1/parked")).json()["messages"])


async def test_staff_see_how_much_waits_in_each_queue_and_how_much_is_parked(
    harness: MessagingHarness, vault: Bus, staff: httpx.AsyncClient
) -> None:
    vault.consume(ApplicationReceived, Fickle())
    await harness.running(vault)
    await (await harness.running(await harness.bus("intake"))).publish(received())
    await parked(staff, 1)

    queues = (await staff.get("/v1/queues")).json()["queues"]

    assert {name for name, depth in queues.items() if depth} == {"vault.parked"}
    assert "vault.application.received" in queues


async def test_the_list_says_what_failed_where_and_why_and_never_shows_a_body(
    harness: MessagingHarness, vault: Bus, staff: httpx.AsyncClient
) -> None:
    vault.consume(ApplicationReceived, Fickle())
    await harness.running(vault)
    event = received()
    event_id = await (await harness.running(await harness.bus("intake"))).publish(event)

    (message,) = await parked(staff, 1)

    assert set(message) == {"id", "event", "event_id", "origin", "attempts", "error", "at"}
    assert message["event"] == "application.received"
    assert message["event_id"] == event_id
    assert message["origin"] == "vault.application.received"
    assert message["error"] == "PermanentError"
    assert message["attempts"] == 1
    assert message["at"].startswith("20")
    answer = (await staff.get("/v1/parked")).text
    assert event.sealed not in answer
    assert "a text that nobody may see" not in answer


async def test_looking_at_parked_messages_leaves_them_there_in_order(
    harness: MessagingHarness, vault: Bus, staff: httpx.AsyncClient
) -> None:
    vault.consume(ApplicationReceived, Fickle())
    await harness.running(vault)
    intake = await harness.running(await harness.bus("intake"))
    said = [await intake.publish(received()) for _ in range(3)]
    await parked(staff, 3)

    looks = [[message["event_id"] for message in await parked(staff, 3)] for _ in range(25)]

    assert looks == [said] * 25
    assert (await vault.queue_depths())["vault.parked"] == 3


async def test_a_replayed_message_is_handled_and_the_others_stay(
    harness: MessagingHarness, vault: Bus, staff: httpx.AsyncClient
) -> None:
    fickle = Fickle()
    vault.consume(ApplicationReceived, fickle)
    await harness.running(vault)
    intake = await harness.running(await harness.bus("intake"))
    events = {await intake.publish(event): event for event in (received(), received(), received())}
    _, chosen, _ = await parked(staff, 3)
    fickle.broken = False

    assert (await staff.post(f"/v1/parked/{chosen['id']}/replay")).status_code == 202
    await all_marked(await harness.store("vault"), 1)
    assert await marks(await harness.store("vault")) == {events[chosen["event_id"]].application_id: 1}
    assert [message["event_id"] for message in await parked(staff, 2)] == [
        event_id for event_id in events if event_id != chosen["event_id"]
    ]


async def test_a_replay_that_was_done_is_not_answered_as_if_the_broker_were_away(
    harness: MessagingHarness, vault: Bus, staff: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Let the broker fail at the last question alone: whether the other messages are back."""
    fickle = Fickle()
    vault.consume(ApplicationReceived, fickle)
    await harness.running(vault)
    intake = await harness.running(await harness.bus("intake"))
    for event in (received(), received()):
        await intake.publish(event)
    chosen, _ = await parked(staff, 2)
    fickle.broken = False

    async def fail(*_: object) -> dict[str, int]:
        raise BrokerUnavailableError("the broker did not answer")

    with monkeypatch.context() as patch:
        patch.setattr("shared.messaging.parking.queue_depths", fail)
        assert (await staff.post(f"/v1/parked/{chosen['id']}/replay")).status_code == 202
    await all_marked(await harness.store("vault"), 1)
    assert len(await parked(staff, 1)) == 1


async def test_a_discarded_message_is_gone_and_cannot_be_found_again(
    harness: MessagingHarness, vault: Bus, staff: httpx.AsyncClient, acts: Acts
) -> None:
    vault.consume(ApplicationReceived, Fickle())
    await harness.running(vault)
    intake = await harness.running(await harness.bus("intake"))
    await intake.publish(received())
    kept = await intake.publish(received())
    doomed, _ = await parked(staff, 2)

    acts.is_away = True
    assert (await staff.delete(f"/v1/parked/{doomed['id']}")).status_code == 503
    acts.is_away = False
    await parked(staff, 2)
    assert (await staff.delete(f"/v1/parked/{doomed['id']}")).status_code == 204
    again = await staff.delete(f"/v1/parked/{doomed['id']}")
    replayed = await staff.post(f"/v1/parked/{doomed['id']}/replay")

    assert (again.status_code, replayed.status_code) == (404, 404)
    assert again.json()["type"] == "urn:kuji:problem:not-parked"
    assert [(act, case) for _, act, case in acts.recorded] == [(StaffAct.DISCARD_PARKED, doomed["id"])]
    assert [message["event_id"] for message in await parked(staff, 1)] == [kept]


async def test_a_message_from_no_queue_of_this_service_cannot_be_put_back(
    harness: MessagingHarness, vault: Bus, staff: httpx.AsyncClient
) -> None:
    await harness.running(vault)
    foreign = signed_body("application.received", b"{}", "intake")
    await harness.put(
        harness.names.parked("vault"), foreign.parked(harness.names.queue("lottery", "receipts.closed"), "X")
    )
    (message,) = await parked(staff, 1)

    answer = await staff.post(f"/v1/parked/{message['id']}/replay")

    assert answer.status_code == 409
    assert answer.json()["type"] == "urn:kuji:problem:not-replayable"
    assert len(await parked(staff, 1)) == 1


async def test_parked_messages_are_for_engineers_alone(harness: MessagingHarness, staff: httpx.AsyncClient) -> None:
    handler = await sign_in_at(await harness.store("vault"), "vault", "other-01", {Role.HANDLER, Role.RESPONSIBLE})
    for method, path in (("GET", "/v1/parked"), ("DELETE", f"/v1/parked/{'0' * 32}")):
        assert (await staff.request(method, path, headers={"Cookie": ""})).status_code == 401
        assert (await staff.request(method, path, headers=handler)).status_code == 403


async def test_purging_a_campaign_leaves_the_messages_of_others(harness: MessagingHarness, vault: Bus) -> None:
    await harness.running(vault)
    origin = harness.names.queue("vault", "application.received")
    for campaign in (CAMPAIGN, "another", CAMPAIGN):
        envelope = signed(received(campaign=campaign))
        await harness.put(harness.names.parked("vault"), envelope.parked(origin, "PermanentError"))
    unreadable = signed_body("application.received", b"\xff", "intake")
    await harness.put(harness.names.parked("vault"), unreadable.parked(origin, "X"))

    assert await vault.purge_campaign(CAMPAIGN) == 2
    assert await vault.purge_campaign(CAMPAIGN) == 0
    await until(lambda: _are_parked(vault, 2))
    assert await vault.purge_campaign(CampaignId("another")) == 1


async def _are_parked(vault: Bus, count: int) -> bool:
    """Check the depth of the parking queue: messages that were looked at are counted again a moment later."""
    return (await vault.queue_depths())["vault.parked"] == count


async def test_queue_depths_name_every_queue_of_the_service_and_count_what_waits(
    harness: MessagingHarness, vault: Bus
) -> None:
    notifier = await harness.running(await harness.bus("notifier"))
    await notifier.publish(next(event for event in SAMPLES if isinstance(event, PrintRequested)))

    assert await vault.queue_depths() == {
        "vault.application.received": 0,
        "vault.paper.received": 0,
        "vault.receipts.assigned": 0,
        "vault.dice.requested": 0,
        "vault.draw.published": 0,
        "vault.slips.issued": 0,
        "vault.mail.requested": 0,
        "vault.notices.counted": 0,
        "vault.print.requested": 1,
        "vault.staff.acted": 0,
        "vault.erasure.completed": 0,
        "vault.person.erased": 0,
        "vault.parked": 0,
    }
    await vault.drain()


async def test_the_list_has_pages_in_the_order_of_the_queue_and_begins_anew_where_its_place_is_gone(
    harness: MessagingHarness, vault: Bus, staff: httpx.AsyncClient
) -> None:
    vault.consume(ApplicationReceived, Fickle())
    await harness.running(vault)
    intake = await harness.running(await harness.bus("intake"))
    for _ in range(5):
        await intake.publish(received())
    everything = [message["id"] for message in await parked(staff, 5)]

    async def page(after: str = "") -> tuple[list[str], str | None]:
        answer = (await staff.get("/v1/parked", params={"limit": 2, "after": after})).json()
        return [message["id"] for message in answer["messages"]], answer["next"]

    assert await page() == (everything[:2], everything[1])
    assert await page(everything[1]) == (everything[2:4], everything[3])
    assert await page(everything[3]) == (everything[4:], None)
    assert (await staff.delete(f"/v1/parked/{everything[1]}")).status_code == 204
    assert await page(everything[1]) == ([everything[0], everything[2]], everything[2])
    assert (await staff.get("/v1/parked", params={"limit": 0})).status_code == 422
    assert len(await parked(staff, 4)) == 4, "nothing is lost by looking"
