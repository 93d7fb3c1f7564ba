"""The certificate as a page for people: A4, Japanese, with the signed JSON attached (PDF/A-3b)."""

import hashlib
import json
from datetime import datetime
from pathlib import Path
from typing import Final

from shared.campaign import Campaign
from shared.dates import TOKYO
from shared.typesetting import Typesetter

TEMPLATE: Final = Path(__file__).with_name("certificate.typ")

_SERVICES: Final = {"intake": "受付", "vault": "保管庫", "lottery": "抽選", "notifier": "通知"}
_STORES: Final = {
    "all": "すべて（回答なし）",
    "queues": "待ち行列",
    "outbox": "送信待ちのメッセージ",
    "applications": "申込み",
    "identities": "個人情報（暗号文）",
    "blind_index": "重複検索の索引",
    "print_batches": "葉書の束",
    "print_chunks": "葉書のページ（暗号文）",
    "return package": "返還パッケージの控え",
    "sample decryption": "控えた暗号文の復号の試み",
    "sealing_keys": "封印鍵（公開鍵）",
    "entries": "抽選の申込み",
    "roll": "受付番号の名簿",
    "roll_parts": "受付番号の名簿（分割）",
    "outcomes": "抽選の結果",
    "pass-key": "参加証の鍵",
    "contacts": "通知の方法",
    "results": "通知する結果",
    "notices": "通知",
}
"""Our names of stores for readers; a name that is not here is shown as the service gave it."""


def certificate_page(typesetter: Typesetter, campaign: Campaign, certificate: bytes, public_key: str) -> bytes:
    """The PDF. `certificate` is attached byte for byte."""
    document = json.loads(certificate)
    data = {
        "rehearsal": campaign.rehearsal,
        "ward": campaign.residency.prefecture + campaign.residency.ward,
        "office": campaign.office.name,
        "department": campaign.office.department,
        "started": _japanese(document["started_at"]),
        "finished": _japanese(document["finished_at"]),
        "public_key": public_key,
        "sha256": hashlib.sha256(certificate).hexdigest(),
        "services": _SERVICES,
        "stores": _STORES,
    }
    return typesetter.pdf(TEMPLATE, data, standard="a-3b", certificate=certificate)


def _japanese(moment: str) -> str:
    at = datetime.fromisoformat(moment).astimezone(TOKYO)
    return f"{at.year}年{at.month}月{at.day}日 {at:%H:%M:%S}"
