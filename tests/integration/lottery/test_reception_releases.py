"""From the desk to the transcript: who did not come gives the place up, once, and everybody can check it."""

from datetime import timedelta

from services.lottery.keys import LotteryKeys
from services.lottery.places import moves
from services.lottery.places.stored_place import Actor
from services.lottery.reception import repository as reception
from services.lottery.reception.noshows import NoShows
from services.lottery.reception.repository import ReceptionRepository
from services.lottery.reception.service import Reading, ReceptionService, Sender
from shared.ids import Receipt
from tests.support.lottery_harness import Town
from tests.support.places_harness import KIDS, After, events, results_are_out
from tests.support.service_keys import keys_dir

SCAN = "00000000-0000-4000-8000-00000000000{}"


async def test_places_of_which_nobody_came_are_released_into_the_transcript(town: Town):
    await results_are_out(town)
    after = After.of(town)
    campaign = town.campaign.model_copy(
        update={"reception": town.campaign.reception.model_copy(update={"release": True})}
    )
    await after.store.ensure(reception.collections())
    await ReceptionRepository(after.store).ensure_counters([campaign.id])
    desk = ReceptionService(after.store, LotteryKeys(keys_dir()), town.clock, {campaign.id: campaign})
    no_shows = NoShows(after.store, town.clock, moves.release)
    present, *absent = await after.of_class(KIDS, "held")
    waits = (await after.of_class(KIDS, "waiting"))[0]

    async def read(number: int, receipt: str) -> str:
        reading = Reading(
            SCAN.format(number), town.clock.now(), KIDS, 1, KIDS, None, receipt=Receipt(receipt), compared=True
        )
        response = await desk.sync(Sender(campaign.id, "A-00000001", "sato"), [reading], 0)
        return str(response.verdicts[reading.id].code)

    town.clock.at = campaign.classes[3].starts
    assert await read(1, present["receipt"]) == "admitted"
    assert await read(2, waits["receipt"]) == "not-held"
    town.clock.at += timedelta(minutes=15)
    await desk.sync(Sender(campaign.id, "A-00000001", "sato"), [], 0)
    for _ in range(3):
        await no_shows.count_what_is_due(campaign)
    assert await read(3, absent[0]["receipt"]) == "gone"
    await after.places.admit(campaign.id, waits["entry"], KIDS, Actor("sato"))
    assert await read(4, waits["receipt"]) == "admitted"
    await after.settle()
    content = await after.transcript()
    assert {each["entry"] for each in events(content, "released")} == {each["entry"] for each in absent}
    assert {each["reason"] for each in events(content, "released")} == {"no-show"}
    assert (await after.verified()).passed
