"""Forms that work without a program: `application/x-www-form-urlencoded`, read with a limit."""

from typing import Final
from urllib.parse import parse_qs

from fastapi import Request

from shared.web.problems import problem

_MOST_BYTES: Final = 4096


async def form_fields(request: Request) -> dict[str, str]:
    """Read the form's fields, the first of each name. Raises 413 for a body larger than any of our forms."""
    body = b""
    async for piece in request.stream():
        body += piece
        if len(body) > _MOST_BYTES:
            raise problem("too-large", 413, "送信された内容が大きすぎます", "画面を開き直してください。")
    return {name: values[0] for name, values in parse_qs(body.decode("utf-8", "replace")).items()}
