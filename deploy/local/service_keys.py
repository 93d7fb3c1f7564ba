"""Key folders of an installation: makes service keys, rotates them without a stop, and revokes stolen ones."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final, Self

from shared.errors import ConfigurationError
from shared.files import write_atomic
from shared.service_keys import PUBLIC_KEYS, KeyUse, PublicKey, format_public_keys, key_file, parse_public_keys
from shared.signing import SigningKey

_USES: Final[Mapping[str, tuple[KeyUse, ...]]] = {"lottery": ("service", "signing")}
"""Keys of a service that has more than its service key."""


@dataclass(frozen=True)
class KeyFolders:
    """The key folders of an installation, by service; all of them hold the same public keys."""

    folders: Mapping[str, Path]
    mode: int = 0o600

    @classmethod
    def below(cls, folder: Path, services: tuple[str, ...], mode: int = 0o600) -> Self:
        """Return folders named after the services."""
        return cls({service: folder / service for service in services}, mode)

    def make(self) -> None:
        """Make the keys that a service has not yet, and give all public keys to all services. Safe to repeat.

        The lottery's signing key is made here and not by the lottery: the vault, which checks slips by it, must know it
        from set-up and not from a message.
        """
        keys = list(self.public_keys())
        for service, folder in self.folders.items():
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            keys += [
                self._write_new_key(service, use)
                for use in uses_of(service)
                if not (folder / key_file(service, use)).exists()
            ]
        self._publish(tuple(keys))

    def rotate(self, service: str, use: KeyUse = "service") -> PublicKey:
        """Replace a key of `service` without a stop: publish the new public key, then let the service sign.

        What the old key signed stays valid (`verify`). Raises ConfigurationError for a use that the service has not.
        """
        if use not in uses_of(service):
            raise ConfigurationError(f"{service} has no key for this use; it has {', '.join(uses_of(service))}")
        new = SigningKey.generate()
        added = PublicKey(service, new.public, use=use)
        retired = [
            replace(key, state="verify") if (key.service, key.use, key.state) == (service, use, "active") else key
            for key in self.public_keys()
        ]
        self._publish((*retired, added))
        self._write(self.folders[service] / key_file(service, use), new)
        return added

    def revoke(self, name: str) -> None:
        """Refuse everything that the key of this name signed. Raises ConfigurationError for an unknown name."""
        keys = self.public_keys()
        if name not in {key.key for key in keys}:
            raise ConfigurationError("no service key has this name; list them with ./kuji service-keys list")
        self._publish(tuple(replace(key, state="revoked") if key.key == name else key for key in keys))

    def public_keys(self) -> tuple[PublicKey, ...]:
        """Return all public keys, none before `make`."""
        for folder in self.folders.values():
            if (folder / PUBLIC_KEYS).exists():
                return parse_public_keys((folder / PUBLIC_KEYS).read_text("utf-8"))
        return ()

    def _write_new_key(self, service: str, use: KeyUse) -> PublicKey:
        key = SigningKey.generate()
        self._write(self.folders[service] / key_file(service, use), key)
        return PublicKey(service, key.public, use=use)

    def _write(self, path: Path, key: SigningKey) -> None:
        _replace(path, key.to_text(), self.mode)

    def _publish(self, keys: tuple[PublicKey, ...]) -> None:
        for folder in self.folders.values():
            _replace(folder / PUBLIC_KEYS, format_public_keys(keys), self.mode)


def uses_of(service: str) -> tuple[KeyUse, ...]:
    """Return the uses for which a service has a key."""
    return _USES.get(service, ("service",))


def _replace(path: Path, content: str, mode: int) -> None:
    """Replace a file in one step. The mode is set apart, because the umask may take bits away."""
    write_atomic(path, content.encode("utf-8"), mode=mode)
    path.chmod(mode)
