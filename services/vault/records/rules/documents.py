"""Documents about staff and approvals as rows (取扱者名簿, 教育実施報告, 持出し承認簿), without any applicant. Pure."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import Final

from services.vault.approvals.rules.approval import Approval, Signature
from services.vault.people.rules.account import Account, AccountState
from shared.approvals.kinds import ApprovalKind
from shared.canonical import canonical
from shared.catalogue import Catalogue
from shared.dates import TOKYO
from shared.json_types import JsonObject


class DocumentName(StrEnum):
    """A document. Texts name it by `records.<value>`."""

    ROSTER = "roster"
    TRAINING = "training"
    TAKE_OUTS = "take-outs"


@dataclass(frozen=True)
class Table:
    """Columns with the shares of their widths, and rows of texts in the order of the columns."""

    columns: Mapping[str, float]
    rows: Sequence[Sequence[str]]

    def to_json(self, name: DocumentName, office: str, made_at: datetime) -> bytes:
        """Return the document's data as canonical JSON, which the PDF carries."""
        rows = [dict(zip(self.columns, row, strict=True)) for row in self.rows]
        document: JsonObject = {
            "v": 2,
            "document": name.value,
            "office": office,
            "made_at": made_at.isoformat(),
            "rows": rows,
        }
        return canonical(document)


TAKE_OUTS: Final = frozenset(
    {
        ApprovalKind.WARD_KEY, ApprovalKind.RETURN_PACKAGE, ApprovalKind.EXPORT, ApprovalKind.EXPORT_AUDIT,
        ApprovalKind.ERASE_CAMPAIGN, ApprovalKind.PRINT_PDF,
    }
)  # fmt: skip
"""Kinds of the register of take-outs; cards for printing stay in the office and are listed as such."""

_LISTED: Final = frozenset({AccountState.INVITED, AccountState.ACTIVE, AccountState.ENDED})


def roster(accounts: Iterable[Account], ja: Catalogue) -> Table:
    """Return the roster of handlers (R-S1, R-C13)."""
    columns = {
        "担当者ID": 1.1, "氏名": 1.2, "所属": 1.3, "役割": 1.1, "担当期間": 1.5, "業務": 1.5, "誓約": 0.9, "状態": 0.8,
    }  # fmt: skip
    rows = [_roster_row(account, ja) for account in accounts if account.state in _LISTED]
    return Table(columns, rows)


def training(accounts: Iterable[Account]) -> Table:
    """Return the report of training that was held (R-S6, R-C18)."""
    columns = {"実施日": 1.0, "研修": 2.0, "講師": 1.2, "担当者ID": 1.1, "氏名": 1.3, "所属": 1.4, "有効期限": 1.0}
    held = [
        (_day(one.held), one.course, one.teacher, account.id, account.name, account.office, _day(one.valid_until))
        for account in accounts
        if account.state in _LISTED
        for one in account.training
    ]
    return Table(columns, sorted(held))


def take_outs(approvals: Iterable[Approval], ja: Catalogue) -> Table:
    """Return the register of approvals to take data out or to destroy it (R-S5, R-C6)."""
    columns = {
        "承認番号": 1.4, "申請": 1.2, "種類": 1.3, "対象": 1.6, "理由": 1.0, "申請者": 1.0, "承認": 1.9, "結果": 1.2,
    }  # fmt: skip
    rows = [_take_out(approval, ja) for approval in approvals if approval.content.kind in TAKE_OUTS]
    return Table(columns, sorted(rows, key=lambda row: row[1]))


def _roster_row(account: Account, ja: Catalogue) -> tuple[str, ...]:
    return (
        account.id,
        account.name,
        account.office,
        "、".join(ja.say(f"role.{role}") for role in sorted(account.roles)),
        f"{_day(account.starts)}～{_day(account.ends)}",
        "、".join(account.tasks) or "―",
        _day(account.pledged),
        ja.say(f"state.{account.state}"),
    )


def _take_out(approval: Approval, ja: Catalogue) -> tuple[str, ...]:
    content = approval.content
    result = ja.say(f"approval.state.{approval.state}")
    return (
        content.id,
        _moment(content.requested_at),
        ja.say(f"approval.kind.{content.kind}"),
        "、".join([content.campaign or "―", *_counts(content.params, ja)]),
        ja.say(f"approval.reason.{content.reason}"),
        content.requested_by,
        "、".join(_signed(signature, ja) for signature in approval.signatures) or "―",
        f"{result} {_moment(approval.executed_at)}" if approval.executed_at else result,
    )


def _counts(params: Mapping[str, object], ja: Catalogue) -> Iterator[str]:
    """Yield the counts of the parameters; hashes and keys stand in the approval itself."""
    for name, value in params.items():
        if isinstance(value, int) and not isinstance(value, bool):
            yield f"{ja.say(f'approval.param.{name}')} {value}"


def _signed(signature: Signature, ja: Catalogue) -> str:
    return f"{signature.by}（{ja.say(f'role.{signature.role}')}）{_moment(signature.at)}"


def _day(day: date | None) -> str:
    return "―" if day is None else f"{day.year}/{day.month:02}/{day.day:02}"


def _moment(at: datetime) -> str:
    return f"{at.astimezone(TOKYO):%Y/%m/%d %H:%M}"
