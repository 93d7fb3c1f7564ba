"""Format of the return package: tables for people and for programs, a read-me and checksums in one zip. Pure.

Everything the vault knows of the campaign is in it: identities, applications, decisions (R-C11, R-S7).
"""

import csv
import hashlib
import io
import json
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any, Final

from services.vault.identities.person import Person
from shared.campaign import Campaign
from shared.json_types import JsonObject

COLUMNS: Final = {
    "receipt": "受付番号",
    "application_id": "申込ID",
    "channel": "受付経路",
    "received_at": "受付日時",
    "state": "審査結果",
    "reasons": "理由",
    "decided_by": "判断した担当者",
    "name": "氏名",
    "postal_code": "郵便番号",
    "address": "住所",
    "phone": "電話番号",
    "age": "年齢",
    "grade": "学年",
    "email": "電子メール",
    "guardian_name": "保護者氏名",
    "choices": "申込教室（席数）",
    "refused": "対象外の教室（理由）",
}
_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r")

Row = Mapping[str, Any]


def row_of(application: Mapping[str, Any], person: Person | None) -> Row:
    """Return the row of one application. `person` is None if the application could not be read."""
    return {
        "receipt": application["receipt"],
        "application_id": application["_id"],
        "channel": application["channel"],
        "received_at": application["received_at"].isoformat(),
        "state": application["state"],
        "reasons": list(application.get("reasons", ())),
        "decided_by": application.get("decided_by"),
        **(asdict(person) if person else dict.fromkeys(Person.__dataclass_fields__)),
        "choices": [dict(choice) for choice in application.get("choices", ())],
        "refused": [dict(refusal) for refusal in application.get("refused", ())],
    }


class Package:
    """Collect rows batch by batch, and pack them. `code`: with it the ward proves that it opened the package."""

    def __init__(self, campaign: Campaign, made_at: datetime, code: str) -> None:
        self._campaign, self._made_at, self._code = campaign, made_at, code
        self._table, self._lines = io.StringIO(newline=""), io.StringIO()
        self._writer = csv.writer(self._table, lineterminator="\r\n")
        self._writer.writerow(COLUMNS.values())
        self.rows = 0

    def add(self, rows: Sequence[Row]) -> None:
        """Add rows to both tables."""
        for row in rows:
            self._writer.writerow([_cell(row[column]) for column in COLUMNS])
            self._lines.write(json.dumps(row, ensure_ascii=False, separators=(",", ":")) + "\n")
        self.rows += len(rows)

    def pack(self, audit_logs: Sequence[JsonObject] = ()) -> bytes:
        """Return the zip, not encrypted: encrypt it before it is written anywhere."""
        files = {
            "applications.csv": self._table.getvalue().encode("utf-8-sig"),
            "applications.jsonl": self._lines.getvalue().encode("utf-8"),
            **{name: data for log in audit_logs for name, data in log_files(log).items()},
            "README.txt": self._read_me().encode("utf-8-sig"),
        }
        files["SHA256SUMS"] = "".join(f"{_sha256(data)}  {name}\n" for name, data in files.items()).encode("ascii")
        packed = io.BytesIO()
        with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
            for name, data in files.items():
                archive.writestr(zipfile.ZipInfo(name, self._made_at.timetuple()[:6]), data, zipfile.ZIP_DEFLATED)
        return packed.getvalue()

    def _read_me(self) -> str:
        label = "【訓練】" if self._campaign.rehearsal else ""
        return _READ_ME.format(
            label=label,
            title=self._campaign.title.ja,
            contract=self._campaign.contract.title,
            campaign=self._campaign.id,
            made_at=self._made_at.isoformat(),
            rows=self.rows,
            code=self._code,
        )


def log_files(log: JsonObject) -> dict[str, bytes]:
    """Return the files of one audit log (`docs/protocols.md` §6): lines, last checkpoint, cosigned one, public keys."""
    name = f"audit-{log['epoch']}"
    keys = [key for key in (log["key"], log["witness_key"]) if key is not None]
    files = {f"{name}.jsonl": log["lines"], f"{name}.keys": keys}
    notes = {f"{name}.checkpoint": log["checkpoint"], f"{name}.cosigned": log["cosigned"]}
    lines = {file: "".join(f"{line}\n" for line in content) for file, content in files.items()}
    return {file: text.encode("utf-8") for file, text in {**lines, **notes}.items() if text is not None}


def _cell(value: Any) -> str:
    """Return the text of a table cell, which no spreadsheet runs as a formula."""
    if isinstance(value, list):
        return "; ".join(_listed(item) for item in value)
    text = "" if value is None else str(value)
    return f"'{text}" if text.startswith(_FORMULA) else text


def _listed(item: Any) -> str:
    if isinstance(item, Mapping):
        return f"{item['class_id']} ({item.get('seats', item.get('reason'))})"
    return str(item)


def _sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


_READ_ME: Final = """{label}{title}　返還資料

委託の件名　　{contract}
募集のID　　　{campaign}
作成日時　　　{made_at}
申込みの件数　{rows}件
受領コード　　{code}

この資料は、受託者が取り扱った個人情報のすべてを区へ返還するものです。

applications.csv    申込み1件につき1行。表計算ソフト用（UTF-8、BOM付き）。
                    計算式として実行されうる文字で始まる欄には、先頭に ' を付けています。
                    電話番号や郵便番号の先頭の0を残すには「データの取り込み」で文字列として読み込んでください。
applications.jsonl  同じ内容を、1件1行のJSONで（UTF-8）。値は受け付けたままです。
audit-1.jsonl       復号と担当者の操作の監査記録。1行1件。欠けた記録の続きは audit-2.jsonl などになります。
audit-1.checkpoint  その全行に対する署名（と立会い人の署名）。audit-1.keys は公開鍵です。
                    確認の例:  ./kuji audit verify このフォルダ  （通信は要りません）
SHA256SUMS          各ファイルのSHA-256。確認の例:  sha256sum -c SHA256SUMS

審査結果  accepted 受付 / held 保留 / rejected 対象外
受付経路  web 専用サイト / fax ファクス / post 郵送
学年      p1～p6 小学1～6年 / j1～j3 中学1～3年
抽選の結果は、公開の抽選記録（transcript）にあります。個人と結び付けるには申込IDを用いてください。

暗号化されたファイル（.zip.age）のSHA-256と、上の受領コードを、区の担当者ご自身のサインインで登録してください
（./kuji close-out confirm）。受領コードは、この資料を開いた方だけが知ることができます。その確認の後に、受託者の側の
消去を始めます。
"""
