"""Make the refusals of papers: a stable name, Japanese and English texts, and the next thing to do."""

from shared.web import ProblemError, problem


def conflict() -> ProblemError:
    return problem(
        "conflict",
        409,
        "この書類は別の内容で受け付けています",
        "同じ書類を読み取り直したときは、新しいIDで、新しい番号を付けて送信してください。",
        en="This paper id came with another body before; if the paper was scanned again, use a new id and serial.",
    )


def serial_taken() -> ProblemError:
    return problem(
        "serial-taken",
        409,
        "この書類番号はすでに使われています",
        "書類に押した番号を確かめ、重複しているときは新しい番号を押して送信してください。",
        en="Another paper of this campaign has this serial number; check the stamp, or stamp a new number.",
    )


def too_large(most_bytes: int) -> ProblemError:
    return problem(
        "too-large",
        413,
        "書類のデータが大きすぎます",
        "解像度を下げるか、ページを分けて読み取り直してください。",
        en=f"A paper's request body may hold {most_bytes} bytes, 8 MiB of them sealed; scan with fewer dots per "
        "inch, or the pages one by one.",
        limit=most_bytes,
        headers={"Connection": "close"},
    )


def unauthorized() -> ProblemError:
    return problem(
        "unauthorized",
        401,
        "権限がありません",
        "書類を送る機器に、この受付の鍵（KUJI_PAPER_TOKEN_FILE）を設定してください。",
        en="Send the paper token of this intake as `Authorization: Bearer …`; see KUJI_PAPER_TOKEN_FILE.",
        headers={"WWW-Authenticate": "Bearer"},
    )
