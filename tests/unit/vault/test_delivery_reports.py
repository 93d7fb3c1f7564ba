"""Test which members of delivery reports are read."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.vault.mail.rules.delivery_reports import Failure, failures
from tests.support.delivery_reports import Recipient, report

ADDRESSES = st.from_regex(r"\A[a-z0-9._+-]{1,30}@[a-z0-9-]{1,20}\.example\Z")
STATUSES = st.from_regex(r"\A[45]\.[0-9]{1,3}\.[0-9]{1,3}\Z")


@given(st.lists(st.builds(Recipient, ADDRESSES, st.just("failed"), STATUSES), max_size=5))
def test_every_failed_recipient_is_found_with_its_status(recipients: list[Recipient]) -> None:
    found = failures(report(*recipients))
    assert found == tuple(Failure(each.status, (each.address,)) for each in recipients)


@pytest.mark.parametrize("action", ["delayed", "delivered", "relayed", "expanded"])
def test_a_mail_that_is_only_late_or_went_on_is_no_failure(action: str) -> None:
    assert failures(report(Recipient("a@b.example", action, "4.4.1"))) == ()


def test_the_address_we_asked_for_comes_before_the_one_it_was_forwarded_to() -> None:
    (found,) = failures(report(Recipient("far@away.example", original="asked@here.example")))
    assert found.addresses == ("asked@here.example", "far@away.example")


@pytest.mark.parametrize(
    ("written", "status"),
    [("5.2.2 (mailbox full)", "5.2.2"), ("4.4.7", "4.4.7"), ("", "5.0.0"), ("2.0.0", "5.0.0"), ("5.1.1234", "5.0.0")],
)
def test_a_status_with_words_is_cut_and_an_odd_one_is_undefined(written: str, status: str) -> None:
    (found,) = failures(report(Recipient("a@b.example", status=written)))
    assert found.status == status


def test_words_about_a_mailbox_in_a_letter_are_no_report() -> None:
    letter = b"Subject: away\r\n\r\nFinal-Recipient: rfc822; a@b.example\r\nAction: failed\r\nStatus: 5.1.1\r\n"
    assert failures(letter) == ()


def test_addresses_do_not_show_in_a_trace() -> None:
    assert "someone" not in repr(failures(report(Recipient("someone@b.example"))))


@given(st.binary(max_size=2000), st.integers(0, 60))
def test_odd_bytes_anywhere_in_a_report_never_raise(odd: bytes, at: int) -> None:
    whole = report(Recipient("a@b.example"))
    cut = len(whole) * at // 60
    assert isinstance(failures(whole[:cut] + odd + whole[cut:]), tuple)


def test_parts_within_parts_without_end_are_given_up() -> None:
    nested = b"".join(
        b'Content-Type: multipart/mixed; boundary="%d"\r\n\r\n--%d\r\n' % (each, each) for each in range(3000)
    )
    assert failures(nested) == ()
