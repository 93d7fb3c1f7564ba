"""List of the people who were erased, beside the keys: a copy of the databases cannot take it back.

A line names the receipt number, by which a restored person is found and erased again. One file for each campaign.
"""

import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

from services.vault.keys.folder_lock import LONGEST_WAIT_S, folder_lock
from shared.files import write_atomic
from shared.ids import CampaignId, Receipt
from shared.logging import get_logger

SUFFIX = ".people.jsonl"

_log = get_logger(__name__)


@dataclass(frozen=True)
class ErasedPerson:
    """One erasure that was ordered. The request, and the two people of the certificate, where the line names them."""

    campaign: CampaignId
    erasure_id: str
    receipt: Receipt
    request: str | None = None
    decided_by: str = ""
    carried_out_by: str = ""


def add_erased_person(folder: Path, person: ErasedPerson, wait_s: float = LONGEST_WAIT_S) -> ErasedPerson:
    """Add a line, on the disk when this returns, and return it. A line of this erasure that is there stays.

    Raises FolderBusyError.
    """
    path = folder / "campaigns" / f"{person.campaign}{SUFFIX}"
    with folder_lock(folder, alone=True, wait_s=wait_s):
        known = next((one for one in _people(path) if one.erasure_id == person.erasure_id), None)
        if known is not None:
            return known
        before = path.read_bytes() if path.exists() else b""
        line = asdict(person)
        del line["campaign"]
        ended = before if before.endswith(b"\n") or not before else before + b"\n"
        write_atomic(path, ended + json.dumps(line).encode() + b"\n")
    return person


def list_erased_people(folder: Path) -> list[ErasedPerson]:
    """Return the people of all campaigns, in the order of their erasures."""
    return [one for path in sorted((folder / "campaigns").glob(f"*{SUFFIX}")) for one in _people(path)]


def _people(path: Path) -> Iterator[ErasedPerson]:
    """Yield the people of one file. A line that was cut while it was written was never acted on: it is passed over."""
    if not path.exists():
        return
    campaign = CampaignId(path.name.removesuffix(SUFFIX))
    for number, line in enumerate(path.read_bytes().splitlines(), 1):
        try:
            read = json.loads(line)
            named = (read.get("request"), read.get("decided_by", ""), read.get("carried_out_by", ""))
            yield ErasedPerson(campaign, read["erasure_id"], Receipt(read["receipt"]), *named)
        except (ValueError, KeyError, TypeError, AttributeError):
            _log.error("erased-person-line-unreadable", campaign=campaign, part=number)
