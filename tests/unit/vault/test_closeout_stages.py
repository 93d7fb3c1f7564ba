"""The table of a close-out: forward only once erasure is ordered, and never around the ward's confirmation."""

from services.vault.closeout.rules.stages import AFTER, ERASING, Stage, before


def reachable(start: Stage) -> set[Stage]:
    found, waiting = set(), [start]
    while waiting:
        stage = waiting.pop()
        if stage not in found:
            found.add(stage)
            waiting.extend(AFTER[stage])
    return found


def test_every_stage_has_its_row_and_can_be_reached() -> None:
    assert set(AFTER) == set(Stage) == reachable(Stage.OPEN)


def test_only_a_confirmed_return_leads_to_an_erasure() -> None:
    assert before(Stage.REQUESTED) == {Stage.CONFIRMED}


def test_an_erasure_that_was_ordered_goes_forward_only_and_ends_certified() -> None:
    for stage in ERASING:
        assert len(AFTER[stage]) == 1
        assert AFTER[stage] <= ERASING | {Stage.CERTIFIED}
        assert Stage.CERTIFIED in reachable(stage)
        assert stage not in {later for following in AFTER[stage] for later in reachable(following)}


def test_the_key_goes_after_the_logs_were_searched_and_before_anything_is_deleted() -> None:
    assert before(Stage.DESTROYED) == {Stage.SCANNED}
    assert before(Stage.EMPTIED) == {Stage.DESTROYED}


def test_a_certificate_is_the_end() -> None:
    assert AFTER[Stage.CERTIFIED] == frozenset()
