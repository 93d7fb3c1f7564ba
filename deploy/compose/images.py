"""Which bytes the containers run: images named by digest, or by a tag that may name other bytes tomorrow.

Compose takes the variables from the environment, else from `.env` beside docker-compose.yml; so does this.
"""

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from deploy.local.paths import ROOT
from shared.errors import ConfigurationError

DEFAULTS: Final = {
    "RABBITMQ": "rabbitmq:4",
    "MONGO": "mongo:8",
    "PYTHON": "python:3.11-slim-bookworm",
    "CADDY": "caddy:2",
}
"""Images of docker-compose.yml that somebody else built, by the first part of their variables."""

FRONT: Final = "CADDY"
_DIGEST: Final = re.compile(r"@sha256:[0-9a-f]{64}")
_BUILT_HERE: Final = "local/"
_LINE: Final = re.compile(r"""\s*(?:export\s+)?(\w+)\s*=\s*(?:"([^"]*)"|'([^']*)'|([^"'].*?)?)\s*(?:(?<=\s)#.*)?""")
"""A line as Compose reads it: blanks around `=`, quotes around the value, and a remark behind a blank."""


@dataclass(frozen=True)
class Unfixed:
    """An image without digest, and the variable that fixes it."""

    image: str
    variable: str


def find_unfixed(
    *, front: bool, environment: Mapping[str, str] = os.environ, file: Path = ROOT / ".env"
) -> list[Unfixed]:
    """Return the images that are named by a tag alone; those built on this machine come from no registry.

    Raises ConfigurationError for a variable that holds something else than a digest.
    """
    variables = {**_read(file), **environment}
    found = list[Unfixed]()
    for part, default in DEFAULTS.items():
        image, variable = variables.get(f"{part}_IMAGE") or default, f"{part}_DIGEST"
        digest = variables.get(variable, "")
        _check(image, variable, digest)
        if not digest and "@" not in image and not image.startswith(_BUILT_HERE) and (front or part != FRONT):
            found.append(Unfixed(image, variable))
    return found


def _check(image: str, variable: str, digest: str) -> None:
    if digest and not _DIGEST.fullmatch(digest):
        raise ConfigurationError(
            f"{variable} is no digest; write {variable}=@sha256: and 64 hex digits, as "
            f"`docker buildx imagetools inspect {image}` shows them, or leave it out"
        )
    if "@" in image and (digest or not _DIGEST.fullmatch(image[image.index("@") :])):
        name = variable.replace("_DIGEST", "_IMAGE")
        raise ConfigurationError(f"{name} is NAME:TAG, and the digest alone stands in {variable}=@sha256:…")


def _read(file: Path) -> dict[str, str]:
    if not file.exists():
        return {}
    lines = (_LINE.fullmatch(line) for line in file.read_text("utf-8").splitlines())
    return {line[1]: line[2] or line[3] or line[4] or "" for line in lines if line is not None}
