"""A part that is away: the health page costs the time of one question, and an answer 503 says why in the log."""

import asyncio

from structlog.testing import capture_logs

from shared.storage import StoreUnavailableError
from shared.web import answer_to
from shared.web.health import report_health


async def test_counts_are_asked_while_the_checks_are_so_that_a_silent_part_costs_its_time_once() -> None:
    counting = asyncio.Event()

    async def check() -> bool:
        async with asyncio.timeout(30):
            await counting.wait()
        return True

    async def count() -> int:
        counting.set()
        return 0

    report = await report_health({"broker": check}, {"untrusted_messages": count}, timeout_s=30)
    assert report.is_ready
    assert report.alarms == {"untrusted_messages": 0}


def test_an_answer_503_leaves_its_reason_in_the_log() -> None:
    with capture_logs() as events:
        answer = answer_to(StoreUnavailableError("the database did not answer"))
    assert answer is not None
    assert answer.status_code == 503
    assert [(line["event"], line["error"]) for line in events] == [("request-unavailable", "StoreUnavailableError")]
