"""Outcome slips as the lottery signs them, with the signing key of the test session."""

from typing import Any

from shared.contracts.slips import SLIP_CONTEXT, OutcomeSlip
from shared.json_types import JsonObject
from shared.service_keys import read_private_key
from tests.support.service_keys import keys_dir

TOKEN = "tok_rzkv5wygz9eqt0qce2yh1d9wbg"
RECEIPT = "W-7K3M-9Q2P-6"
ENTRY = "0b6f2a525d0b4b6c9d3a3f1f6f0f2c11"
PASS = f"KP1:{'A' * 160}"
"""Form of a pass; it is not signed."""


def slip_document(**changes: Any) -> JsonObject:
    """Return the members of a slip without key and signature: one class won, one refused. None removes a member."""
    document: JsonObject = {
        "v": 2,
        "campaign": "777-days",
        "draw": "777-days-1",
        "n": 1_000_000,
        "token": TOKEN,
        "receipt": RECEIPT,
        "entry": ENTRY,
        "issued_at": "2018-06-08T10:00:00+09:00",
        "outcomes": [
            {"class_id": "junior-football", "outcome": "won", "seats": 1},
            {"class_id": "press-kids", "outcome": "refused", "seats": 1, "reason": "grade"},
        ],
        "passes": [{"class_id": "junior-football", "code": PASS}],
    }
    return {name: value for name, value in (document | changes).items() if value is not None}


def sign_slip(document: JsonObject) -> JsonObject:
    """Return any document signed as a slip by the session's lottery, also one that the contract refuses."""
    return read_private_key(keys_dir(), "lottery", "signing").sign_in_context(SLIP_CONTEXT, document)


def make_slip(**changes: Any) -> OutcomeSlip:
    """Return a signed slip with these members changed; None removes a member."""
    return OutcomeSlip.model_validate(sign_slip(slip_document(**changes)))
