"""Health: alive means the process answers; ready means what it depends on answers too."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping

from fastapi import APIRouter
from fastapi.responses import JSONResponse

Check = Callable[[], Awaitable[bool]]
Count = Callable[[], Awaitable[int]]


def health_router(
    checks: Mapping[str, Check], alarms: Mapping[str, Count] | None = None, *, timeout_s: float = 2.0
) -> APIRouter:
    """Return `/health/live` and `/health/ready`; the latter names each check and answers 503 while one fails.

    `alarms` are counts that should be zero. They leave a service ready: a foreign message must not stop it.
    """
    alarms = alarms or {}
    router = APIRouter(tags=["health"])

    @router.get("/health/live")
    async def live() -> dict[str, str]:
        return {"status": "alive"}

    @router.get("/health/ready")
    async def ready() -> JSONResponse:
        results = await asyncio.gather(*(_passes(check, timeout_s) for check in checks.values()))
        named = dict(zip(checks, results, strict=True))
        status = "ready" if all(results) else "waiting"
        counted = await asyncio.gather(*(_counted(count, timeout_s) for count in alarms.values()))
        answer = {"status": status, "checks": named, "alarms": dict(zip(alarms, counted, strict=True))}
        return JSONResponse(answer, 200 if all(results) else 503)

    return router


async def _passes(check: Check, timeout_s: float) -> bool:
    try:
        async with asyncio.timeout(timeout_s):
            return await check()
    except Exception:  # noqa: BLE001  (a check that fails in any way is a check that fails)
        return False


async def _counted(count: Count, timeout_s: float) -> int | None:
    """Return the count, or None where it cannot be read."""
    try:
        async with asyncio.timeout(timeout_s):
            return await count()
    except Exception:  # noqa: BLE001  (as above)
        return None
