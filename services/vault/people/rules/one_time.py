"""One-time codes: of an authenticator app (TOTP, RFC 6238) and of invitations. Pure but for the system's generator."""

import hashlib
import hmac
import re
import secrets
import unicodedata
from datetime import datetime
from typing import Final

from pyotp import TOTP, random_base32

from shared import crockford

STEP_S: Final = 30
_DRIFT_STEPS: Final = (0, -1, 1)
"""Steps that are accepted: a telephone's clock may differ by half a minute (RFC 6238 §5.2)."""

_CODE_BYTES: Final = 10
_CODE_CHARACTERS: Final = 16


def new_totp_secret() -> str:
    """Return a new secret: 160 bits, Base32 (RFC 4226 §4)."""
    return random_base32()


def matching_step(secret: str, code: str, at: datetime) -> int | None:
    """Return the time step whose code this is, or None. The caller accepts each step once only (RFC 6238 §5.2)."""
    digits = re.sub(r"\s", "", unicodedata.normalize("NFKC", code))
    now = int(at.timestamp()) // STEP_S
    totp = TOTP(secret)
    for drift in _DRIFT_STEPS:
        if hmac.compare_digest(totp.generate_otp(now + drift).encode(), digits.encode()):
            return now + drift
    return None


def provisioning_uri(secret: str, account: str, issuer: str) -> str:
    """Return the URI that an authenticator app reads from a QR code."""
    return TOTP(secret).provisioning_uri(name=account, issuer_name=issuer)


def new_code() -> str:
    """Return a one-time code of 80 random bits: 16 Crockford characters in four groups."""
    text = crockford.encode(secrets.token_bytes(_CODE_BYTES), _CODE_CHARACTERS)
    return "-".join(text[at : at + 4] for at in range(0, _CODE_CHARACTERS, 4))


def code_hash(code: str) -> str:
    """Return the hash under which a code is stored, hex. Case, width, hyphens, blanks and O/0, I/L/1 do not matter."""
    bare = re.sub(r"[\W_]", "", unicodedata.normalize("NFKC", code)).upper()
    return hashlib.sha256(b"kuji/staff-code/1\x00" + bare.translate(_ALIKE).encode()).hexdigest()


_ALIKE: Final = str.maketrans("OIL", "011")
