"""The vault counts issued slips and rejections against what left it."""

from services.vault.deliveries.rules.reconciliation import IssuedNumbers, Missing, Reconciliation, reconcile
from shared.ids import new_token

ONE, TWO, THREE = (new_token() for _ in range(3))


def test_the_newest_slip_of_each_applicant_must_be_delivered_and_an_older_one_may_be_replaced() -> None:
    issued = [IssuedNumbers(ONE, (1_000_000, 1_000_004)), IssuedNumbers(TWO, (1_000_000,))]

    counted = reconcile(issued, {(ONE, 1_000_004)}, set(), set())

    assert counted == Reconciliation(3, 1, 1, 0, 0, (Missing(TWO, 1_000_000),))


def test_a_slip_that_only_the_notifier_has_counts_as_delivered_only_if_the_lottery_issued_it() -> None:
    counted = reconcile([IssuedNumbers(ONE, ())], {(ONE, 1_000_000)}, set(), set())

    assert (counted.issued, counted.delivered, counted.missing) == (0, 0, ())


def test_a_rejection_that_did_not_leave_the_vault_is_missing() -> None:
    counted = reconcile([], set(), {TWO, THREE}, {TWO, ONE})

    assert (counted.rejected, counted.rejected_delivered) == (2, 1)
    assert counted.missing == (Missing(THREE, None),)
