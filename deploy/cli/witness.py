"""`./kuji witness`: run the witness of the audit log, on a machine of the ward."""

import contextlib
import signal
from pathlib import Path
from typing import Annotated

import typer

from deploy.witness.server import Witness, make_server
from shared.clock import SystemClock


def run_witness(
    folder: Annotated[Path, typer.Option(help="Folder of its key and of the checkpoints it saw; keep it.")],
    vault_key: Annotated[str, typer.Option(help="The vault's public signing key (./kuji signing-key).")],
    name: Annotated[str, typer.Option(help="Name of this witness in its signatures.")] = "kuji/witness/ward",
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="Port to listen on.")] = 8120,
) -> None:
    """Cosign checkpoints of the vault's audit log that extend the last one seen, until stopped."""
    witness = Witness(folder, vault_key, name, SystemClock())
    typer.echo(f"public key of this witness, for KUJI_WITNESS_KEY_FILE:\n{witness.key.vkey}")
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    with make_server(witness, host, port) as server, contextlib.suppress(KeyboardInterrupt):
        server.serve_forever()
