"""Check a receipt document: intake's signature, and its line in the roll that the draw's manifest commits to."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import typer

from deploy.cli.api import NotRunningError, read_record
from deploy.cli.service_keys import key_folders
from shared.errors import ConfigurationError

if TYPE_CHECKING:
    from services.lottery.verification.check import Check

_NOT_FOUND: Final = 404


@dataclass(frozen=True)
class Published:
    """Published manifest (with signature and key) or transcript, and the roll as text."""

    manifest: Any
    roll: str


def is_receipt(content: Any) -> bool:
    """Return True if the file is meant as a receipt document."""
    return isinstance(content, dict) and "sealed_sha256" in content


def intake_keys(given: str | None) -> list[str]:
    """Return the given public key, or those of this installation. Raises BadParameter where there is none."""
    if given is not None:
        return [given]
    try:
        keys = key_folders().public_keys()
    except ConfigurationError:
        raise typer.BadParameter(
            "a receipt is checked against intake's public key: give it with --intake-key"
        ) from None
    return [
        key.public_key for key in keys if (key.service, key.use) == ("intake", "service") and key.state != "revoked"
    ]


def published(manifest: Path | None, roll: Path | None, campaign: str) -> Published | None:
    """Return what the files hold, or what the lottery that runs here has published; None where there is nothing.

    Raises BadParameter if only one of the files is given.
    """
    if (manifest is None) != (roll is None):
        raise typer.BadParameter("manifest and roll belong together: name both files")
    if manifest is None or roll is None:
        return _fetch(campaign)
    try:
        content = json.loads(manifest.read_text("utf-8"))
    except ValueError:
        content = None
    return Published(content, roll.read_text("utf-8"))


def check_receipt_file(
    document: Any, keys: Sequence[str], compared: Published | None, lottery_keys: Sequence[str] | None
) -> Iterator["Check"]:
    """Yield the checks of a receipt document. `lottery_keys`: the published keys of manifests."""
    from services.lottery.verification.check import Check  # noqa: PLC0415
    from shared.receipt_documents import is_receipt_of  # noqa: PLC0415

    signed = any(is_receipt_of(key, document) for key in keys)
    yield Check("signature of the receipt", signed, "intake's key signed it" if signed else "another key signed it")
    if compared is not None:
        yield from _roll_checks(document, compared, lottery_keys)


def _roll_checks(document: Any, compared: Published, lottery_keys: Sequence[str] | None) -> Iterator["Check"]:
    # A tenth of a second of imports that a check of the signature alone does not need.
    from services.lottery.verification.check import Check  # noqa: PLC0415
    from services.lottery.verification.roll_checks import check_receipt, check_roll  # noqa: PLC0415

    signed = _is_signed(compared.manifest, lottery_keys)
    yield Check("signature of the manifest", signed, "the lottery's key signed it" if signed else "it does not hold")
    yield from check_roll(compared.manifest, compared.roll)
    yield from check_receipt(compared.manifest, compared.roll, document)


def _is_signed(manifest: Any, lottery_keys: Sequence[str] | None) -> bool:
    from shared.signing import verify  # noqa: PLC0415

    try:
        key = manifest["signing_key"]
        known = lottery_keys is None or key in lottery_keys
        return known and verify(key, manifest["manifest"].encode(), manifest["signature"])
    except (KeyError, TypeError, AttributeError):
        return False


def _fetch(campaign: str) -> Published | None:
    """Return manifest and roll of the lottery that runs here; None before the freeze, or where none runs."""
    import httpx  # noqa: PLC0415  (a tenth of a second that only this needs)

    try:
        url = read_record()["services"]["lottery"]["url"]
        manifest, roll = [
            httpx.get(f"{url}/v1/campaigns/{campaign}/{name}", timeout=60, trust_env=False)
            for name in ("manifest", "roll")
        ]
    except (NotRunningError, httpx.TransportError):
        return None
    if _NOT_FOUND in {manifest.status_code, roll.status_code}:
        return None
    return Published(manifest.raise_for_status().json(), roll.raise_for_status().text)
