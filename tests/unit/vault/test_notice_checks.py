"""Check notice documents: everything that is not exactly one applicant's own slip or entry is refused."""

from dataclasses import replace
from typing import Any

import pytest

from services.vault.deliveries.rules.checks import (
    CheckedSlip,
    Register,
    RegisterEntry,
    find_flaw,
    is_superseded,
)
from shared.codes import EntryId
from shared.contracts import Choice, NoticeDocument, OutcomeSlip
from shared.ids import CampaignId, ClassId, Receipt, Token, new_token
from tests.support.identity_builders import campaign

CAMPAIGN = campaign()
TOKEN, OTHER, POST = new_token(), new_token(), new_token()
ENTRY = RegisterEntry(
    campaign=CAMPAIGN.id,
    receipt=Receipt("W-AAAA-BBBB-C"),
    entry=EntryId("05224b1c82c78a945bd65b26380ea97b"),
    version=1,
    is_paper=False,
    has_mail=True,
    is_decided=True,
    choices=(Choice(class_id=ClassId("junior-football"), seats=1),),
    refused=(),
    reasons=(),
)
REGISTER = Register(
    {TOKEN: ENTRY, OTHER: replace(ENTRY, receipt=Receipt("W-DDDD-EEEE-F")), POST: replace(ENTRY, has_mail=False)},
    {TOKEN: 1_000_000},
)


def slip(**changes: Any) -> CheckedSlip:
    """Return the slip of TOKEN as the lottery signed it; `changes` replace members."""
    members: dict[str, Any] = {
        "campaign": CAMPAIGN.id,
        "draw": f"{CAMPAIGN.id}-1",
        "n": 1_000_000,
        "token": TOKEN,
        "receipt": ENTRY.receipt,
        "entry": ENTRY.entry,
        "issued_at": "2018-05-29T10:00:00+09:00",
        "outcomes": [{"class_id": "junior-football", "outcome": "won", "seats": 1}],
        "key": "0" * 16,
        "signature": "A" * 86,
    }
    return CheckedSlip(OutcomeSlip.model_validate(members | changes), is_signed=True)


def document(**changes: Any) -> NoticeDocument:
    """Return the order of a result for TOKEN; `changes` replace members."""
    members: dict[str, Any] = {
        "notice": "n-00000000000000000001",
        "campaign": CAMPAIGN.id,
        "kind": "result",
        "channel": "mail",
        "attempt": 1,
        "n": 1_000_000,
        "token": TOKEN,
        "slip": {"checked": "apart"},
    }
    return NoticeDocument.model_validate(members | changes)


def announcement(**changes: Any) -> NoticeDocument:
    """Return the order of an announcement; `changes` replace members."""
    common = {"kind": "cancelled-by-weather", "n": 1, "token": None, "slip": None, "params": {"weather": "rain"}}
    return document(**(common | {"tokens": [TOKEN, OTHER]} | changes))


def test_a_document_with_its_own_slip_has_no_flaw() -> None:
    assert find_flaw(document(), CAMPAIGN, slip(), REGISTER) is None


@pytest.mark.parametrize(
    ("changes", "flaw"),
    [
        ({"kind": "free-text"}, "unknown-kind"),
        ({"params": {"url": "evil.example"}}, "bad-params"),
        ({"campaign": CampaignId("other")}, "bad-form"),
        ({"slip": None}, "bad-form"),
        ({"token": new_token()}, "unknown-recipient"),
        ({"token": POST}, "no-address"),
        ({"token": OTHER}, "foreign-slip"),
        ({"n": 999_999}, "wrong-number"),
        ({"kind": "offer", "params": {"class_id": "junior-football"}}, "condition"),
    ],
)
def test_a_document_that_was_changed_by_hand_is_refused(changes: dict[str, Any], flaw: str) -> None:
    assert find_flaw(document(**changes), CAMPAIGN, slip(), REGISTER) == flaw


@pytest.mark.parametrize(
    "changes",
    [
        {"campaign": "other"},
        {"token": OTHER},
        {"receipt": "W-DDDD-EEEE-F"},
        {"entry": "0" * 32},
    ],
)
def test_a_slip_that_names_another_application_is_foreign(changes: dict[str, Any]) -> None:
    assert find_flaw(document(), CAMPAIGN, slip(**changes), REGISTER) == "foreign-slip"


def test_a_slip_of_a_draw_without_a_number_is_refused() -> None:
    assert find_flaw(document(), CAMPAIGN, slip(draw=CAMPAIGN.id), REGISTER) == "bad-slip"


def test_a_slip_without_the_lotterys_signature_is_refused() -> None:
    unsigned = replace(slip(), is_signed=False)
    assert find_flaw(document(), CAMPAIGN, unsigned, REGISTER) == "bad-slip"
    assert find_flaw(document(), CAMPAIGN, None, REGISTER) == "bad-slip"


def test_an_older_number_than_the_newest_one_seen_is_superseded() -> None:
    newer = Register(REGISTER.entries, {TOKEN: 1_000_001})
    assert is_superseded(document(), newer)
    assert not is_superseded(document(), REGISTER)
    assert not is_superseded(announcement(), newer)


def test_an_announcement_goes_to_several_without_a_slip() -> None:
    assert find_flaw(announcement(), CAMPAIGN, None, REGISTER) is None


@pytest.mark.parametrize(
    ("changes", "flaw"),
    [
        ({"kind": "result", "slip": {}, "params": {}}, "bad-form"),
        ({"kind": "acknowledgement", "params": {}}, "bad-form"),
        ({"slip": {}}, "bad-form"),
        ({"channel": "card"}, "bad-form"),
        ({"tokens": [TOKEN, TOKEN]}, "bad-form"),
        ({"tokens": [TOKEN, new_token()]}, "unknown-recipient"),
        ({"tokens": [TOKEN, POST]}, "no-address"),
        ({"params": {"weather": "see http://evil.example"}}, None),
    ],
)
def test_an_announcement_names_no_person_and_only_known_recipients(changes: dict[str, Any], flaw: str | None) -> None:
    if flaw is None:
        with pytest.raises(ValueError, match="params"):
            announcement(**changes)
    else:
        assert find_flaw(announcement(**changes), CAMPAIGN, None, REGISTER) == flaw


@pytest.mark.parametrize(
    ("kind", "entry", "flaw"),
    [
        ("acknowledgement", ENTRY, None),
        ("acknowledgement", replace(ENTRY, is_decided=False), "condition"),
        ("acknowledgement", replace(ENTRY, reasons=("not-resident",)), "condition"),
        ("rejected", replace(ENTRY, reasons=("not-resident",)), None),
        ("rejected", ENTRY, "condition"),
        ("same-person", ENTRY, "condition"),
        ("same-person", replace(ENTRY, same_person_ways=frozenset({"card"})), "condition"),
        ("same-person", replace(ENTRY, same_person_ways=frozenset({"mail"})), None),
        ("same-person", replace(ENTRY, same_person_ways=frozenset({"mail"}), reasons=("grade",)), "condition"),
        ("undecided", replace(ENTRY, undecided_ways=frozenset({"card"})), "bad-form"),
    ],
)
def test_kinds_from_the_register_say_only_what_the_register_says(
    kind: str, entry: RegisterEntry, flaw: str | None
) -> None:
    order = document(kind=kind, n=1, slip=None)
    assert find_flaw(order, CAMPAIGN, None, Register({Token(TOKEN): entry}, {})) == flaw


def test_a_kind_from_the_register_has_the_version_of_the_content() -> None:
    order = document(kind="acknowledgement", n=2, slip=None)
    assert find_flaw(order, CAMPAIGN, None, REGISTER) == "wrong-number"
    corrected = Register({TOKEN: replace(ENTRY, version=2)}, {})
    assert find_flaw(order, CAMPAIGN, None, corrected) is None
    assert not is_superseded(order, corrected)


def test_a_notice_about_an_earlier_version_is_superseded_and_raises_no_alarm() -> None:
    corrected = Register({TOKEN: replace(ENTRY, version=2)}, {})
    order = document(kind="acknowledgement", n=1, slip=None)
    assert find_flaw(order, CAMPAIGN, None, corrected) is None
    assert is_superseded(order, corrected)


@pytest.mark.parametrize("ways", [frozenset({"card"}), None])
def test_a_card_about_being_left_out_is_superseded_by_a_slip_before_its_condition_is_asked(
    ways: frozenset[Any] | None,
) -> None:
    entry, order = replace(ENTRY, undecided_ways=ways), document(kind="undecided", channel="card", n=1, slip=None)
    drawn = Register({TOKEN: entry}, {TOKEN: 1_000_000})
    assert find_flaw(order, CAMPAIGN, None, drawn) is None
    assert is_superseded(order, drawn)
    left_out = Register({TOKEN: entry}, {})
    assert find_flaw(order, CAMPAIGN, None, left_out) == (None if ways else "condition")
