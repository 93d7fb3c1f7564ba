"""`python -m deploy.witness`: the witness of a local stack and of docker-compose.yml."""

import argparse
from pathlib import Path

from deploy.witness import NAME, PORT
from deploy.witness.command import make_witness, serve
from shared.pinned_keys import PinnedKeys


def main() -> None:
    """Read the arguments and serve."""
    parser = argparse.ArgumentParser(description="Cosign checkpoints of the vault's audit log.")
    parser.add_argument("--folder", type=Path, required=True, help="of its key and of the checkpoints it saw")
    parser.add_argument(
        "--vault-key-file", type=Path, required=True, help="the vault's public signing keys, one a line"
    )
    parser.add_argument("--name", default=NAME)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=PORT)
    given = parser.parse_args()
    serve(make_witness(given.folder, PinnedKeys(given.vault_key_file).all, given.name), given.host, given.port)


if __name__ == "__main__":
    main()
