"""The wait for the delay queues (attack a6): until each was seen empty late enough, or ten minutes."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.vault.closeout.delay_queues import DelayQueueWatch, Drain
from shared.messaging import BrokerUnavailableError

T = datetime(2018, 6, 18, 9, tzinfo=UTC)
QUEUES = ("kuji.wait.1s", "kuji.wait.10s", "kuji.wait.60s")


class Depths:
    """Delay queues with these depths; None: the broker is away."""

    def __init__(self, depths: dict[str, int] | None) -> None:
        self._depths = depths

    async def delay_depths(self) -> dict[str, int]:
        if self._depths is None:
            raise BrokerUnavailableError("away")
        return self._depths


async def look(depths: dict[str, int] | None, seen: frozenset[str] | None, after_s: float) -> Drain:
    watch = DelayQueueWatch(Depths(depths), longest_delay_s=60, give_up_s=600)
    return await watch.look(T, seen, T + timedelta(seconds=after_s))


async def test_empty_queues_at_t_are_not_waited_for() -> None:
    assert (await look(dict.fromkeys(QUEUES, 0), None, 0)).ended is True


async def test_a_message_at_t_is_waited_for_until_the_longest_delay_is_over() -> None:
    first = await look({**dict.fromkeys(QUEUES, 0), QUEUES[2]: 1}, None, 0)
    assert first == Drain(frozenset(), ended=None)
    assert (await look(dict.fromkeys(QUEUES, 0), first.empty, 59)).ended is None
    assert (await look(dict.fromkeys(QUEUES, 0), first.empty, 60)).ended is True


async def test_each_queue_needs_to_be_seen_empty_once() -> None:
    one = await look({QUEUES[0]: 0, QUEUES[1]: 4, QUEUES[2]: 1}, frozenset(), 61)
    two = await look({QUEUES[0]: 9, QUEUES[1]: 0, QUEUES[2]: 1}, one.empty, 62)
    assert two == Drain(frozenset(QUEUES[:2]), ended=None)
    assert (await look({QUEUES[0]: 9, QUEUES[1]: 9, QUEUES[2]: 0}, two.empty, 63)).ended is True


@pytest.mark.parametrize("depths", [None, dict.fromkeys(QUEUES, 1)])
async def test_after_ten_minutes_the_wait_is_given_up(depths: dict[str, int] | None) -> None:
    assert (await look(depths, frozenset(), 599)).ended is None
    assert (await look(depths, frozenset(), 600)).ended is False


@given(depths=st.fixed_dictionaries({queue: st.integers(0, 3) for queue in QUEUES}), after_s=st.floats(0, 599))
async def test_the_wait_never_ends_well_while_a_queue_that_was_never_seen_empty_holds_messages(
    depths: dict[str, int], after_s: float
) -> None:
    seen = frozenset(QUEUES[:1])
    drain = await look(depths, seen, after_s)
    if any(depths[queue] for queue in QUEUES[1:]):
        assert drain.ended is not True
