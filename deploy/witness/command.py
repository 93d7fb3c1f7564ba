"""Run a witness until it is stopped; `python -m deploy.witness` in a container, `./kuji witness` at the ward."""

import contextlib
import signal
from collections.abc import Callable, Sequence
from pathlib import Path

from deploy.witness import NAME
from deploy.witness.server import Witness, make_server
from shared.clock import SystemClock


def make_witness(folder: Path, vault_keys: Callable[[], Sequence[str]], name: str = NAME) -> Witness:
    """Return the witness of a folder, on the real clock; its key is made where there is none."""
    return Witness(folder, vault_keys, name, SystemClock())


def serve(witness: Witness, host: str, port: int) -> None:
    """Answer until SIGTERM or SIGINT."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    with make_server(witness, host, port) as server, contextlib.suppress(KeyboardInterrupt):
        server.serve_forever()
