"""Make the refusals of intake: a stable name, Japanese and English texts, and the next thing to do.

No refusal repeats what was sent.
"""

from datetime import datetime

from shared.ids import KeyId
from shared.web import ProblemError, problem


def unknown_campaign() -> ProblemError:
    return problem(
        "campaign-unknown",
        404,
        "この事業はありません",
        "ご案内にある宛先を確かめてください。",
        en="There is no such campaign; check the address on the announcement.",
    )


def unknown_application() -> ProblemError:
    return problem(
        "application-unknown",
        404,
        "この申込みは受け付けていません",
        "まだ受付番号を受け取っていない場合は、同じ内容をもう一度送信してください。事業の終了後、記録はすべて消去されています。",
        en="No receipt was given for this application. If you had no answer, send the same again. "
        "Once an event is closed out, all records of it are erased.",
    )


def unknown_receipt() -> ProblemError:
    return problem(
        "receipt-unknown",
        404,
        "この受付番号はありません",
        "番号をもう一度確かめてください。",
        en="There is no such receipt in this campaign; please check the number.",
    )


def unknown_postal_code() -> ProblemError:
    return problem(
        "postal-code-unknown",
        404,
        "この郵便番号はありません",
        "番号を確かめるか、住所をそのまま入力してください。",
        en="Japan Post has no such code; check it, or type the address.",
    )


def not_open_yet(opens: datetime, closes: datetime) -> ProblemError:
    return problem(
        "not-open",
        403,
        "受付はまだ始まっていません",
        "受付が始まってから、もう一度送信してください。",
        en="Applications are not taken yet; send again once the window has opened.",
        opens=opens.isoformat(),
        closes=closes.isoformat(),
    )


def closed(opens: datetime, closes: datetime) -> ProblemError:
    return problem(
        "closed",
        403,
        "受付は終了しました",
        "申込みはできません。お問い合わせは事務局へお願いします。",
        en="The window for applications has closed; for questions ask the office.",
        opens=opens.isoformat(),
        closed=closes.isoformat(),
    )


def conflict() -> ProblemError:
    return problem(
        "conflict",
        409,
        "この申込みは別の内容で受け付けています",
        "受付状況を確かめてください。内容を変えるときは、訂正として送信してください。",
        en="This application id came with another body before; look at its status, and correct it there.",
    )


def key_expired(current: KeyId) -> ProblemError:
    return problem(
        "key-expired",
        409,
        "暗号化に使った鍵は使えなくなりました",
        "新しい鍵で暗号化して、もう一度送信してください。",
        en="The sealing key is unknown or has expired; fetch the current one, seal again and send.",
        key_id=current,
    )


def not_yours() -> ProblemError:
    """Refuse a wrong proof and an unknown application alike."""
    return problem(
        "not-yours",
        403,
        "受付番号と確認コードが合いません",
        "受付番号と確認コードをもう一度確かめてください。",
        en="The proof is not that of this application, or there is no such application; check receipt and code.",
    )


def version_taken(next_version: int) -> ProblemError:
    return problem(
        "version-taken",
        409,
        "ほかの訂正が先に届きました",
        "受付状況を確かめてから、もう一度訂正してください。",
        en="Another correction came first; look at the status, seal for `next_version` and send again.",
        next_version=next_version,
    )


def too_many_versions(limit: int) -> ProblemError:
    return problem(
        "too-many-versions",
        403,
        "これ以上は訂正できません",
        "最後に受け付けた内容が有効です。変更が必要なときは事務局へご連絡ください。",
        en=f"An application takes {limit} corrections; the last one stands. Ask the office to change more.",
        limit=limit,
    )


def too_many(wait_s: int) -> ProblemError:
    return problem(
        "too-many-requests",
        429,
        "ただいま混み合っています",
        f"{wait_s}秒ほど待ってから、もう一度お試しください。",
        en=f"Too many requests; the same again in {wait_s} seconds will be looked at.",
        headers={"Retry-After": str(wait_s)},
    )


def work_required(bits: int) -> ProblemError:
    return problem(
        "work-required",
        428,
        "確認の計算が必要です",
        "申込みフォームは自動で計算して送り直します。そのままお待ちください。",
        en="Send the same again with `Kuji-Work`: a nonce whose hash begins with `bits` zero bits (protocols §1).",
        bits=bits,
    )
