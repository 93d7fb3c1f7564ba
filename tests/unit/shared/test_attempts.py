"""Failed attempts are counted in a moving window."""

import time

import pytest

from shared.web.attempts import AttemptLimit


async def test_after_the_last_failure_that_is_allowed_no_attempt_is():
    limit = AttemptLimit(3, 60)

    for _ in range(3):
        assert await limit.allows()
        await limit.record_failure()

    assert not await limit.allows()


async def test_asking_alone_uses_up_no_attempt():
    limit = AttemptLimit(1, 60)

    assert [await limit.allows() for _ in range(5)] == [True] * 5


async def test_failures_of_one_key_do_not_shut_out_another():
    limit = AttemptLimit(1, 60)

    await limit.record_failure("W-7K3M-9Q2P-6")

    assert not await limit.allows("W-7K3M-9Q2P-6")
    assert await limit.allows("F-7K3M-9Q2P-6")


async def test_failures_are_forgotten_when_the_window_has_passed(monkeypatch: pytest.MonkeyPatch):
    limit = AttemptLimit(1, 60)
    await limit.record_failure()
    later = time.time() + 61
    monkeypatch.setattr(time, "time", lambda: later)

    assert await limit.allows()


async def test_an_attempt_that_succeeds_counts_only_while_it_is_under_way():
    limit = AttemptLimit(1, 60)

    for _ in range(3):
        assert await limit.begin()
        assert not await limit.begin()
        await limit.end(failed=False)

    assert await limit.begin()
    await limit.end(failed=True)
    assert not await limit.begin()


async def test_the_wait_is_the_time_until_the_oldest_attempt_is_forgotten():
    limit = AttemptLimit(1, 60)

    assert await limit.take()

    assert 50 < await limit.wait_s() <= 60
