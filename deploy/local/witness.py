"""Run the witness of the audit log beside a local stack; on a real installation the ward runs it elsewhere."""

import os
import sys
from dataclasses import dataclass
from pathlib import Path

from deploy.local.paths import ROOT
from deploy.local.processes import Child, Watchdog
from deploy.witness.command import make_witness
from shared.files import write_atomic
from shared.pinned_keys import PinnedKeys


@dataclass(frozen=True)
class LocalWitness:
    """Witness below `home`, with a key of its own. `pin_file`: the vault's public keys, once they are known."""

    home: Path
    pin_file: Path
    port: int

    @property
    def environment(self) -> dict[str, str]:
        """Settings of the vault."""
        return {"KUJI_WITNESS_URL": f"http://127.0.0.1:{self.port}", "KUJI_WITNESS_KEY_FILE": str(self.key_file)}

    @property
    def key_file(self) -> Path:
        """File with its public key (name+id+key), for the vault and for verifiers."""
        return self.home / "public-key"

    def start(self, log: Path, watchdog: Watchdog) -> Child:
        """Make its key and start it; it refuses every checkpoint until the vault's key is in `pin_file`."""
        made = make_witness(self.home, PinnedKeys(self.pin_file).all)
        write_atomic(self.key_file, made.key.vkey.encode("ascii"))
        log.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        files = ["--folder", str(self.home), "--vault-key-file", str(self.pin_file), "--port", str(self.port)]
        return Child.start(
            "witness",
            [sys.executable, "-m", "deploy.witness", *files],
            env={"PATH": os.environ.get("PATH", "/usr/bin:/bin"), "PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": "1"},
            log=log,
            watchdog=watchdog,
            cwd=ROOT,
        )
