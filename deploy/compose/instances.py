"""Several instances of each service on containers: one more file for Compose, made from docker-compose.yml.

Instances share the volumes of their service: the vault its key folder with the checkpoints of the audit log, which one
of them at a time may write (ADR 52), all of them the key of their sessions. The first one alone has published ports:
delivery reports and approvals reach it.
"""

import copy
from collections.abc import Mapping
from pathlib import Path
from typing import Final

import yaml

from deploy.compose.front import set_variables
from deploy.local.paths import ROOT
from shared.contracts import SERVICES
from shared.files import write_atomic
from shared.json_types import JsonObject

FILE: Final = "instances.yml"
_OF_THE_FIRST: Final = frozenset({"ports", "build"})


def write(folder: Path, count: int) -> Path:
    """Write the file for `count` instances of each service, and the front's list of them. Return its path.

    With one instance the file adds nothing, so that Compose removes those of before (`--remove-orphans`).
    """
    main = yaml.safe_load((ROOT / "docker-compose.yml").read_text("utf-8"))
    content = {"version": main["version"], "services": further(main, count)}
    path = folder / FILE
    write_atomic(path, yaml.safe_dump(content, sort_keys=False).encode())
    set_variables(folder / "front.env", upstreams(count))
    return path


def further(main: Mapping[str, JsonObject], count: int) -> JsonObject:
    """Return the services to add, by name (`vault-2`): like the first, which starts before, but without ports."""
    return {
        f"{service}-{number}": {
            **copy.deepcopy({key: each for key, each in main["services"][service].items() if key not in _OF_THE_FIRST}),
            "depends_on": {**main["services"][service]["depends_on"], service: {"condition": "service_healthy"}},
        }
        for service in SERVICES
        for number in range(2, count + 1)
    }


def upstreams(count: int) -> dict[str, str]:
    """Return the variables of the front: all instances of each service, as the Caddyfile takes them."""
    return {
        f"KUJI_{service.upper()}_INSTANCES": " ".join(
            f"{service}:8100" if number == 1 else f"{service}-{number}:8100" for number in range(1, count + 1)
        )
        for service in SERVICES
    }
