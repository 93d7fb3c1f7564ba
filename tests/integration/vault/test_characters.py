"""The keying page asks for characters that a keyboard cannot type: forms of another one, by reading or by parts."""

from pathlib import Path

import pytest

from shared.staff_roles import Role
from tests.support.desk_harness import FIRST, opened


@pytest.mark.parametrize(
    ("like", "wanted"),
    [
        *(("高", "髙"), ("たか", "髙"), ("サキ", "﨑"), ("崎", "﨑")),
        *(("木目", "相"), ("木 目", "相"), ("山竒", "﨑"), ("土口", "𠮷"), ("亠口冂口", "髙"), ("ハム", "公")),
        *(("髙橋", "高"), ("崎山本", "﨑")),
    ],
)
async def test_a_form_a_reading_or_parts_give_characters_that_a_card_can_show(
    mongo_url: str, namespace: str, tmp_path: Path, like: str, wanted: str
):
    async with opened(mongo_url, namespace, tmp_path) as desk:
        handler = await desk.person(FIRST)
        answer = await handler.client.get("/v1/characters", params={"like": like})
        assert wanted in answer.raise_for_status().json()["characters"]
        assert (await handler.client.get("/v1/characters", params={"like": ""})).status_code == 422
        assert (await handler.client.get("/v1/characters", params={"like": "あ" * 11})).status_code == 422
        auditor = await desk.person("kansa-01", {Role.AUDITOR})
        assert (await auditor.client.get("/v1/characters", params={"like": like})).status_code == 403
