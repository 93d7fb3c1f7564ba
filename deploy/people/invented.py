"""Invented members of staff for rehearsals: one for each role, with passwords that are made anew each time."""

import json
import secrets
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from datetime import date
from pathlib import Path
from typing import Final, Self

from shared.campaign import Campaign
from shared.files import write_atomic

FILE: Final = "invented-accounts.json"
"""Name of the file beside an installation's record, readable by its user only."""

RESPONSIBLE, WARD, HANDLER, SECOND = "suzuki-01", "mori-01", "yamada-01", "sato-01"
AUDITOR, RECEPTION, ENGINEER = "kato-01", "ito-01", "ono-01"

_PEOPLE: Final = (
    (RESPONSIBLE, "鈴木 花子（架空）", "運営事務局", "responsible"),
    (WARD, "森 次郎（架空）", "区の担当課", "ward"),
    (HANDLER, "山田 太郎（架空）", "運営事務局", "handler"),
    (SECOND, "佐藤 三郎（架空）", "運営事務局", "handler reception"),
    (AUDITOR, "加藤 四郎（架空）", "監査室", "auditor"),
    (RECEPTION, "伊藤 五月（架空）", "運営事務局", "reception"),
    (ENGINEER, "小野 六花（架空）", "運営事務局", "engineer"),
)


@dataclass(frozen=True)
class InventedAccount:
    """Account of an invented person. `totp`: the secret of the one-time codes, base32; empty before the enrolment."""

    id: str
    roles: str
    fields: Mapping[str, str] = field(repr=False)
    password: str = field(repr=False)
    totp: str = field(default="", repr=False)

    @classmethod
    def from_document(cls, document: Mapping[str, object]) -> Self:
        """Read one entry of the file."""
        return cls(**document)  # type: ignore[arg-type]


def invent(starts: date, ends: date, ids: Iterable[str] = ()) -> list[InventedAccount]:
    """Return the people of these ids, or all, who are on duty from `starts` to `ends`."""
    wanted = set(ids)
    return [
        InventedAccount(
            staff_id, roles, _fields(staff_id, name, office, roles, starts, ends), secrets.token_urlsafe(18)
        )
        for staff_id, name, office, roles in _PEOPLE
        if not wanted or staff_id in wanted
    ]


def on_duty(campaigns: Iterable[Campaign]) -> tuple[date, date]:
    """Return the first day of the earliest contract and the last of the latest close-out."""
    listed = list(campaigns)
    starts = min(campaign.contract.starts for campaign in listed)
    ends = max(campaign.close_out for campaign in listed)
    return starts.date(), ends.date()


def read_accounts(folder: Path) -> list[InventedAccount]:
    """Return the accounts that were made at the installation of this folder; none where there is no file."""
    try:
        documents = json.loads((folder / FILE).read_text("utf-8"))
    except FileNotFoundError:
        return []
    return [InventedAccount.from_document(document) for document in documents]


def write_accounts(folder: Path, accounts: Iterable[InventedAccount]) -> Path:
    """Write the file, and return its path."""
    path = folder / FILE
    write_atomic(path, json.dumps([asdict(account) for account in accounts], ensure_ascii=False, indent=1).encode())
    return path


def _fields(staff_id: str, name: str, office: str, roles: str, starts: date, ends: date) -> dict[str, str]:
    """Return the fields of the form with which an account is asked for."""
    return {
        "id": staff_id,
        "name": name,
        "office": office,
        "mail": f"{staff_id}@office.example",
        "roles": roles,
        "starts": starts.isoformat(),
        "ends": ends.isoformat(),
        "course": "個人情報保護研修",
        "held": starts.isoformat(),
        "valid_until": ends.isoformat(),
        "teacher": "練習用",
        "pledged": starts.isoformat(),
    }
