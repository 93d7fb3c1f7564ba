"""The certificate of erasure as a page for people: A4, Japanese, with the signed JSON attached (PDF/A-3b)."""

import hashlib
import json
from datetime import datetime
from pathlib import Path
from typing import Final

from shared.campaign import Campaign
from shared.dates import TOKYO
from shared.typesetting import Typesetter

TEMPLATE: Final = Path(__file__).with_name("certificate.typ")

SERVICE_LABELS: Final = {"intake": "受付", "vault": "保管庫", "lottery": "抽選", "notifier": "通知"}
STORE_LABELS: Final = {
    "all": "すべて（回答なし）",
    "answer": "回答（内容の食い違い）",
    "queues": "待ち行列",
    "delay queues": "再送待ちの行列（全部門）",
    "deliveries": "処理中のメッセージ",
    "person_erasures": "お一人の消去の途中の記録",
    "parked": "保留メッセージ",
    "outbox": "送信待ちのメッセージ",
    "inbox": "処理済みの記録（重複防止）",
    "rate limits": "回数制限の記録",
    "applications": "申込み",
    "versions": "申込みの訂正・取下げ",
    "papers": "紙の申込み",
    "drafts": "入力中の紙の申込み",
    "keyings": "紙の申込みの1回ごとの入力",
    "paper_holds": "入力中の書類の割当て",
    "keying_counts": "入力者ごとの件数",
    "seeded_papers": "入力の正確さを測る見本の書類",
    "sealing_keys": "封印鍵（公開鍵）",
    "receipt_keys": "受付番号の鍵",
    "identities": "個人情報（暗号文）",
    "blind_index": "重複検索の索引",
    "doubts": "重複の疑いと判断",
    "application_acts": "電話での処理の記録",
    "subject_requests": "開示等の求めの記録",
    "print_batches": "葉書の束",
    "notice_deliveries": "通知の控え",
    "left_out": "抽選の対象外の申込みのお知らせ先",
    "published_draws": "公開した抽選の番号と件数",
    "slips": "結果票の番号",
    "notice_counts": "通知の件数",
    "print_chunks": "葉書のページ（暗号文）",
    "return package": "返還資料の控え",
    "print spool": "印刷の一時ファイル",
    "sandbox folder": "紙面解析の一時ファイル",
    "sample decryption": "控えた暗号文の復号の試み",
    "entries": "抽選の申込み",
    "roll": "受付番号の一覧",
    "roll_parts": "受付番号の一覧（分割）",
    "outcomes": "抽選の結果",
    "places": "当選・補欠の席",
    "scans": "会場受付の読取り",
    "devices": "会場受付の端末",
    "closings": "会場受付の締切",
    "contacts": "通知の方法",
    "results": "通知する結果",
    "offers": "繰上げの案内",
    "notices": "通知",
    "announcements": "一斉のお知らせ",
}
"""Japanese names of the stores. A contract test checks that every required store has one."""

STANDARD_LABELS: Final = {
    "NIST SP 800-88 r2: Purge (cryptographic erase), with deletion of the ciphertext": (
        "NIST SP 800-88 第2版（媒体のデータ抹消指針）の「除去（Purge）」：暗号鍵の廃棄による消去、及び暗号文の削除"
    )
}


def certificate_pdf(typesetter: Typesetter, campaign: Campaign, certificate: bytes, public_key: str) -> bytes:
    """Return the PDF. `certificate` is attached byte for byte."""
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
        "services": SERVICE_LABELS,
        "stores": STORE_LABELS,
        "standard": STANDARD_LABELS.get(document["standard"], document["standard"]),
    }
    return typesetter.pdf(TEMPLATE, data, standard="a-3b", certificate=certificate)


def _japanese(moment: str) -> str:
    at = datetime.fromisoformat(moment).astimezone(TOKYO)
    return f"{at.year}年{at.month}月{at.day}日 {at:%H:%M:%S}"
