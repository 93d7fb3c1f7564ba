"""Templates as files: the defaults in `shared/notices/`, and a campaign's own in its folder."""

import hashlib
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from services.vault.notices.rules.kinds import DEFAULTS
from shared.contracts import NoticeChannel
from shared.ids import CampaignId

_INCLUDE: Final = re.compile(r"^\{% include \"(_[a-z_]{1,40}\.txt)\" %\}\n", re.MULTILINE)
"""Line that stands for the text of a shared part; a part holds no further parts."""


@dataclass(frozen=True)
class TemplateSource:
    """Text of one template, parts filled in. `is_own`: it is the campaign's own and not the default."""

    kind: str
    channel: NoticeChannel
    text: str
    is_own: bool = False

    @property
    def sha256(self) -> str:
        """SHA-256 (hex) over kind, channel and bytes, each part preceded by its length in bytes as decimal and LF."""
        return template_sha256(self.kind, self.channel, self.text)


def template_sha256(kind: str, channel: NoticeChannel, text: str) -> str:
    """Return the SHA-256 (hex) that names a version of a template."""
    digest = hashlib.sha256()
    for part in (kind, channel, text):
        content = part.encode("utf-8")
        digest.update(str(len(content)).encode("ascii") + b"\n" + content)
    return digest.hexdigest()


class TemplateFiles:
    """Read templates: `<campaigns_dir>/<campaign>/notices/<kind>/<channel>.txt` before the default of that name."""

    def __init__(self, campaigns_dir: Path) -> None:
        self._campaigns_dir = campaigns_dir

    def read(self, campaign: CampaignId, kind: str, channel: NoticeChannel) -> TemplateSource | None:
        """Return the template as the files have it now; None if there is none."""
        own = self._campaigns_dir / campaign / "notices"
        for folder in (own, DEFAULTS):
            path = folder / kind / f"{channel}.txt"
            if path.is_file():
                text = _INCLUDE.sub(lambda part: _read_part(part[1], own), path.read_text("utf-8"))
                return TemplateSource(kind, channel, text, folder is own)
        return None


def _read_part(name: str, own: Path) -> str:
    path = own / name if (own / name).is_file() else DEFAULTS / name
    return path.read_text("utf-8")
