"""Health: alive means the process answers; ready means what it depends on answers too."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping

from fastapi import APIRouter
from fastapi.responses import JSONResponse

Check = Callable[[], Awaitable[bool]]


def health_router(checks: Mapping[str, Check], *, timeout_s: float = 2.0) -> APIRouter:
    """`/health/live` and `/health/ready`; the latter names each check and answers 503 while one fails."""
    router = APIRouter(tags=["health"])

    @router.get("/health/live")
    async def live() -> dict[str, str]:
        return {"status": "alive"}

    @router.get("/health/ready")
    async def ready() -> JSONResponse:
        results = await asyncio.gather(*(_passes(check, timeout_s) for check in checks.values()))
        named = dict(zip(checks, results, strict=True))
        return JSONResponse(
            {"status": "ready" if all(results) else "waiting", "checks": named}, 200 if all(results) else 503
        )

    return router


async def _passes(check: Check, timeout_s: float) -> bool:
    try:
        async with asyncio.timeout(timeout_s):
            return await check()
    except Exception:  # noqa: BLE001  (a check that fails in any way is a check that fails)
        return False
