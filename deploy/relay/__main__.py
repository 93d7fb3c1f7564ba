"""Run the relay of a rehearsal: python -m deploy.relay --key FILE --clock FILE --genesis SECONDS --port PORT.

The key is made where the file does not exist. The clock file is that of the rehearsal (`shared.clock`).
"""

import argparse
import contextlib
import signal
from pathlib import Path

from deploy.relay.chain import RelayKey
from deploy.relay.server import Relay, make_server
from shared.campaign.beacon_schedule import Schedule
from shared.clock import RehearsalClock


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m deploy.relay")
    parser.add_argument("--key", type=Path, required=True)
    parser.add_argument("--clock", type=Path, required=True)
    parser.add_argument("--genesis", type=int, required=True, help="time of round 1, in seconds since 1970")
    parser.add_argument("--period", type=int, default=3, help="seconds between rounds")
    parser.add_argument("--port", type=int, required=True)
    given = parser.parse_args()
    relay = Relay(RelayKey.create_once(given.key), Schedule(given.genesis, given.period), RehearsalClock(given.clock))
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    with make_server(relay, given.port) as server, contextlib.suppress(KeyboardInterrupt):
        server.serve_forever()


if __name__ == "__main__":
    main()
