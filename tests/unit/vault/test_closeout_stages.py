"""The table of a close-out: forward only once an erasure is ordered, and never around the ward's confirmation."""

from services.vault.closeout.rules.stages import ERASING, STAGES, Stage


def reachable(start: Stage) -> set[Stage]:
    found, waiting = set[Stage](), [start]
    while waiting:
        stage = waiting.pop()
        if stage not in found:
            found.add(stage)
            waiting.extend(STAGES.after[stage])
    return found


def test_every_stage_has_its_row_and_can_be_reached() -> None:
    assert set(STAGES.after) == set(Stage) == reachable(Stage.OPEN)


def test_only_a_confirmed_return_leads_to_an_erasure() -> None:
    assert STAGES.before(Stage.REQUESTED) == [Stage.CONFIRMED]


def test_an_ordered_erasure_goes_forward_only_and_ends_certified() -> None:
    for stage in ERASING:
        assert STAGES.after[stage] <= ERASING | {Stage.CERTIFIED}
        assert Stage.CERTIFIED in reachable(stage)
        assert stage not in {later for following in STAGES.after[stage] for later in reachable(following)}


def test_the_key_is_destroyed_after_the_search_of_the_logs_and_before_anything_is_deleted() -> None:
    assert STAGES.before(Stage.DESTROYED) == [Stage.SCANNED]
    assert STAGES.before(Stage.EMPTIED) == [Stage.DESTROYED]


def test_the_measurement_comes_after_the_delay_queues_ran_empty() -> None:
    assert STAGES.before(Stage.DRAINED) == [Stage.SILENCED]
    assert STAGES.before(Stage.MEASURED) == [Stage.DRAINED]


def test_a_certificate_is_the_end() -> None:
    assert STAGES.final == {Stage.CERTIFIED}
