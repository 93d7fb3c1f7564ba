"""The lottery knows an owner by the digest of a proof."""

from services.lottery.places.ownership import is_proof_of
from shared.ids import CampaignId
from tests.support.applicants import new_applicant


def test_only_the_proof_of_this_entry_and_this_code_is_right():
    owner, other = new_applicant(CampaignId("777-days")), new_applicant(CampaignId("777-days"))
    assert is_proof_of(owner.digest, owner.proof)
    assert not is_proof_of(other.digest, owner.proof)
    assert not is_proof_of(None, owner.proof)
    assert not is_proof_of(owner.digest, "not base64url!")
