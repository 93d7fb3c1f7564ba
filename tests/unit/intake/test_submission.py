"""Intake reads the shape and the identity of a submission, nothing else."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from services.intake.rules.submission import Submission, VersionSubmission, fingerprint
from shared.encoding import b64url
from shared.ids import CampaignId

CAMPAIGN = CampaignId("777-days")


def body(**changes: Any) -> dict[str, Any]:
    sealed = b64url(bytes(1200))
    return {
        "v": 2,
        "application_id": "7b0c1f52-6f0a-4c1e-9d57-3a8a8f0f6b21",
        "key_id": "k1",
        "sealed": sealed,
        "proof_sha256": "0" * 64,
    } | changes


def parse(content: object) -> Submission:
    return Submission.model_validate_json(json.dumps(content))


@pytest.mark.parametrize(
    "wrong",
    [
        body(v=1),
        body(v=2.0),
        body(v=True),
        body(proof_sha256="0" * 63),
        body(application_id="7B0C1F52-6F0A-4C1E-9D57-3A8A8F0F6B21"),
        body(application_id="00000000-0000-1000-8000-000000000000"),
        body(key_id=""),
        body(sealed=""),
        body(sealed=b64url(bytes(1136))),
        body(sealed=b64url(bytes(1200)) + "="),
        body(sealed="山田" * 1000),
        body(sealed=17),
        body(name="山田"),
        {key: value for key, value in body().items() if key != "sealed"},
        [],
        "text",
        None,
    ],
)
def test_a_body_without_the_documented_shape_is_refused(wrong: object):
    with pytest.raises(ValidationError):
        parse(wrong)


@pytest.mark.parametrize("change", [{"name": "山田"}, {"proof": "short"}, {"version": 0}, {"version": None}, {"v": 1}])
def test_a_correction_without_the_documented_shape_is_refused_without_repeating_it(change: dict[str, Any]):
    right = {"v": 2, "version": 2, "key_id": "k1", "sealed": b64url(bytes(1200)), "proof": b64url(bytes(32))}
    assert VersionSubmission.model_validate_json(json.dumps(right)).version == 2
    with pytest.raises(ValidationError) as caught:
        VersionSubmission.model_validate_json(json.dumps(right | change))
    assert "山田" not in str(caught.value)


def test_a_refusal_does_not_repeat_what_was_sent():
    with pytest.raises(ValidationError) as caught:
        parse(body(sealed="山田太郎" * 400))
    assert "山田" not in str(caught.value)


def test_the_shortest_sealed_application_holds_one_byte():
    assert parse(body(sealed=b64url(bytes(1137)))).sealed


def test_the_fingerprint_does_not_depend_on_how_the_json_is_written():
    content = body()
    spaced = json.dumps(dict(reversed(content.items())), indent=3)
    same = fingerprint(CAMPAIGN, Submission.model_validate_json(spaced))
    assert same == fingerprint(CAMPAIGN, parse(content))


@given(data=st.binary(min_size=1137, max_size=1300))
def test_any_other_sealed_bytes_have_another_fingerprint(data: bytes):
    same = data == bytes(1200)
    other = fingerprint(CAMPAIGN, parse(body(sealed=b64url(data))))
    assert (other == fingerprint(CAMPAIGN, parse(body()))) == same


def test_campaign_key_and_proof_are_part_of_the_fingerprint():
    submission = parse(body())
    prints = {
        fingerprint(CAMPAIGN, submission),
        fingerprint(CampaignId("other"), submission),
        fingerprint(CAMPAIGN, parse(body(proof_sha256="1" * 64))),
        fingerprint(CAMPAIGN, parse(body(key_id="k2"))),
        fingerprint(CAMPAIGN, parse(body(application_id="aaaaaaaa-6f0a-4c1e-9d57-3a8a8f0f6b21"))),
    }
    assert len(prints) == 5
