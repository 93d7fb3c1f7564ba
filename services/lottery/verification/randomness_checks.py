"""Checks of a transcript's randomness: the witnesses' acts, and the beacon's value (`docs/spec/draw-2.md` §5). Pure."""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from services.lottery.randomness.sources import InvalidRandomnessError, check_beacon
from services.lottery.record.manifest import Manifest
from services.lottery.verification.check import Check
from shared.dice_acts import DIGITS, InvalidDiceActsError, read_dice

_OWN_CHAIN: Final = "the signature is of a rehearsal's own chain: the owner of its key knew it, so it proves nothing"


def check_randomness(manifest: Manifest, content: Mapping[str, Any], vault_key: str | None) -> Iterator[Check]:
    """Yield the checks of both sources. `vault_key`: the vault's published key, None to take the manifest's."""
    if vault_key is not None and manifest.uses_dice:
        same = manifest.vault_key == vault_key
        yield Check("vault key", same, f"the manifest names {'the published' if same else 'another'} key of the vault")
    yield _dice(manifest, content, vault_key)
    beacon = manifest.beacon
    ahead = beacon.at > max(manifest.frozen_at, manifest.objections_until)
    text = "the round came after the freeze and the end of objections" if ahead else "its value was known before"
    yield Check("beacon's time", ahead, text)
    yield _beacon(manifest, content["beacon_signature"])


def _dice(manifest: Manifest, content: Mapping[str, Any], vault_key: str | None) -> Check:
    acts, digits = content["dice_acts"], content["dice"]
    if not manifest.uses_dice:
        return Check("dice", acts == [] and digits is None, "this draw uses no dice")
    try:
        read = read_dice(vault_key or manifest.vault_key or "", acts, manifest.dice_rule)
    except InvalidDiceActsError as error:
        return Check("dice", False, str(error))
    roles = ", ".join(act["role"] for act in acts)
    text = f"{DIGITS} digits of each of {len(acts)} witnesses ({roles}), signed by the vault before the round"
    return Check("dice", read == digits, text if read == digits else "the digits are not those of the acts")


def _beacon(manifest: Manifest, signature: object) -> Check:
    beacon = manifest.beacon
    try:
        check_beacon(signature if isinstance(signature, str) else "", beacon)
    except InvalidRandomnessError as error:
        return Check("beacon", False, str(error))
    text = _OWN_CHAIN if beacon.is_own_chain else f"the signature of round {beacon.round} is the beacon's"
    return Check("beacon", True, text)
