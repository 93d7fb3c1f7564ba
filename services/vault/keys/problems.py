"""HTTP answers where a campaign's keys are not there: erased for good, or missing in an older token."""

from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse

from services.vault.keys.keystore import CampaignKeyGoneError, KeyDestroyedError
from shared.web import problem


def install_key_problems(app: FastAPI) -> None:
    """Answer both errors; the framework takes the handler of the narrower one first."""
    app.add_exception_handler(CampaignKeyGoneError, _on_key_gone)
    app.add_exception_handler(KeyDestroyedError, _on_erased)


async def _on_erased(_: Request, __: Exception) -> JSONResponse:
    return problem(
        "erased",
        410,
        "この募集の個人情報は消去されました",
        "消去証明書を確かめてください。",
        en="The key of this campaign was destroyed; see its certificate of erasure.",
    ).response()


async def _on_key_gone(_: Request, __: Exception) -> JSONResponse:
    return problem(
        "campaign-key-gone",
        503,
        "この募集の鍵がトークンにありません",
        "消去の記録はありません。システムの担当者に連絡し、正しいトークンが差し込まれているか確かめてもらってください。",
        en="The token has no key of this campaign, and nothing says that it was erased. Put in the right token, or "
        "restore the key folder with the certificate of erasure (docs/operations.md, campaign-key-gone); then restart.",
        headers={"Retry-After": "60"},
    ).response()
