"""Certificate of the erasure of one person as a page for people, with the signed JSON attached."""

import hashlib
import json
from collections.abc import Mapping
from datetime import datetime
from typing import Final

from services.vault.closeout.certificate_pdf import SERVICE_LABELS, STORE_LABELS
from services.vault.records.documents import TEMPLATE
from shared.campaign import Campaign
from shared.dates import TOKYO
from shared.json_types import JsonObject
from shared.typesetting import Typesetter

_RESULTS: Final = {"PASS": "確認", "FAIL": "残存あり", "UNKNOWN": "未確認", "PENDING": "募集の消去まで残る"}
_COLUMNS: Final = {"部門・項目": 1.4, "保管場所・内容": 3.0, "消去前": 0.6, "消去後": 0.6, "結果": 1.2}


def certificate_page(typesetter: Typesetter, campaign: Campaign, certificate: bytes) -> bytes:
    """Return the certificate as a PDF for people: A4, Japanese, with the signed JSON attached byte for byte."""
    it: JsonObject = json.loads(certificate)
    head = (
        ("受付番号", it["receipt"]),
        ("判定", _RESULTS[it["verdict"]]),
        ("委託の件名", it["contract_title"]),
        ("証明書番号・求めの番号", f"{it['certificate']}　{it['request']}"),
        ("決定（区）・実施（取扱者）", f"{it['decided_by']}　{it['carried_out_by']}"),
        ("開始・終了", f"{it['started_at']}　{it['finished_at']}"),
        ("対象外", "、".join(text for text in it["out_of_scope"] if not text.startswith("software"))),
        ("署名（Ed25519）", it["signature"]),
    )
    rows = [[label, value, "", "", ""] for label, value in head] + [_line(row) for row in it["services"]]
    data = {
        "name": "certificate",
        "title": f"消去証明書（本人の求めによる消去）{it['receipt']}",
        "office": campaign.office.name,
        "made_at": f"{_tokyo(it['finished_at'])}",
        "columns": list(_COLUMNS),
        "widths": list(_COLUMNS.values()),
        "rows": rows,
        "sha256": hashlib.sha256(certificate).hexdigest(),
    }
    return typesetter.pdf(TEMPLATE, data, standard="a-3b", document=certificate)


def _line(row: Mapping[str, object]) -> list[str]:
    before, after = (("―" if row[name] is None else str(row[name])) for name in ("before", "after"))
    store, service = str(row["store"]), str(row["service"])
    label = STORE_LABELS.get(store, store)
    return [SERVICE_LABELS.get(service, service), label, before, after, _RESULTS[str(row["result"])]]


def _tokyo(moment: str) -> str:
    return f"{datetime.fromisoformat(moment).astimezone(TOKYO):%Y年%m月%d日 %H:%M}"
