"""One builder per thing the vault's tests talk about."""

import hashlib
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from services.vault.identities.person import Person
from shared import crockford
from shared.campaign import Campaign, load_campaigns
from shared.codes import Code, entry_id, has_entry_number
from shared.ids import ApplicationId, CampaignId

CAMPAIGN = CampaignId("777-days")
CODE = Code("Z2CXEZZ657RYX4D8")
"""Place holder in plaintexts: where the application id is known, `code_of` gives the code."""

NOT_AFTER = datetime(2018, 5, 30, 9, 0, tzinfo=UTC)


def campaign() -> Campaign:
    """Return the sample campaign, as it ships."""
    return load_campaigns(Path("deploy/campaigns"))[CAMPAIGN]


def person(**changes: Any) -> Person:
    """Return an adult resident with an e-mail address; `changes` replace fields."""
    facts: dict[str, Any] = {
        "name": "髙橋 一郎",
        "postal_code": "1600021",
        "address": "東京都新宿区歌舞伎町1-4-1",
        "phone": "0300000001",
        "age": 34,
        "grade": None,
        "email": "ichiro@gmail.example",
        "guardian_name": None,
    }
    return Person(**(facts | changes))


def pupil(grade: str = "p3", **changes: Any) -> Person:
    return person(**({"age": None, "grade": grade, "guardian_name": "髙橋 恵子"} | changes))


def content(**changes: Any) -> dict[str, Any]:
    """Return the plaintext of `docs/protocols.md` §1 for an adult whose choices are allowed."""
    applicant = {
        "name": "髙橋　一郎",
        "postal_code": "160-0021",
        "address": "東京都新宿区歌舞伎町１－４－１",
        "phone": "03-0000-0001",
        "age": 34,
        "email": "ichiro@gmail.example",
    }
    whole: dict[str, Any] = {
        "v": 2,
        "code": CODE,
        "purpose_version": "2018-05",
        "applicant": applicant,
        "choices": [{"class": "adult-running", "seats": 1}],
    }
    return whole | changes


def code_of(application_id: ApplicationId) -> Code:
    """Return the code of the tests' applicant with this id; each has an entry number."""
    for count in range(99):
        digest = hashlib.sha256(f"{application_id} {count}".encode()).digest()
        code = Code(crockford.encode(digest, 16))
        if has_entry_number(entry_id(CAMPAIGN, application_id, code)):
            return code
    raise AssertionError("no code")


def written(whole: dict[str, Any]) -> bytes:
    return json.dumps(whole, ensure_ascii=False).encode("utf-8")
