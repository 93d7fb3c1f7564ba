"""The ladder's table, and what may be said of an error, for any error and any attempt."""

from hypothesis import given
from hypothesis import strategies as st

from shared.errors import KujiError, PermanentError, TransientError
from shared.ids import new_event_id
from shared.messaging import BrokerUnavailableError, ContractViolationError
from shared.messaging.envelope import Envelope
from shared.messaging.names import Names
from shared.messaging.retry_policy import Park, Retry, error_code, judge

DELAYS = st.lists(st.integers(1, 3600), min_size=1, max_size=6).map(tuple)


@given(
    DELAYS,
    st.integers(1, 20),
    st.sampled_from([TransientError, BrokerUnavailableError, KujiError, ValueError, OSError]),
)
def test_an_error_that_is_not_permanent_waits_in_each_delay_queue_once_and_is_then_parked(
    delays_s: tuple[int, ...], attempt: int, kind: type[Exception]
) -> None:
    verdict = judge(kind("text"), attempt, delays_s)
    assert verdict == (Retry(delays_s[attempt - 1]) if attempt <= len(delays_s) else Park(kind.__name__))


@given(DELAYS, st.integers(1, 20))
def test_a_permanent_error_is_parked_at_any_attempt(delays_s: tuple[int, ...], attempt: int) -> None:
    assert judge(PermanentError("text"), attempt, delays_s) == Park("PermanentError")
    assert judge(ContractViolationError("malformed"), attempt, delays_s) == Park("ContractViolationError:malformed")


@given(st.text())
def test_what_an_error_says_never_reaches_its_code(text: str) -> None:
    assert error_code(PermanentError(text)) == "PermanentError"
    error = KujiError(text)
    error.code = f"高橋 {text}"  # type: ignore[attr-defined]
    assert error_code(error) == "KujiError"


@given(st.text(alphabet="abcdefghijklmnopqrstuvwxyz0123456789-", min_size=1, max_size=12))
def test_names_without_their_namespace_are_what_people_know(namespace: str) -> None:
    names = Names(namespace)
    assert names.plain(names.queue("vault", "application.received")) == "vault.application.received"
    assert names.plain(names.parked("vault")) == "vault.parked"


def test_attempts_are_counted_on_copies_and_start_anew_on_replay() -> None:
    first = Envelope(new_event_id(), "application.received", b"{}")
    assert first.again().again().attempt == 3
    assert first.again().afresh() == first
    assert first.message().message_id != first.message().message_id
