"""People in events: found in slips and among the recipients of an announcement, and left out alone."""

import json

import pytest

from shared.contracts import (
    MailAnswer,
    MailCompleted,
    MailRequested,
    NoticeDocument,
    PlaceNotice,
    PlacesOffered,
    RecipientRefusal,
)
from shared.contracts.named_people import IsErased, Mention, find_mention, without_people
from shared.ids import CampaignId, ClassId, DrawId, NoticeId
from tests.support.slips import ENTRY, RECEIPT, TOKEN, make_slip

CAMPAIGN = CampaignId("777-days")
OTHER = "tok_00000000000000000000000000"
NOTICE = NoticeId("ntc_" + "0" * 26)


def erased(*names: str) -> IsErased:
    """Return a test that meets these names."""
    return lambda found: not found.isdisjoint(names)


def announcement(*tokens: str) -> NoticeDocument:
    """Return the order of one announcement by mail."""
    return NoticeDocument(
        notice=NOTICE, campaign=CAMPAIGN, kind="entrance-changed", channel="mail", attempt=1, n=1, tokens=tokens  # type: ignore[arg-type]
    )  # fmt: skip


def offered(*tokens: str) -> PlacesOffered:
    """Return the notices of changed places, which name their applicants in the slips alone."""
    items = tuple(
        PlaceNotice(kind="offer", class_id=ClassId("junior-football"), slip=make_slip(token=token)) for token in tokens
    )
    return PlacesOffered(campaign=CAMPAIGN, draw=DrawId("777-days-1"), items=items)


@pytest.mark.parametrize("name", [TOKEN, RECEIPT, ENTRY])
def test_a_message_of_slips_is_about_the_person_in_the_slip(name: str) -> None:
    body = json.loads(offered(TOKEN).to_json())
    assert find_mention(body, erased(name)) is Mention.ONLY
    assert find_mention(body, erased("nobody")) is Mention.NONE


def test_a_message_about_others_too_is_mixed() -> None:
    assert find_mention(json.loads(offered(TOKEN, OTHER).to_json()), erased(TOKEN)) is Mention.MIXED
    mail = MailRequested(campaign=CAMPAIGN, items=(announcement(TOKEN, OTHER),))
    assert find_mention(json.loads(mail.to_json()), erased(TOKEN)) is Mention.MIXED
    assert find_mention(json.loads(mail.to_json()), erased(TOKEN, OTHER)) is Mention.ONLY


def test_one_recipient_of_an_announcement_is_left_out_and_the_others_get_it() -> None:
    mail = MailRequested(campaign=CAMPAIGN, items=(announcement(TOKEN, OTHER), announcement(TOKEN)))
    kept = without_people(mail, erased(TOKEN))
    assert kept is not None
    assert [item.recipients for item in kept.items] == [(OTHER,)]
    assert without_people(mail, erased(TOKEN, OTHER)) is None
    assert without_people(mail, erased("nobody")) is mail


def test_the_refusal_of_an_erased_recipient_is_left_out_of_the_answer() -> None:
    refused = tuple(RecipientRefusal(token=token, code=550) for token in (TOKEN, OTHER))  # type: ignore[arg-type]
    event = MailCompleted(
        campaign=CAMPAIGN, items=(MailAnswer(notice=NOTICE, attempt=1, answer="sent", code=250, refused=refused),)
    )
    assert find_mention(json.loads(event.to_json()), erased(TOKEN)) is Mention.MIXED
    kept = without_people(event, erased(TOKEN))
    assert kept is not None
    assert [one.token for one in kept.items[0].refused] == [OTHER]
