"""Rate limits count addresses by prefix and store no address."""

import asyncio
import gc

import pytest
from fastapi import Request

from services.intake.applications.rate_limits import RateLimits, Rates, group_address
from shared.web import ProblemError


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


async def test_no_address_stays_in_memory():
    limits = RateLimits(Rates(applications=10, lookups=10, overall=10))
    await limits.applications()(request("198.51.100.77"))
    gc.collect()
    kept = repr(vars(limits)) + repr([vars(each) for each in vars(limits).values() if hasattr(each, "__dict__")])
    assert "198.51.100" not in kept
    assert "applications" in kept
