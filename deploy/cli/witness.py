"""`./kuji witness`: run the witness of the audit log, on a machine of the ward."""

from pathlib import Path
from typing import Annotated

import typer

from deploy.witness import NAME, PORT
from shared.errors import ConfigurationError


def run_witness(
    folder: Annotated[Path, typer.Option(help="Folder of its key and of the checkpoints it saw; keep it.")],
    vault_key: Annotated[str | None, typer.Option(help="The vault's public signing key (./kuji signing-key).")] = None,
    vault_key_file: Annotated[
        Path | None, typer.Option(help="Instead: file with one key a line, read again when it changes (rotation).")
    ] = None,
    name: Annotated[str, typer.Option(help="Name of this witness in its signatures.")] = NAME,
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="Port to listen on.")] = PORT,
) -> None:
    """Cosign checkpoints of the vault's audit log that extend the last one seen, until stopped."""
    from deploy.witness.command import make_witness, serve  # noqa: PLC0415
    from shared.pinned_keys import PinnedKeys  # noqa: PLC0415

    if (vault_key is None) == (vault_key_file is None):
        raise ConfigurationError("give the vault's public key: either --vault-key, or --vault-key-file")
    witness = make_witness(folder, PinnedKeys(vault_key_file).all if vault_key is None else lambda: (vault_key,), name)
    typer.echo(f"public key of this witness, for KUJI_WITNESS_KEY_FILE:\n{witness.key.vkey}")
    serve(witness, host, port)
