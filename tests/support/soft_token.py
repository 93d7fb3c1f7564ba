"""A PKCS#11 token in software (SoftHSM), which a test plugs in, pulls out, and looks into as its owner would."""

import os
import secrets
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pkcs11
from pkcs11.constants import Attribute, ObjectClass

from services.vault.keys.access import RootAccess, token_at
from services.vault.keys.roots import KeyToken

MODULE = Path("/usr/lib/softhsm/libsofthsm2.so")
PIN = "4711-of-the-tests"


@dataclass
class SoftToken:
    """Token with a label of its own, in a folder. The library finds it by the variable SOFTHSM2_CONF."""

    folder: Path
    label: str
    pin_file: Path

    @classmethod
    def make(cls, folder: Path) -> "SoftToken":
        """Initialise a token below the folder; `environment` must be set before the library is used."""
        made = cls(folder / "tokens", f"kuji-{secrets.token_hex(6)}", folder / "pin")
        made.folder.mkdir()
        made.pin_file.write_text(PIN)
        made.pin_file.chmod(0o600)
        lines = (f"directories.tokendir = {made.folder}", "objectstore.backend = file", "log.level = ERROR")
        made.configuration.write_text("\n".join(lines) + "\n")
        command = ["softhsm2-util", "--init-token", "--free", "--label", made.label, "--pin", PIN, "--so-pin", "9" * 8]
        subprocess.run(command, env=os.environ | made.environment, check=True, capture_output=True)
        return made

    @property
    def configuration(self) -> Path:
        return self.folder.with_name("softhsm2.conf")

    @property
    def environment(self) -> dict[str, str]:
        return {"SOFTHSM2_CONF": str(self.configuration)}

    @property
    def settings(self) -> dict[str, Any]:
        """Return the settings of a vault with its root key in this token."""
        return {"token_module": MODULE, "token_label": self.label, "token_pin_file": self.pin_file}

    @property
    def options(self) -> list[str]:
        """Return the options of `vault-keys`."""
        return [
            "--token-module", str(MODULE), "--token-label", self.label, "--token-pin-file", str(self.pin_file),
        ]  # fmt: skip

    def open(self) -> KeyToken:
        """Return the token as a vault opens it."""
        token = token_at(MODULE, self.label, self.pin_file, self.folder.parent)
        assert token is not None
        return token

    def access(self, passphrase: str | None = None) -> RootAccess:
        """Return the access to root keys of a vault that has this token, and a passphrase, too."""
        return RootAccess(None if passphrase is None else lambda: passphrase, self.open())

    def pull_out(self) -> None:
        (inside,) = self.folder.iterdir()
        self._outside.mkdir(exist_ok=True)
        inside.rename(self._outside / inside.name)

    def plug_in(self) -> None:
        (outside,) = self._outside.iterdir()
        outside.rename(self.folder / outside.name)

    @property
    def _outside(self) -> Path:
        return self.folder.with_name("pulled-out")

    def list_keys(self) -> list[dict[Attribute, Any]]:
        """Return the attributes of all keys in the token, as its owner sees them."""
        library = pkcs11.lib(str(MODULE))
        library.reinitialize()
        wanted = (
            Attribute.ID,
            Attribute.LABEL,
            Attribute.EXTRACTABLE,
            Attribute.NEVER_EXTRACTABLE,
            Attribute.SENSITIVE,
        )
        with library.get_token(token_label=self.label).open(user_pin=PIN) as session:
            found = list(session.get_objects({Attribute.CLASS: ObjectClass.SECRET_KEY}))
            return [{name: key[name] for name in wanted} for key in found]
