"""Access to the root key: the passphrase of its file, or the token in which it lies."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Self

from services.vault.keys.roots import KeyToken
from services.vault.settings import VaultSettings
from shared.errors import ConfigurationError
from shared.settings import read_secret

PASSPHRASE, MODULE, LABEL, PIN = (
    f"KUJI_{name}" for name in ("PASSPHRASE_FILE", "TOKEN_MODULE", "TOKEN_LABEL", "TOKEN_PIN_FILE")
)

DEFAULT_LABEL: Final = "kuji"


@dataclass(frozen=True)
class RootAccess:
    """Passphrase and token, as far as they were given. Neither is asked before it is needed."""

    read_passphrase: Callable[[], str] | None = None
    token: KeyToken | None = None

    @classmethod
    def of(cls, given: "str | Callable[[], str] | RootAccess") -> "RootAccess":
        """Return the access by a passphrase, or by a function that reads it."""
        if isinstance(given, RootAccess):
            return given
        return cls(given if callable(given) else lambda: given)

    @classmethod
    def of_settings(cls, settings: VaultSettings) -> Self:
        """Return what the settings of a vault name. Raises ConfigurationError for a token without its package."""
        file = settings.passphrase_file
        read = None if file is None else lambda: read_secret(file, PASSPHRASE)
        folder, pin_file = settings.keystore_dir, settings.token_pin_file
        return cls(read, token_at(settings.token_module, settings.token_label, pin_file, folder))

    def passphrase(self) -> str:
        """Return the passphrase. Raises ConfigurationError."""
        if self.read_passphrase is None:
            raise ConfigurationError(f"the root key is sealed by a passphrase; name its file ({PASSPHRASE})")
        return self.read_passphrase()

    def needed_token(self) -> KeyToken:
        """Return the token. Raises ConfigurationError."""
        if self.token is None:
            raise ConfigurationError(f"the root key lies in a token; set {MODULE} and {PIN} (docs/operations.md)")
        return self.token


def token_at(
    module: Path | None, label: str, pin_file: Path | None, folder: Path, *, allows_doubtful_pin: bool = False
) -> KeyToken | None:
    """Return the token, which is not asked yet; None where no module is named. Raises ConfigurationError.

    `folder`: the key folder, which keeps the mark of a PIN that was refused.
    """
    if module is None:
        return None
    if pin_file is None:
        raise ConfigurationError(f"{MODULE} is set: name the file with the token's PIN, too ({PIN})")
    try:
        from services.vault.keys.refused_pin import RefusedPin  # noqa: PLC0415  (it belongs to the token)
        from services.vault.keys.token import Token  # noqa: PLC0415  (python-pkcs11 is optional)
        from services.vault.keys.token_login import TokenPlace  # noqa: PLC0415  (it, too)
    except ImportError:
        raise ConfigurationError(
            f"{MODULE} is set and the package python-pkcs11 is not installed; install locks/vault-token.txt"
        ) from None
    refused = RefusedPin(folder, label, pin_file)
    return Token(TokenPlace(module, label, lambda: read_secret(pin_file, PIN), refused, allows_doubtful_pin))
