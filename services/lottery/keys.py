"""Hold the lottery's own keys: its signing key, and for each campaign a key for pass codes. Files have mode 0600.

The signing key lies in the folder of the service keys: set-up makes it and hands its public key to the vault.
"""

import hashlib
import hmac
import secrets
from pathlib import Path

from shared import crockford
from shared.files import create_once, overwrite_and_remove
from shared.ids import ApplicationId, CampaignId, DrawId
from shared.service_keys import read_private_key

_KEY_BYTES = 32
_PASS_SYMBOLS = 16


class LotteryKeys:
    """Keys of an installation, which all its lottery processes share.

    `folder`: keys for pass codes, which the lottery makes. `service_keys_dir`: signing key. Raises ConfigurationError
    where the signing key is absent.
    """

    def __init__(self, folder: Path, service_keys_dir: Path) -> None:
        self._folder = folder
        (folder / "pass-keys").mkdir(parents=True, exist_ok=True, mode=0o700)
        self.signing = read_private_key(service_keys_dir, "lottery", "signing")

    def pass_code(self, campaign: CampaignId, draw: DrawId, application_id: ApplicationId) -> str:
        """Return the pass code: 80 bits of HMAC-SHA-256 (RFC 2104) over draw and application, in groups of four."""
        key = create_once(self._pass_key(campaign), _new_key)
        code = crockford.encode(hmac.new(key, f"{draw}\x00{application_id}".encode(), hashlib.sha256).digest(), 16)
        return "-".join(code[at : at + 4] for at in range(0, _PASS_SYMBOLS, 4))

    def forget(self, campaign: CampaignId) -> None:
        """Destroy the campaign's key, so that a pass code no longer leads to an application."""
        overwrite_and_remove(self._pass_key(campaign))

    def has_pass_key(self, campaign: CampaignId) -> bool:
        """Return True until the campaign's key is destroyed, if it was ever needed."""
        return self._pass_key(campaign).exists()

    def _pass_key(self, campaign: CampaignId) -> Path:
        return self._folder / "pass-keys" / f"{campaign}.key"


def _new_key() -> bytes:
    return secrets.token_bytes(_KEY_BYTES)
