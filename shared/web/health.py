"""Health: alive means the process answers; ready means what it depends on answers too."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass

from fastapi import APIRouter
from fastapi.responses import JSONResponse

Check = Callable[[], Awaitable[bool]]
Count = Callable[[], Awaitable[int]]


@dataclass(frozen=True)
class HealthReport:
    """`checks` name what the service depends on. `alarms` are counts that should be zero; None: cannot be read."""

    checks: Mapping[str, bool]
    alarms: Mapping[str, int | None]

    @property
    def is_ready(self) -> bool:
        return all(self.checks.values())


async def report_health(
    checks: Mapping[str, Check], alarms: Mapping[str, Count], *, timeout_s: float = 2.0
) -> HealthReport:
    """Run all checks and counts at once, each for at most `timeout_s` seconds."""
    results, counted = await asyncio.gather(
        asyncio.gather(*(_passes(check, timeout_s) for check in checks.values())),
        asyncio.gather(*(_counted(count, timeout_s) for count in alarms.values())),
    )
    return HealthReport(dict(zip(checks, results, strict=True)), dict(zip(alarms, counted, strict=True)))


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
        report = await report_health(checks, alarms, timeout_s=timeout_s)
        status = "ready" if report.is_ready else "waiting"
        answer = {"status": status, "checks": dict(report.checks), "alarms": dict(report.alarms)}
        return JSONResponse(answer, 200 if report.is_ready else 503)

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
