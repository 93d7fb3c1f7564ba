"""Folders on the vault's disk with one subfolder for each campaign: return packages, print spool, sandbox."""

import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

from services.vault.closeout.rules.required_stores import PACKAGES, SANDBOX, SPOOL
from shared.ids import CampaignId

ExcInfo = tuple[type[BaseException], BaseException, TracebackType]
"""What `sys.exc_info()` returns inside an `except` block."""


@dataclass(frozen=True)
class CampaignFolders:
    """`folders`: by the name of the store in the certificate. Files of a campaign lie below `<folder>/<campaign>/`."""

    folders: Mapping[str, Path]

    @classmethod
    def below(cls, state_dir: Path) -> Self:
        """Return the folders that the vault uses below its state folder."""
        return cls({PACKAGES: state_dir / "outgoing", SPOOL: state_dir / "spool", SANDBOX: state_dir / "sandbox"})

    def outgoing(self, campaign: CampaignId) -> Path:
        """Return the folder of the campaign's return packages."""
        return self.folders[PACKAGES] / campaign

    def counts(self, campaign: CampaignId) -> dict[str, int]:
        """Return the number of the campaign's files in each folder."""
        return {store: len(_files(folder / campaign)) for store, folder in self.folders.items()}

    def remove(self, campaign: CampaignId) -> None:
        """Delete the campaign's subfolders with all files. Safe to repeat, and while another instance does the same."""
        for folder in self.folders.values():
            if (folder / campaign).is_dir():
                shutil.rmtree(folder / campaign, onerror=_raise_unless_missing)


def _raise_unless_missing(_function: Callable[..., object], _path: str, failure: ExcInfo) -> None:
    """Raise the failure of `shutil.rmtree` unless the path was missing: another instance had deleted it before."""
    error = failure[1]
    if not isinstance(error, FileNotFoundError):
        raise error


def _files(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if not path.is_dir() or path.is_symlink()] if folder.is_dir() else []
