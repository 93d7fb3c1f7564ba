"""Answer programs about people: the first start, made by the person who sets the installation up."""

from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request
from pydantic import BaseModel, ConfigDict, Field

from services.vault.people.account_forms import FieldError, read_account
from services.vault.people.parts import People
from services.vault.people.roster import RosterRefusedError
from services.vault.people.rules.account import Account
from shared.web import problem
from shared.web.service_token import has_token

Fields = Annotated[dict[str, Annotated[str, Field(max_length=200)]], Field(max_length=20)]


SetupGuard = Callable[[Request], None]


def require_setup_token(token_file: Path | None) -> SetupGuard:
    """Build a FastAPI dependency that requires the token of the first start (401 otherwise)."""

    def guard(request: Request) -> None:
        if not has_token(token_file, request.headers.get("authorization")):
            raise problem(
                "unauthorized",
                401,
                "最初の設定用の鍵が必要です",
                "保管庫を用意した装置で実行してください。",
                en="Send the token of KUJI_SETUP_TOKEN_FILE as `Authorization: Bearer …`.",
                headers={"WWW-Authenticate": "Bearer"},
            )

    return guard


class FirstBody(BaseModel):
    """Fields of the responsible handler and of the ward's officer, as `read_account` describes them, without roles."""

    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)
    responsible: Fields
    ward: Fields


def people_router(people: People, setup: SetupGuard) -> APIRouter:
    """Route the first start."""
    router = APIRouter(prefix="/v1/people", dependencies=[Depends(setup)], tags=["people"])

    @router.post("/first")
    async def first(body: FirstBody) -> dict[str, Any]:
        """Make the first two accounts; the codes are shown here once, and stored as hashes."""
        responsible, ward = _read(body.responsible, "responsible"), _read(body.ward, "ward")
        if responsible.id == ward.id:
            raise _wrong_field("ward", "id")
        try:
            codes = await people.roster.make_first(responsible, ward)
        except RosterRefusedError:
            raise problem(
                "exists",
                409,
                "最初の担当者はすでに登録されています",
                "追加は担当者の画面から申請してください。",
                en="The first two accounts exist; request further ones at /desk/people.",
            ) from None
        return {"responsible": {"id": responsible.id, "code": codes[0]}, "ward": {"id": ward.id, "code": codes[1]}}

    @router.get("/first")
    async def status() -> dict[str, Any]:
        """Tell whether both of the first two people have signed in."""
        return {"complete": await people.roster.is_set_up()}

    return router


def _read(fields: dict[str, str], role: str) -> Account:
    try:
        return read_account({**fields, "roles": role})
    except FieldError as wrong:
        raise _wrong_field(role, wrong.field) from None


def _wrong_field(person: str, field: str) -> Exception:
    return problem(
        "invalid",
        422,
        "入力に誤りがあります",
        "項目を確かめて、もう一度実行してください。",
        en=f"{person}: {field} is missing or not in the documented form.",
        fields=[f"{person}.{field}"],
    )
