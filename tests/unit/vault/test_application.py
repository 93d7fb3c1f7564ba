"""Test the content of a sealed application and its verdict; an error repeats no refused value."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.vault.applications.rules.content import Judged, Unreadable, Verdict, Withdrawal, judge, judge_keyed
from services.vault.applications.rules.eligibility import is_minor
from shared.contracts import Channel
from shared.ids import ClassId
from tests.support.identity_builders import CODE, campaign, content, written

CAMPAIGN = campaign()
CODES = {"1600021": frozenset({"新宿区"}), "1640003": frozenset({"中野区"})}


def verdict(whole: dict[str, Any] | bytes, channel: Channel = "web") -> Verdict:
    plaintext = whole if isinstance(whole, bytes) else written(whole)
    return judge(plaintext, channel, CAMPAIGN, lambda code: CODES.get(code, frozenset()))


def applicant(**changes: Any) -> dict[str, Any]:
    """Return the content with a changed applicant; a member that is None is removed."""
    whole = content()
    changed = whole["applicant"] | changes
    return whole | {"applicant": {key: value for key, value in changed.items() if value is not None}}


def child(**changes: Any) -> dict[str, Any]:
    whole = applicant(age=None, grade="p3", **changes)
    return whole | {"guardian": {"name": "髙橋 恵子"}, "choices": [{"class": "junior-football", "seats": 1}]}


def judged(whole: dict[str, Any], channel: Channel = "web") -> Judged:
    result = verdict(whole, channel)
    assert isinstance(result, Judged)
    return result


def test_a_right_application_is_accepted_and_normalised():
    result = judged(content())
    assert (result.reasons, result.doubts, result.refused) == ((), (), ())
    assert [(choice.class_id, choice.seats) for choice in result.choices] == [("adult-running", 1)]
    assert result.person.name == "髙橋 一郎"
    assert result.person.address == "東京都新宿区歌舞伎町1-4-1"
    assert (result.person.postal_code, result.person.phone) == ("1600021", "0300000001")


def test_an_application_carries_its_code_and_shows_it_nowhere():
    result = judged(content())
    assert result.code == CODE
    assert CODE not in repr(result)


def test_a_withdrawal_carries_the_code_alone():
    result = verdict(written({"v": 2, "withdraw": True, "code": CODE}))
    assert result == Withdrawal(CODE)
    assert CODE not in repr(result)


def test_the_content_of_a_paper_has_no_code():
    form = applicant(email=None)
    keyed = {name: value for name, value in form.items() if name != "code"}
    assert judge_keyed(keyed, "fax", CAMPAIGN, lambda code: CODES.get(code, frozenset())).reasons == ()
    assert judge_keyed(form, "fax", CAMPAIGN, lambda code: CODES.get(code, frozenset())).reasons == ("malformed",)


def test_a_child_with_a_guardian_is_accepted():
    result = judged(child())
    assert (result.reasons, result.person.grade, result.person.guardian_name) == ((), "p3", "髙橋 恵子")


@pytest.mark.parametrize(
    "whole",
    [
        content() | {"remarks": "車椅子です"},
        applicant(religion="-"),
        content() | {"guardian": {"name": "髙橋 恵子", "phone": "0300000002"}},
        content() | {"choices": [{"class": "adult-running", "seats": 1, "note": "-"}]},
    ],
    ids=["top", "applicant", "guardian", "choice"],
)
def test_unknown_members_are_refused_at_every_level(whole: dict[str, Any]):
    assert verdict(whole) == Unreadable(("malformed",), CODE)


@pytest.mark.parametrize(
    "whole",
    [
        applicant(grade="p3"),
        applicant(age=None),
        applicant(age="34"),
        applicant(age=34.5),
        applicant(age=-1),
        applicant(age=None, grade="p7"),
        applicant(name="　"),
        applicant(name="一" * 81),
        applicant(name="佐藤\u0000一郎"),
        applicant(name="佐藤\u202e一郎"),
        applicant(name=None),
        applicant(address=None),
        applicant(address="新宿\n区"),
        applicant(phone=None),
        applicant(phone="12345"),
        applicant(phone="03-0000-0001 内線"),
        applicant(phone="٠٣٠٠٠٠٠٠٠١"),
        applicant(postal_code="160-002"),
        applicant(postal_code="١٦٠٠٠٢١"),
        applicant(email="ichiro"),
        applicant(email="a b@gmail.example"),
        applicant(email="a@gmail.example>\r\nRCPT TO:<b@gmail.example"),
        applicant(email="a@gmail.example,b@gmail.example"),
        applicant(email="太郎@gmail.example"),
        applicant(email="a\u0000b@gmail.example"),
        content() | {"guardian": {"name": "髙橋\n恵子"}},
        content() | {"guardian": {"name": "髙橋\u202e恵子"}},
        content() | {"choices": []},
        content() | {"choices": [{"class": "adult-running", "seats": 1}] * 2},
        content() | {"choices": [{"class": "Tanaka Taro", "seats": 1}]},
        content() | {"choices": [{"class": "adult-running", "seats": 0}]},
        content() | {"choices": [{"class_id": "adult-running", "seats": 1}]},
        content() | {"v": 1},
        content() | {"v": True},
        content() | {"v": 2.0},
        content() | {"withdraw": True},
        {"v": 2, "withdraw": False, "code": CODE},
        {"v": 2, "withdraw": 1, "code": CODE},
    ],
)
def test_what_does_not_fit_the_form_is_malformed(whole: dict[str, Any]):
    assert verdict(whole) == Unreadable(("malformed",), CODE)


@pytest.mark.parametrize(
    "plaintext",
    [
        b"",
        b"null",
        b"[]",
        b"{",
        b"\xff\xfe{",
        b"[" * 50_000,
        written(content()) + b"x",
        written(content()).replace("髙".encode(), b"\xff"),
        written(content()).replace("髙".encode(), rb"\ud800"),
        json.dumps(content()).encode("utf-16"),
        written(content()).replace(b'"v": 2', b'"v": 2, "v": 2'),
        written(content()).replace(b'"age": 34', b'"age": 34, "age": 34'),
        written(content()).replace(b'"age": 34', b'"age": NaN'),
        written(content()).replace(CODE.encode(), CODE[:-1].encode()),
        written(content()).replace(CODE.encode(), CODE.lower().encode()),
        written({"v": 2, "withdraw": True}),
    ],
)
def test_bytes_that_are_no_such_json_are_malformed(plaintext: bytes):
    refused = verdict(plaintext)
    assert isinstance(refused, Unreadable)
    assert refused.reasons == ("malformed",)


@given(st.binary(max_size=300) | st.text(max_size=200).map(str.encode))
def test_any_bytes_get_a_verdict(plaintext: bytes):
    assert verdict(plaintext) == Unreadable(("malformed",))


members = st.sampled_from([*content(), "name", "age"])
any_json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=9),
    lambda inner: st.lists(inner) | st.dictionaries(members, inner),
    max_leaves=9,
)


@given(any_json)
def test_any_json_gets_a_verdict(value: Any):
    assert verdict(json.dumps(value).encode()) == Unreadable(("malformed",))


def test_an_applicant_who_was_shown_another_purpose_is_rejected_and_not_stored():
    assert verdict(content(purpose_version="2017-12")) == Unreadable(("purpose-version",), CODE)


def test_a_mail_address_from_paper_is_refused_and_not_kept():
    result = judged(content(), channel="fax")
    assert result.reasons == ("channel-email",)
    assert result.person.email is None


def test_paper_without_mail_is_accepted():
    assert judged(applicant(email=None), channel="post").reasons == ()


def test_an_unrequested_guardian_is_refused_and_not_stored():
    result = judged(content() | {"guardian": {"name": "髙橋 恵子"}})
    assert result.reasons == ("guardian-not-allowed",)
    assert result.person.guardian_name is None


def test_a_child_without_guardian_is_rejected():
    whole = child()
    del whole["guardian"]
    assert judged(whole).reasons == ("guardian-missing",)


def test_a_person_from_elsewhere_is_rejected():
    result = judged(applicant(address="東京都中野区東中野5-1", postal_code="1640003"))
    assert (result.reasons, result.choices) == (("not-resident",), ())


def test_address_and_postal_code_against_each_other_are_a_doubt_and_no_reason():
    result = judged(applicant(postal_code="1640003"))
    assert (result.reasons, result.doubts) == ((), ("postal-mismatch",))
    assert result.choices


def test_a_class_in_vain_beside_a_right_one_is_only_refused():
    wanted = [{"class": "junior-football", "seats": 1}, {"class": "adult-running", "seats": 1}]
    result = judged(content(choices=wanted))
    assert result.reasons == ()
    assert [(refusal.class_id, refusal.reason) for refusal in result.refused] == [("junior-football", "age")]


def test_only_classes_in_vain_reject_with_each_reason_once():
    wanted = [{"class": "junior-football", "seats": 1}, {"class": "press-kids", "seats": 1}]
    result = judged(content(choices=wanted))
    assert (result.reasons, result.choices) == (("age",), ())


def test_an_unknown_class_is_never_repeated():
    result = judged(content(choices=[{"class": "tanaka-taro", "seats": 1}]))
    assert result.reasons == ("class-unknown",)
    assert result.refused == ()
    assert ClassId("tanaka-taro") not in {choice.class_id for choice in result.choices}


def test_verdicts_show_no_person():
    for result in (judged(content()), verdict(applicant(name="佐藤\u0000一郎"))):
        assert "一郎" not in repr(result)


@given(age=st.integers(0, 120), with_guardian=st.booleans(), channel=st.sampled_from(["web", "fax", "post"]))
def test_nothing_is_kept_that_may_not_be_collected(age: int, with_guardian: bool, channel: Channel):  # noqa: FBT001
    whole = applicant(age=age) | ({"guardian": {"name": "髙橋 恵子"}} if with_guardian else {})
    kept = judged(whole, channel).person
    assert kept.guardian_name is None or is_minor(kept)
    assert kept.email is None or channel == "web"
