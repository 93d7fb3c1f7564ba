"""Waits of a played event: how soon a service is asked again."""

import asyncio
import time

from deploy.demo.rehearsal import until


async def test_after_an_answer_that_took_long_the_next_question_comes_soon() -> None:
    """Answer late once: after an outage of eleven seconds the demo waited for 44 more, while everything was back."""
    asked = list[float]()

    async def ask() -> int:
        asked.append(time.monotonic())
        if len(asked) == 1:
            await asyncio.sleep(1)
        return len(asked)

    assert await until(ask, lambda count: count > 1, within_s=30, what="the second answer") == 2
    assert asked[1] - asked[0] < 3.5
