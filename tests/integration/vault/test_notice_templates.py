"""Release of templates: only released bytes are used, and a handler releases exactly what was looked at."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest
from fastapi import FastAPI

from services.vault.notices import repository
from services.vault.notices.endpoints import templates_router
from services.vault.notices.released import ReleasedTemplates
from services.vault.notices.rules.samples import SAMPLE_NAME, sample_notices
from services.vault.notices.sources import TemplateFiles
from shared.staff_roles import Role
from shared.web import install_problems
from tests.support.approval_gate import KnownApprovals
from tests.support.staff_sign_in import sign_in_at, staff_access
from tests.support.vault_parts import Parts, parts


@dataclass(frozen=True)
class Office:
    """Templates of one campaign, the folder of its own ones, and the staff's client."""

    vault: Parts
    templates: ReleasedTemplates
    http: httpx.AsyncClient
    folder: Path
    gate: KnownApprovals

    async def states(self) -> dict[tuple[str, str], str]:
        answer = (await self.http.get(str(self.http.base_url).rstrip("/"))).raise_for_status().json()
        return {(row["kind"], row["channel"]): row["state"] for row in answer["templates"]}

    async def look_at(self, kind: str, channel: str) -> str:
        """Return the SHA-256 of the version that a handler looks at."""
        return str((await self.http.get(f"/{kind}/{channel}")).raise_for_status().json()["sha256"])

    async def release(self, kind: str, channel: str, sha256: str) -> httpx.Response:
        """Approve and release the version with this SHA-256."""
        approved = {"templates": [{"kind": kind, "channel": channel, "sha256": sha256}]}
        body = {"approval": self.gate.new(approved), "templates": [{"kind": kind, "channel": channel}]}
        return await self.http.post("/releases", json=body)

    async def render(self, kind: str) -> str | None:
        """Return the first sample's card of the released version; None if none is released."""
        texts = await self.templates.texts(self.vault.campaign.id, kind, "card")
        return None if texts is None else next(sample_notices(kind, "card", self.vault.campaign)).render(texts)[1]

    def write(self, kind: str, text: str) -> None:
        """Write the campaign's own card template."""
        path = self.folder / self.vault.campaign.id / "notices" / kind / "card.txt"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text + "{{ receipt }} {{ pages.status }} {{ pages.verify }}\n", "utf-8")


@pytest.fixture
async def office(mongo_url: str, namespace: str, tmp_path: Path) -> AsyncIterator[Office]:
    async with parts(mongo_url, namespace, tmp_path, repository.collections()) as vault:
        folder = tmp_path / "campaigns"
        gate = KnownApprovals()
        templates = ReleasedTemplates(
            vault.store, vault.campaigns, TemplateFiles(folder), vault.audit, vault.clock, gate
        )
        app = FastAPI()
        install_problems(app)
        app.include_router(templates_router(vault.campaigns, templates, staff_access("vault", vault.store, tmp_path)))
        staff = await sign_in_at(vault.store, "vault", "a.sato", {Role.HANDLER})
        url = f"http://vault/v1/campaigns/{vault.campaign.id}/notice-templates"
        async with httpx.AsyncClient(
            base_url=url, headers=staff, transport=httpx.ASGITransport(app=app), follow_redirects=True
        ) as http:
            yield Office(vault, templates, http, folder, gate)


async def test_no_text_is_written_before_its_template_is_released(office: Office) -> None:
    assert set((await office.states()).values()) == {"not-released"}
    assert await office.render("result") is None

    released = await office.release("result", "card", await office.look_at("result", "card"))

    assert released.json()["released"][0]["number"] == 1
    assert SAMPLE_NAME in str(await office.render("result"))
    assert (await office.states())["result", "card"] == "released"
    assert await office.render("offer") is None
    assert "release-template:result/card" in (await office.vault.audit.lines(0))[-1]


async def test_a_changed_file_is_not_used_until_it_is_released_again(office: Office) -> None:
    office.write("result", "first {{ name }} ")
    await office.release("result", "card", first := await office.look_at("result", "card"))

    office.write("result", "second {{ name }} ")

    assert str(await office.render("result")).startswith("first")
    assert (await office.states())["result", "card"] == "changed"
    refused = (await office.release("result", "card", first)).json()
    assert (refused["type"], refused["reason"]) == ("urn:kuji:problem:approval-needed", "other-params")
    answer = (await office.release("result", "card", await office.look_at("result", "card"))).json()["released"][0]
    assert (answer["number"], answer["by"]) == (2, "a.sato+responsible-1")
    assert str(await office.render("result")).startswith("second")


async def test_the_same_version_released_again_stays_one_release(office: Office) -> None:
    sha256 = await office.look_at("result", "card")
    answers = [(await office.release("result", "card", sha256)).json() for _ in range(2)]
    assert [answer["released"][0]["number"] for answer in answers] == [1, 1]


async def test_a_template_with_mistakes_is_shown_but_not_released(office: Office) -> None:
    office.write("result", "{{ phone }} https://evil.example.com ")
    preview = (await office.http.get("/result/card")).json()

    refused = await office.release("result", "card", preview["sha256"])

    assert preview["samples"] == []
    assert refused.status_code == 422
    assert refused.json()["mistakes"] == preview["mistakes"] != []
    assert await office.render("result") is None


async def test_a_preview_shows_texts_of_made_up_applicants(office: Office) -> None:
    preview = (await office.http.get("/result/mail")).raise_for_status().json()
    assert {"won draw 1", "waiting draw 2", "all classes"} <= {sample["title"] for sample in preview["samples"]}
    assert all(SAMPLE_NAME in sample["text"] for sample in preview["samples"])


@pytest.mark.parametrize("path", ["/unknown-kind/mail", "/../../etc/mail"])
async def test_a_kind_that_does_not_exist_has_no_template(office: Office, path: str) -> None:
    assert (await office.http.get(path)).status_code == 404
