"""Files of the witness's container: its key and notes in a folder that only it mounts, and the vault's pinned keys."""

from pathlib import Path
from typing import Final

from deploy.compose.front import add_variables
from deploy.witness import PORT
from deploy.witness.command import make_witness

STATE: Final = "witness-state"
"""Folder of its key and of the checkpoints it saw."""

PINS: Final = "witness"
"""Folder of the vault's public keys, which `./kuji compose pin` writes."""

_KEY: Final = "witness-key"


def make(folder: Path) -> None:
    """Make the witness's key where there is none, and give the vault its public half. Safe to repeat.

    An address in `vault.env` that was set by hand, to a witness at the ward, stays.
    """
    state = folder / STATE
    state.mkdir(exist_ok=True)
    made = make_witness(state, tuple)
    state.chmod(0o777)  # the container's user keeps notes here; the folder above is closed to everybody else
    (state / "key").chmod(0o644)
    public = folder / "vault" / _KEY
    if not public.exists():
        public.write_text(made.key.vkey, "ascii")
        public.chmod(0o644)
    settings = {"KUJI_WITNESS_URL": f"http://witness:{PORT}", "KUJI_WITNESS_KEY_FILE": f"/run/kuji/{_KEY}"}
    add_variables(folder / "vault.env", settings)
