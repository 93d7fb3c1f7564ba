"""Files of a rehearsal's relay beside its campaigns: the key, and the times and port of the chain.

The whole folder may be removed between two rehearsals; a running relay needs it.
"""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from deploy.local.ports import free_ports
from deploy.relay.chain import RelayKey
from shared.campaign.beacon_schedule import REHEARSAL, Schedule
from shared.files import create_once

_PERIOD_S: Final = 3
_GENESIS: Final = 1_483_228_800
"""2017-01-01: before the sample's dates, as quicknet's genesis is not."""


@dataclass(frozen=True)
class RehearsalRelay:
    """Relay of the rehearsals in one folder of campaigns. `port`: of this machine."""

    key_file: Path
    schedule: Schedule
    port: int

    @classmethod
    def create_once(cls, campaigns: Path) -> "RehearsalRelay":
        """Return the relay beside the folder `campaigns`; make key, times and port where there are none."""
        folder = campaigns.parent / "relay"
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        written = create_once(folder / "relay.json", lambda: json.dumps({"port": free_ports(1)[0]}).encode("ascii"))
        RelayKey.create_once(folder / "relay.key")
        return cls(folder / "relay.key", Schedule(_GENESIS, _PERIOD_S), int(json.loads(written)["port"]))

    @classmethod
    def find(cls, campaigns: Path) -> "RehearsalRelay | None":
        """Return the relay beside the folder `campaigns`, or None."""
        return cls.create_once(campaigns) if (campaigns.parent / "relay" / "relay.json").exists() else None

    @property
    def key(self) -> RelayKey:
        return RelayKey.create_once(self.key_file)

    @property
    def address(self) -> str:
        """Base address for the campaign file's `relays`."""
        return f"http://127.0.0.1:{self.port}"

    def to_yaml(self, *, is_asked: bool) -> str:
        """Return the members of `draw` in a campaign file. `is_asked`: whether the lottery can reach the relay."""
        chain = (
            f'{{chain: {REHEARSAL}, public_key: "{self.key.public}", '
            f"genesis: {self.schedule.genesis}, period: {self.schedule.period}}}"
        )
        asked = f"  relays: [{self.address}]\n" if is_asked else ""
        return f"  beacon: {chain}\n{asked}"
