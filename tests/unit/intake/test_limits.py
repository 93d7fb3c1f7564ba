"""Rate limits count addresses by prefix and store no address."""

import asyncio
import gc
import random

import pytest
from fastapi import Request
from hypothesis import given
from hypothesis.strategies import floats, lists

from services.intake.applications.rate_limits import RateLimits
from services.intake.settings import Rates
from shared.web import ProblemError
from shared.web.client_address import group_address
from shared.web.window_counts import WindowCounts
from shared.web.wrong_proofs import WrongProofs


def request(address: str) -> Request:
    return Request({"type": "http", "client": (address, 1234), "headers": []})


async def test_one_address_is_refused_with_a_time_to_wait_and_another_is_not():
    check_limit = RateLimits(Rates(applications=3, lookups=0, overall=0)).applications()
    for _ in range(3):
        await check_limit(request("192.0.2.1"))
    with pytest.raises(ProblemError) as refused:
        await check_limit(request("192.0.2.1"))
    assert (refused.value.name, refused.value.status) == ("too-many-requests", 429)
    assert 1 <= int(refused.value.headers["Retry-After"]) <= 60
    await check_limit(request("192.0.2.2"))


async def test_all_addresses_are_counted_by_the_second():
    check_limit = RateLimits(Rates(applications=0, lookups=0, overall=5)).applications()
    for number in range(5):
        await check_limit(request(f"192.0.2.{number}"))
    with pytest.raises(ProblemError) as refused:
        await asyncio.gather(*(check_limit(request(f"192.0.2.{number}")) for number in range(5, 15)))
    assert int(refused.value.headers["Retry-After"]) == 1


async def test_an_address_over_its_limit_does_not_use_up_what_all_share():
    limits = RateLimits(Rates(applications=2, lookups=0, overall=5, free_per_minute=2, free_per_second=5))
    check_limit, flood = limits.applications(), request("192.0.2.1")
    for _ in range(2):
        await check_limit(flood)
    for _ in range(50):
        limits.needs_work(flood)
        with pytest.raises(ProblemError):
            await check_limit(flood)
    await check_limit(request("192.0.2.2"))
    assert not limits.needs_work(request("192.0.2.2"))


def test_proof_of_work_is_needed_once_many_arrive_from_one_address_or_from_all():
    limits = RateLimits(Rates(applications=0, lookups=0, overall=0, free_per_minute=2, free_per_second=1000))
    assert [limits.needs_work(request("2001:db8::1")) for _ in range(3)] == [False, False, True]
    assert limits.needs_work(request("2001:db8::2"))
    assert not limits.needs_work(request("2001:db8:0:1::2"))
    crowded = RateLimits(Rates(applications=0, lookups=0, overall=0, free_per_minute=1000, free_per_second=3))
    assert any(crowded.needs_work(request(f"192.0.2.{number}")) for number in range(50))


async def test_applications_and_lookups_have_separate_limits_and_zero_switches_one_off():
    limits = RateLimits(Rates(applications=1, lookups=0, overall=0))
    await limits.applications()(request("192.0.2.1"))
    for _ in range(1000):
        await limits.lookups()(request("192.0.2.1"))


def test_an_ipv6_address_is_counted_by_its_prefix():
    assert group_address("2001:db8:1:2:3:4:5:6") == group_address("2001:db8:1:2::1")
    assert group_address("2001:db8:1:2::1") != group_address("2001:db8:1:3::1")
    assert group_address("192.0.2.7") == "192.0.2.7"
    assert group_address("testclient") == "testclient"


def test_an_ipv4_address_counts_as_itself_where_it_arrives_as_ipv6():
    assert group_address("::ffff:192.0.2.7") == "192.0.2.7"


async def test_no_address_stays_in_memory():
    limits = RateLimits(Rates(applications=10, lookups=10, overall=10))
    await limits.applications()(request("198.51.100.77"))
    gc.collect()
    counts = [each for table in vars(limits).values() if isinstance(table, dict) for each in table.values()]
    kept = repr(vars(limits)) + repr([vars(each) for each in counts])
    assert "198.51.100" not in kept
    assert "applications" in kept


def test_a_million_addresses_take_bounded_memory_and_do_not_free_one_that_was_refused():
    counts, refused = WindowCounts(limit=3, window_s=60, most_senders=50_000), 1 << 64
    for _ in range(3):
        assert counts.hit(refused, now=1.0) is None
    random_ids = random.Random(1)  # noqa: S311  (a repeatable test)
    for _ in range(1_000_000):
        counts.hit(random_ids.getrandbits(64), now=2.0)
    assert counts.counted(now=3.0) <= 50_000 + 65_536
    assert counts.hit(refused, now=3.0) == 57
    assert counts.counted(now=185.0) == 0


def test_counts_of_the_window_before_fade():
    counts = WindowCounts(limit=10, window_s=60)
    for _ in range(10):
        assert counts.hit(1, now=59.0) is None
    assert counts.hit(1, now=60.0) == 60
    allowed = [counts.hit(1, now=90.0) is None for _ in range(10)]
    assert allowed == [True] * 5 + [False] * 5
    assert [counts.hit(1, now=180.0) is None for _ in range(11)] == [True] * 10 + [False]


@given(lists(floats(0, 1000), min_size=1, max_size=300).map(sorted))
def test_no_window_has_more_than_twice_the_limit(times: list[float]):
    counts = WindowCounts(limit=5, window_s=10)
    allowed = [now for now in times if counts.hit(1, now) is None]
    for start in allowed:
        assert sum(start <= now < start + 10 for now in allowed) <= 10
    assert len(allowed) >= min(len(times), 5)


def test_wrong_proofs_of_one_connection_are_limited_and_others_are_not() -> None:
    wrong = WrongProofs(most=2)
    assert [wrong.count(request(f"2001:db8:1:2::{number}")) for number in (1, 2)] == [None, None]
    wait_s = wrong.count(request("2001:db8:1:2:ffff::3"))
    assert wait_s is not None
    assert 1 <= wait_s <= 600
    assert wrong.count(request("2001:db8:1:3::1")) is None
    wrong.forget()
    assert wrong.count(request("2001:db8:1:2::1")) is None
