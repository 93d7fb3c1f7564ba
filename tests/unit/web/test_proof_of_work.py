"""Proof of work: what the form computes intake accepts, and nothing else."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.intake.rules.proof_of_work import is_done
from services.intake.rules.submission import Submission
from shared.encoding import b64url
from shared.ids import CampaignId, new_application_id
from tests.support.node_programs import Ask

CAMPAIGN = CampaignId("777-days")
SEALED = b64url(bytes(range(256)) * 5)
KNOWN = [113, 199, 398]


def submission() -> Submission:
    return submission_of(new_application_id())


def submission_of(application_id: str) -> Submission:
    members = {"v": 2, "application_id": application_id, "key_id": "k1", "sealed": SEALED, "proof_sha256": "0" * 64}
    return Submission.model_validate(members)


def test_the_forms_work_is_accepted_for_this_application_and_no_other(ask: Ask):
    applications = [submission() for _ in range(5)]
    bits = [0, 1, 7, 8, 12]
    question = [
        {"campaign": CAMPAIGN, "application_id": each.application_id, "sealed": each.sealed, "bits": wanted}
        for each, wanted in zip(applications, bits, strict=True)
    ]
    nonces = ask("work", question)
    for each, wanted, nonce in zip(applications, bits, nonces, strict=True):
        assert is_done(CAMPAIGN, each, str(nonce), wanted)
    hardest, nonce = applications[-1], str(nonces[-1])
    assert not is_done(CampaignId("other"), hardest, nonce, 12)
    assert not is_done(CAMPAIGN, applications[0], nonce, 12)
    assert nonces[-1] == 0 or not is_done(CAMPAIGN, hardest, str(nonces[-1] - 1), 12)


def test_the_known_answer_stands():
    """Counted by hand: hashlib alone over the bytes that protocols.md §1 names."""
    fixed = submission_of("7b0c1f52-6f0a-4c1e-9d57-3a8a8f0f6b21")
    assert [nonce for nonce in range(600) if is_done(CAMPAIGN, fixed, str(nonce), 8)] == KNOWN


@pytest.mark.parametrize("nonce", [None, "", "-1", "1.0", "٣", "0x10", "1" * 16])
def test_what_is_no_nonce_is_no_work(nonce: str | None):
    assert not is_done(CAMPAIGN, submission(), nonce, 1)


@given(st.text(max_size=20))
def test_without_bits_nothing_is_asked(nonce: str):
    assert is_done(CAMPAIGN, submission(), nonce, 0)
