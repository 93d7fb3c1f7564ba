"""Checks of files beside a transcript: the previous draw, evidence of dice, a proof of inclusion. Pure."""

import hashlib
import json
from collections.abc import Callable, Mapping
from typing import Any

from services.lottery.record.inclusion import check_proof
from services.lottery.verification.check import Check, Keys
from shared.signing import verify

_VERDICTS = {True: "the entry is on the list", False: "the entry is not on the list", None: "it does not hold"}


def check_previous(content: Any, previous: Any, keys: Keys | None = None) -> Check:
    """Check that `previous` (a transcript or a published manifest) is the draw that this one corrects.

    One of the published `keys` must have signed it; without them, the key that signed this draw.
    """
    return _run_check("previous draw", lambda: _previous(content, previous, keys))


def check_evidence(content: Any, evidence: bytes) -> Check:
    """Check that the transcript names the hash of this photograph or recording."""
    return _run_check("evidence of the dice", lambda: _evidence(content, evidence))


def check_inclusion(content: Any, proof: Any) -> Check:
    """Check that a proof of inclusion or absence belongs to the transcript's list."""
    return _run_check("proof of inclusion", lambda: _inclusion(content, proof))


def find_correction(content: Any) -> dict[str, str | None] | None:
    """Return `draw`, `reason`, `actor`, `approved_by` of the corrected draw; None for a first draw."""
    named: dict[str, str | None] | None = json.loads(content["manifest"])["previous"]
    return named


def _previous(content: Mapping[str, Any], previous: Mapping[str, Any], keys: Keys | None) -> tuple[bool, str]:
    named, line = find_correction(content), str(previous["manifest"])
    if named is None:
        return False, "this draw corrects no other draw"
    if named["manifest_sha256"] is None:
        return False, f"{named['draw']} was given up before its list was frozen: {named['reason']}; it has no manifest"
    if hashlib.sha256(line.encode()).hexdigest() != named["manifest_sha256"]:
        return False, f"it is not the manifest of {named['draw']} that was given up"
    believed = (content["signing_key"],) if keys is None else keys
    signed = any(verify(key, line.encode(), previous["signature"]) for key in believed)
    return signed, f"{named['draw']}, given up: {named['reason']}" if signed else "another key signed it"


def _evidence(content: Mapping[str, Any], evidence: bytes) -> tuple[bool, str]:
    digest = f"sha256:{hashlib.sha256(evidence).hexdigest()}"
    named = digest in content["dice_evidence"]
    return named, f"{digest} {'stands' if named else 'does not stand'} in the transcript"


def _inclusion(content: Mapping[str, Any], proof: Any) -> tuple[bool, str]:
    verdict = check_proof(proof, json.loads(content["manifest"])["root"])
    return verdict is not None, _VERDICTS[verdict]


def _run_check(name: str, check: Callable[[], tuple[bool, str]]) -> Check:
    try:
        passed, text = check()
    except (KeyError, TypeError, ValueError, AttributeError):
        return Check(name, False, "it cannot be read")
    return Check(name, passed, text)
