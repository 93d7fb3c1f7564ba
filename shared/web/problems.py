"""Errors over HTTP: problem+json (RFC 9457), a stable `type`, Japanese and English, and what to do next.

No error repeats what was sent: the framework's own validation errors are replaced for that reason.
"""

from collections.abc import Mapping
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from shared.errors import TransientError
from shared.logging import describe, get_logger
from shared.storage import PyMongoError, is_unanswered

_log = get_logger(__name__)


class ProblemError(Exception):
    """Raised to answer a request with problem+json.

    `title` and `detail` are Japanese; `en` says the same in English. `extra` members must hold no input.
    """

    def __init__(
        self,
        name: str,
        status: int,
        title: str,
        detail: str,
        *,
        en: str = "",
        headers: dict[str, str] | None = None,
        **extra: Any,
    ) -> None:
        super().__init__(name)
        self.name, self.status, self.title, self.detail = name, status, title, detail
        self.en, self.headers, self.extra = en, headers or {}, extra

    def response(self) -> JSONResponse:
        body = {
            "type": f"urn:kuji:problem:{self.name}",
            "title": self.title,
            "status": self.status,
            "detail": self.detail,
            **({"detail_en": self.en} if self.en else {}),
            **self.extra,
        }
        headers = {"Content-Language": "ja", "Cache-Control": "no-store", **self.headers}
        return JSONResponse(body, self.status, headers, media_type="application/problem+json")


def problem(name: str, status: int, title: str, detail: str, **more: Any) -> ProblemError:
    """Shorthand that reads well after `raise`."""
    return ProblemError(name, status, title, detail, **more)


def unavailable(en: str = "The service cannot reach a part it needs. Send the same again shortly.") -> ProblemError:
    return problem(
        "unavailable",
        503,
        "ただいま受け付けられません",
        "しばらくしてから、同じ内容をもう一度送信してください。",
        en=en,
        headers={"Retry-After": "5"},
    )


def install_problems(app: FastAPI) -> None:
    """Make the app answer all errors as problem+json, also unexpected ones."""
    for known in (ProblemError, RequestValidationError, TransientError, PyMongoError):
        app.add_exception_handler(known, _on_known)
    app.add_exception_handler(HTTPException, _on_http)
    app.add_exception_handler(Exception, _on_unexpected)


def answer_to(error: Exception) -> JSONResponse | None:
    """Return the answer to a known error; None for an unexpected one."""
    match error:
        case ProblemError():
            return error.response()
        case RequestValidationError():
            return invalid_shape(sorted({_field(mistake) for mistake in error.errors()})).response()
        case TransientError():
            return _part_away(error)
        case PyMongoError() if is_unanswered(error):
            return _part_away(error)
        case _:
            return None


def _part_away(error: Exception) -> JSONResponse:
    """Answer that a part is away for the moment, and log which: nothing was done, the same can be sent again."""
    _log.warning("request-unavailable", **describe(error))
    return unavailable().response()


async def _on_known(_: Request, error: Exception) -> JSONResponse:
    answer = answer_to(error)
    if answer is None:
        raise error
    return answer


def _field(mistake: Mapping[str, Any]) -> str:
    """Name the field of a mistake; for an unknown member, whose name is input, name its parent."""
    where = mistake["loc"][:-1] if mistake["type"] == "extra_forbidden" else mistake["loc"]
    named = ".".join(str(part) for part in where[:3])
    return f"{named}: unknown member" if mistake["type"] == "extra_forbidden" else named


def invalid_shape(fields: list[str]) -> ProblemError:
    """422 that names the members of our own schema, never what stood in them or unknown names."""
    return problem(
        "invalid",
        422,
        "送信された内容の形式が正しくありません",
        "項目の形を確かめて、もう一度送信してください。",
        en="The request does not have the documented shape; compare it with the API description.",
        fields=fields,
    )


async def _on_http(_: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, HTTPException)  # noqa: S101  (registered for this type)
    names = {404: "not-found", 405: "method-not-allowed", 401: "unauthorized", 413: "too-large"}
    name = names.get(error.status_code, f"http-{error.status_code}")
    headers = dict(error.headers or {})  # 405 says by `Allow` what would do (RFC 9110 §15.5.6)
    return problem(
        name,
        error.status_code,
        "処理できませんでした",
        "宛先と方法を確かめてください。",
        en="Check address and method.",
        headers=headers,
    ).response()


async def _on_unexpected(_: Request, error: Exception) -> JSONResponse:
    get_logger("web").error("request-failed", **describe(error))
    return problem(
        "internal",
        500,
        "内部で問題が起きました",
        "同じ内容をもう一度送信してください。続く場合は担当者に連絡してください。",
        en="Something failed here. Send the same again; if it goes on, tell the office.",
    ).response()
