"""Attack a7: one member of staff tries digits until friends win, then types them.

On commit 684719a a draw by dice let whoever typed the digits choose: three friends in a class of ten after 466 tries.
Now the attacker holds exactly one staff account of the vault, with a witness's role, and sees all that is public.
"""

import hashlib
import json
import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path

import pytest
from httpx import AsyncClient

from services.lottery.allocation.reference_allocator import allocate_entry_by_entry
from services.lottery.randomness.sources import Randomness, draw_key
from services.lottery.record.manifest import Manifest
from services.lottery.verification.transcript_checks import verify_transcript
from shared.canonical import canonical
from shared.contracts import DiceRequested
from shared.dice_acts import DIGITS, write_dice_act
from shared.ids import CampaignId, DrawId
from shared.signing import SigningKey
from shared.staff_roles import Role
from tests.support.chance import acts_of, value_of
from tests.support.draw_builders import sample_campaign, sample_entries, transcript_of
from tests.support.executed_approvals import VAULT
from tests.support.people_harness import VAULT as VAULT_PAGES
from tests.support.people_harness import PeopleHarness, running
from tests.support.staff_sign_in import sign_in_at_vault

SIGNING = SigningKey.generate()
ENTRIES = sample_entries(300)
HONEST = transcript_of(sample_campaign(), ENTRIES, SIGNING)
MANIFEST = Manifest.read(HONEST["manifest"])
ROUND_AT = MANIFEST.beacon.at
VALUE = value_of(MANIFEST.beacon.round)
KIDS = "escort-kids"
FRIEND = next(each.id for each in ENTRIES if any(name == KIDS for name, _ in each.choices))


@asynccontextmanager
async def ceremony(mongo_url: str, namespace: str, folder: Path) -> AsyncIterator[PeopleHarness]:
    """Run a vault whose lottery waits for digits; the clock stands ten minutes before the round."""
    async with running(mongo_url, namespace, folder) as vault:
        asked = DiceRequested(
            campaign=CampaignId(MANIFEST.campaign), draw=DrawId(MANIFEST.draw), number=1,
            manifest_sha256=MANIFEST.sha256, opens=MANIFEST.objections_until, round_at=ROUND_AT, witnesses=2,
        )  # fmt: skip
        await vault.store.transact(lambda uow: vault.dice.service.on_requested([asked], uow))
        vault.clock.at = ROUND_AT - timedelta(minutes=10)
        yield vault


async def signed_in(vault: PeopleHarness, staff_id: str, role: Role) -> AsyncClient:
    browser = vault.browser()
    browser.headers.update(await sign_in_at_vault(vault.store, vault.keystore, staff_id, {role}, VAULT_PAGES))
    return browser


def digits_that_let_the_friend_win(others: str, value: str) -> str:
    """Try digits as the attacker does, with a guess or the knowledge of the beacon's value."""
    while True:
        digits = "".join(secrets.choice("0123456789") for _ in range(DIGITS))
        key = draw_key(MANIFEST.line, Randomness(others + digits, value))
        if FRIEND in allocate_entry_by_entry(key, ENTRIES, MANIFEST.classes, MANIFEST.rules).winners[KIDS]:
            return digits


async def test_one_witness_who_knows_the_value_comes_too_late_to_type(mongo_url: str, namespace: str, tmp_path: Path):
    async with ceremony(mongo_url, namespace, tmp_path) as vault:
        path = f"/v1/campaigns/{MANIFEST.campaign}/dice/{MANIFEST.draw}"
        honest, attacker = (
            await signed_in(vault, "mori-02", Role.WARD),
            await signed_in(vault, "kuro-01", Role.RESPONSIBLE),
        )
        assert (await honest.post(path, json={"digits": "1" * DIGITS})).status_code == 200
        vault.clock.at = ROUND_AT
        chosen = digits_that_let_the_friend_win("1" * DIGITS, VALUE)
        late = await attacker.post(path, json={"digits": chosen})
        assert (late.status_code, late.json()["type"]) == (409, "urn:kuji:problem:dice-late")


async def test_one_witness_cannot_enter_for_the_other_nor_twice(mongo_url: str, namespace: str, tmp_path: Path):
    async with ceremony(mongo_url, namespace, tmp_path) as vault:
        path = f"/v1/campaigns/{MANIFEST.campaign}/dice/{MANIFEST.draw}"
        attacker = await signed_in(vault, "kuro-01", Role.RESPONSIBLE)
        assert (await attacker.post(path, json={"digits": "1" * DIGITS})).status_code == 200
        again = await attacker.post(path, json={"digits": "2" * DIGITS})
        other = {"digits": "2" * DIGITS, "by": "mori-02", "role": "ward"}
        assert (again.json()["type"], (await attacker.post(path, json=other)).status_code) == (
            "urn:kuji:problem:dice-entered-before",
            422,
        )


def resigned(**changed: object) -> dict[str, object]:
    """Return the transcript with other members, signed again: the attacker holds the lottery's key."""
    unsigned = {name: value for name, value in {**HONEST, **changed}.items() if name != "signature_of_result"}
    return {**unsigned, "signature_of_result": SIGNING.sign(canonical(unsigned))}


def failed(content: dict[str, object]) -> set[str]:
    return {check.name for check in verify_transcript(content, vault_key=VAULT.public).checks if not check.passed}


def redrawn(acts: list[dict[str, object]], digits: str) -> dict[str, object]:
    """Return a transcript that the attacker computed anew from these acts, with all results right."""
    key = draw_key(MANIFEST.line, Randomness(digits, VALUE))
    drawn = allocate_entry_by_entry(key, ENTRIES, MANIFEST.classes, MANIFEST.rules)
    places = {
        name: {class_id: [entry.hex() for entry in ids] for class_id, ids in listed.items()}
        for name, listed in (("winners", drawn.winners), ("waiting", drawn.waiting))
    }
    return resigned(dice_acts=acts, dice=digits, key=key.hex(), **places)


def test_a_lottery_that_was_taken_over_cannot_make_up_or_repeat_or_backdate_an_act():
    """Forge acts as a holder of the lottery's key, who sees the value; acts are signed by the vault's key."""
    rule = MANIFEST.dice_rule
    first, second = acts_of(rule)
    chosen = digits_that_let_the_friend_win(first["params"]["digits"], VALUE)
    foreign = write_dice_act(SIGNING, second["id"], rule, chosen, "auditor", rule.latest)
    altered = {**second, "params": {**second["params"], "digits": chosen}}
    late = acts_of(type(rule)(rule.campaign, rule.draw, rule.manifest_sha256, 2, ROUND_AT + timedelta(hours=1)))
    backdated = {**late[1], "at": second["at"]}
    other_draw = acts_of(type(rule)(rule.campaign, rule.draw, hashlib.sha256(b"x").hexdigest(), 2, ROUND_AT))[1]
    assert failed(HONEST) == set()
    for forged in (foreign, altered, late[1], backdated, other_draw, first):
        digits = first["params"]["digits"] + forged["params"]["digits"]
        assert failed(redrawn([first, forged], digits)) == {"dice"}
    swapped = second["params"]["digits"] + first["params"]["digits"]
    assert failed(redrawn([second, first], swapped)) == {"dice"}
    assert failed(redrawn([first], first["params"]["digits"])) == {"dice"}


@pytest.mark.parametrize("vault_key", [SigningKey.generate().public, None], ids=["of the attacker", "none"])
def test_a_lottery_that_names_a_vaults_key_of_its_own_is_found_by_the_published_one(vault_key: str | None):
    line = canonical({**json.loads(MANIFEST.line), "vault_key": vault_key}).decode()
    changed = resigned(manifest=line, signature=SIGNING.sign(line.encode()))
    assert {"vault key", "dice"} <= failed(changed)
