"""Webhook for hosted fax services, off unless started: a pushed fax is sealed in memory and spooled sealed.

The service itself sees every fax in the clear; docs/operations.md says what that means.
"""

import asyncio
import hashlib
import hmac
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Annotated, Final, cast

from fastapi import FastAPI, Header, Query, Request
from starlette.requests import ClientDisconnect

from deploy.edge.folder_watch import ADVICE
from deploy.edge.intake_client import IntakeUnavailableError, PaperRefusedError
from deploy.edge.sealing import KeyRefusedError
from deploy.edge.sender import Sender, serial_of
from shared.ids import PaperId
from shared.paper_files import BYTES, NotAPaperError
from shared.web import ProblemError, install_problems, problem, unavailable

_READ_S: Final = 60.0
_EVERY_S: Final = 15.0


def build(sender: Sender, secret: bytes, *, every_s: float = _EVERY_S) -> FastAPI:
    """Build the app. `secret`: shared with the fax service, at least 32 bytes."""
    arrived = asyncio.Event()

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        delivering = asyncio.create_task(_deliver(sender, arrived, every_s))
        yield
        delivering.cancel()
        with suppress(asyncio.CancelledError):
            await delivering

    app = FastAPI(title="Kuji fax webhook", lifespan=lifespan, openapi_url=None, docs_url=None, redoc_url=None)
    install_problems(app)

    @app.post("/fax", status_code=202)
    async def fax(
        request: Request,
        fax_id: Annotated[str, Query(alias="id", pattern=r"^[A-Za-z0-9-]{1,30}$")],
        authorization: Annotated[str | None, Header()] = None,
        kuji_signature: Annotated[str | None, Header()] = None,
    ) -> dict[str, str]:
        """Take the body. `Authorization: Bearer …`, or `Kuji-Signature`: hex HMAC-SHA256 of id, LF and body."""
        content = await _body(request)
        if not (_bears(secret, authorization) or _signed(secret, fax_id, content, kuji_signature)):
            raise _unauthorized()
        await _take(sender, fax_id, content, paper_id_of(secret, fax_id))
        arrived.set()
        return {"status": "sealed"}

    return app


def paper_id_of(secret: bytes, fax_id: str) -> PaperId:
    """Derive the paper id from the fax id with the secret: the same fax pushed again is the same paper."""
    digest = hmac.new(secret, b"paper-id\n" + fax_id.encode(), hashlib.sha256).digest()
    return cast("PaperId", str(uuid.UUID(bytes=digest[:16], version=4)))


def signature_of(secret: bytes, fax_id: str, content: bytes) -> str:
    """Compute the value of `Kuji-Signature`: hex HMAC-SHA256 of id, LF and content."""
    return hmac.new(secret, fax_id.encode() + b"\n" + content, hashlib.sha256).hexdigest()


async def _take(sender: Sender, fax_id: str, content: bytes, paper_id: PaperId) -> None:
    if any(paper.paper_id == paper_id for paper in sender.spool.papers()):
        return
    try:
        await asyncio.to_thread(sender.send_bytes, content, "fax", serial_of(f"F-{fax_id}"), paper_id)
    except NotAPaperError as refusal:
        raise problem(
            refusal.code, 422, "この書類は受け付けられません", ADVICE.get(refusal.code, ""), en="Not a paper we take."
        ) from None
    except (IntakeUnavailableError, KeyRefusedError):
        raise unavailable("There is no sealing key to seal with just now; push the same again shortly.") from None


async def _deliver(sender: Sender, arrived: asyncio.Event, every_s: float) -> None:
    """Deliver spooled papers at the start, after each arrival, and every `every_s` seconds."""
    while True:
        arrived.clear()
        with suppress(IntakeUnavailableError, PaperRefusedError):
            await asyncio.to_thread(sender.resume)
        with suppress(TimeoutError):
            async with asyncio.timeout(every_s):
                await arrived.wait()


async def _body(request: Request) -> bytes:
    content = bytearray()
    try:
        async with asyncio.timeout(_READ_S):
            async for chunk in request.stream():
                content += chunk
                if len(content) > BYTES:
                    raise problem("too-large", 413, "書類のデータが大きすぎます", ADVICE["too-large"])
    except (TimeoutError, ClientDisconnect):
        raise problem("body-timeout", 408, "送信が途中で止まりました", "もう一度送信してください。") from None
    return bytes(content)


def _bears(secret: bytes, authorization: str | None) -> bool:
    return authorization is not None and hmac.compare_digest(authorization.encode(), b"Bearer " + secret)


def _signed(secret: bytes, fax_id: str, content: bytes, signature: str | None) -> bool:
    return signature is not None and hmac.compare_digest(
        signature.encode(), signature_of(secret, fax_id, content).encode()
    )


def _unauthorized() -> ProblemError:
    return problem(
        "unauthorized",
        401,
        "権限がありません",
        "ファクス受信サービスに、この受付の鍵を設定してください。",
        en="Send the shared secret as a bearer token, or a Kuji-Signature made with it.",
        headers={"WWW-Authenticate": "Bearer"},
    )
