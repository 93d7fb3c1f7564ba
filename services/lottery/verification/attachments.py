"""What is checked beside a transcript: the draw that it corrects, evidence of dice, a proof of inclusion. Pure."""

import hashlib
import json
from collections.abc import Callable, Mapping
from typing import Any

from services.lottery.record.inclusion import check_proof
from services.lottery.verification.transcript_checks import Check
from shared.signing import verify

_ON_THE_LIST = {True: "the entry is on the list", False: "the entry is not on the list", None: "it does not hold"}


def check_previous(content: Any, previous: Any) -> Check:
    """Whether `previous` (a transcript, or a published manifest) is the very draw that this one says it corrects."""
    return _readable("previous draw", lambda: _previous(content, previous))


def check_evidence(content: Any, evidence: bytes) -> Check:
    """Whether the transcript names this photograph or recording, byte for byte."""
    return _readable("evidence of the dice", lambda: _evidence(content, evidence))


def check_inclusion(content: Any, proof: Any) -> Check:
    """Whether the proof is of this transcript's list; that the entry is absent is proved as well."""
    return _readable("proof of inclusion", lambda: _inclusion(content, proof))


def correction(content: Any) -> dict[str, str] | None:
    """`draw`, `reason`, `actor`, `approved_by` of the draw that this one corrects; None for a first draw."""
    named: dict[str, str] | None = json.loads(content["manifest"])["previous"]
    return named


def _previous(content: Mapping[str, Any], previous: Mapping[str, Any]) -> tuple[bool, str]:
    named, line = correction(content), str(previous["manifest"])
    if named is None:
        return False, "this draw corrects none"
    if hashlib.sha256(line.encode()).hexdigest() != named["manifest_sha256"]:
        return False, f"it is not the manifest of {named['draw']} that was given up"
    signed = verify(content["signing_key"], line.encode(), previous["signature"])
    return signed, f"{named['draw']}, given up: {named['reason']}" if signed else "another key signed it"


def _evidence(content: Mapping[str, Any], evidence: bytes) -> tuple[bool, str]:
    digest = f"sha256:{hashlib.sha256(evidence).hexdigest()}"
    named = digest in content["dice_evidence"]
    return named, f"{digest} {'stands' if named else 'does not stand'} in the transcript"


def _inclusion(content: Mapping[str, Any], proof: Any) -> tuple[bool, str]:
    verdict = check_proof(proof, json.loads(content["manifest"])["root"])
    return verdict is not None, _ON_THE_LIST[verdict]


def _readable(name: str, check: Callable[[], tuple[bool, str]]) -> Check:
    try:
        passed, text = check()
    except (KeyError, TypeError, ValueError, AttributeError):
        return Check(name, False, "it cannot be read")
    return Check(name, passed, text)
