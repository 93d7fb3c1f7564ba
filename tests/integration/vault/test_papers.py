"""Test the vault's paper inbox on a real broker, database and malware scanner."""

import asyncio
import json
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest

from deploy.edge.sealing import SealingKey
from deploy.local.processes import Watchdog
from services.vault.keys.keystore import Keystore
from services.vault.papers.draft_repository import StoredDraft
from shared.codes import Code, entry_id, intake_proof, proof_digest
from shared.contracts import (
    ApplicationsAccepted,
    ApplicationsDecided,
    ApplicationsRejected,
    AssignedReceipt,
    ContactsRegistered,
    PaperReceived,
    PaperSettled,
    ReceiptsAssigned,
)
from shared.ids import ApplicationId, KeyId, PaperId, Receipt, Serial, new_application_id
from shared.paper_files import NotAPaperError, inspect_file
from tests.support import fax_images
from tests.support.clamd_server import EICAR, Clamd
from tests.support.identity_builders import CODE, content
from tests.support.vault_harness import CAMPAIGN, STAFF, Installation
from tests.support.waiting import until

PAPERS = f"/v1/campaigns/{CAMPAIGN}/papers"
TAB = "tab-of-the-tests"


@pytest.fixture(scope="module")
def clamd(tmp_path_factory: pytest.TempPathFactory, watchdog: Watchdog) -> Iterator[Clamd]:
    daemon = Clamd(tmp_path_factory.mktemp("clamd") / "private", watchdog).start()
    yield daemon
    daemon.stop()


class Inbox:
    """A running vault, seen from intake's side and from the desk."""

    def __init__(self, installation: Installation, http: httpx.AsyncClient, key: SealingKey) -> None:
        self.installation, self.http, self.key, self._count = installation, http, key, 0

    async def send(self, file: bytes, *, key_id: str | None = None) -> PaperId:
        paper_id = PaperId(new_application_id())
        self._count += 1
        event = PaperReceived(
            campaign=CAMPAIGN,
            paper_id=paper_id,
            receipt=Receipt(f"F-0000-{self._count:04}-0"),
            channel="fax",
            serial=Serial(f"F-{self._count:04}"),
            key_id=KeyId(key_id or self.key.key_id),
            sealed=self.key.seal_paper(paper_id, file),
            received_at=datetime(2018, 5, 16, 9, tzinfo=UTC),
        )
        await self.installation.publish(event)
        return paper_id

    async def taken(self, count: int) -> dict[str, Any]:
        """Wait until the list holds `count` papers and return it."""

        async def enough() -> bool:
            return len((await self.overview())["papers"]) >= count

        await until(enough)
        return await self.overview()

    async def overview(self) -> dict[str, Any]:
        found: dict[str, Any] = (await self.http.get(PAPERS)).raise_for_status().json()
        return found

    async def take(self) -> dict[str, Any]:
        """Return the next paper for the tab of the tests."""
        answer = await self.http.post(f"{PAPERS}/next", json={"tab": TAB})
        handed: dict[str, Any] = answer.raise_for_status().json()["paper"]
        return handed

    async def picture(self, paper_id: PaperId, page: int = 0) -> httpx.Response:
        return await self.http.get(f"{PAPERS}/{paper_id}/pages/{page}", params={"tab": TAB})

    async def settle(self, paper_id: PaperId, **body: Any) -> httpx.Response:
        return await self.http.post(f"{PAPERS}/{paper_id}", json=body)

    async def audit(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in (await self.http.get("/v1/audit")).json()["lines"]]


@asynccontextmanager
async def opened(installation: Installation, **changes: Any) -> AsyncIterator[Inbox]:
    async with installation.vault(**changes) as http:
        yield Inbox(installation, http, await installation.sealing_key(http))


async def test_real_faxes_come_out_as_they_were_sent_and_every_look_is_on_record(installation: Installation):
    sent = [fax_images.fax(lines, coding, 3) for lines in (196, 98) for coding in ("group3", "group4")]
    async with opened(installation) as inbox:
        files = {await inbox.send(tiff): tiff for tiff in sent}
        found = await inbox.taken(4)
        assert found["counts"]["waiting"] == found["unkeyed"] == 4
        assert {(each["state"], each["pages"], each["channel"]) for each in found["papers"]} == {("waiting", 3, "fax")}
        assert found["oldest_waiting_s"] >= 0
        for _ in sent:
            paper_id = (await inbox.take())["id"]  # those of one millisecond come in any order
            for page, picture in enumerate(fax_images.pictures(files.pop(paper_id))):
                drawn = (await inbox.picture(paper_id, page)).content
                assert fax_images.has_same_dots(drawn, picture)
            assert (await inbox.http.post(f"{PAPERS}/{paper_id}/return", json={"tab": TAB})).json()["returned"]
            assert (await inbox.picture(paper_id)).status_code == 409
            await inbox.settle(paper_id, decision="discarded", reason="blank")
        shown = [line for line in await inbox.audit() if line["action"] == "show-paper"]
        assert [(line["actor"], line["role"], line["purpose"]) for line in shown] == [(STAFF, "handler", "keying")] * 4
    async for document in installation.store.db["papers"].find():
        assert not any(tiff[200:264] in document["ciphertext"] for tiff in sent)


async def test_staff_see_pictures_of_a_paper_and_never_its_file(installation: Installation):
    async with opened(installation) as inbox:
        paper_id = await inbox.send(fax_images.scan(payload=b"a letter", secret="an author"))
        await inbox.taken(1)
        assert (await inbox.take())["pages"] == 1
        answer = await inbox.picture(paper_id)
        assert (answer.headers["Content-Type"], answer.content[:4]) == ("image/png", b"\x89PNG")
        assert answer.headers["Content-Security-Policy"] == "default-src 'none'; sandbox"
        assert (answer.headers["X-Content-Type-Options"], answer.headers["Cache-Control"]) == ("nosniff", "no-store")
        assert (await inbox.picture(paper_id, 1)).status_code == 404
        assert (await inbox.picture(PaperId(new_application_id()))).status_code == 409
        inbox.http.headers.pop("Cookie")
        assert (await inbox.picture(paper_id)).status_code == 401


async def test_malware_and_what_is_no_paper_are_put_aside_and_nothing_else_stops(
    installation: Installation, clamd: Clamd, capsys: pytest.CaptureFixture[str]
):
    tiff = fax_images.fax(196, "group4", 2)
    async with opened(installation, clamd_url=clamd.url) as inbox:
        aside = {
            await inbox.send(fax_images.scan(payload=EICAR)): ("quarantined", "malware"),
            await inbox.send(tiff[: len(tiff) // 2]): ("unreadable", "damaged"),
            await inbox.send(b"MZ" + tiff): ("unreadable", "unknown-kind"),
            await inbox.send(fax_images.scan(password="x")): ("unreadable", "encrypted"),
            await inbox.send(tiff, key_id="another-key"): ("unreadable", "not-opened"),
        }
        good = await inbox.send(tiff)
        found = await inbox.taken(6)
        assert {each["id"]: (each["state"], each["reason"]) for each in found["papers"] if each["id"] != good} == aside
        assert found["counts"] == {"waiting": 1, "quarantined": 1, "unreadable": 4, "keyed": 0, "discarded": 0}
        for _ in range(6):
            handed = await inbox.take()
            assert (handed["pages"] > 0) == (handed["id"] == good)
            assert (await inbox.picture(handed["id"])).status_code == (200 if handed["id"] == good else 404)
            await inbox.settle(handed["id"], decision="discarded", reason="blank", tab=TAB)
        assert await inbox.take() is None
    assert EICAR.decode() not in capsys.readouterr().out


async def test_while_the_scanner_is_away_papers_wait_and_none_is_shown(installation: Installation, clamd: Clamd):
    clamd.stop()
    try:
        async with opened(installation, clamd_url=clamd.url) as inbox:
            await inbox.send(fax_images.fax())
            await asyncio.sleep(1.5)
            assert (await inbox.overview())["papers"] == []
            assert await inbox.take() is None
            clamd.start()
            assert (await inbox.taken(1))["counts"]["waiting"] == 1
            assert (await inbox.http.get("/v1/parked")).json()["messages"] == []
    finally:
        clamd.stop()
        clamd.start()


async def test_the_same_paper_delivered_twice_is_one_paper(installation: Installation):
    async with opened(installation) as inbox:
        paper_id = PaperId(new_application_id())
        for _ in range(2):
            await inbox.installation.publish(
                PaperReceived(
                    campaign=CAMPAIGN,
                    paper_id=paper_id,
                    receipt=Receipt("P-0000-0001-0"),
                    channel="post",
                    serial=Serial("P-1"),
                    key_id=inbox.key.key_id,
                    sealed=inbox.key.seal_paper(paper_id, fax_images.photo("PNG")),
                    received_at=datetime(2018, 5, 16, 9, tzinfo=UTC),
                )
            )
        await inbox.send(fax_images.photo("JPEG"))
        assert len((await inbox.taken(2))["papers"]) == 2


async def test_a_keyed_paper_becomes_applications_once_intake_has_given_them_receipts(
    installation: Installation, capsys: pytest.CaptureFixture[str]
):
    async with opened(installation) as inbox:
        paper = await inbox.send(fax_images.fax())
        (listed,) = (await inbox.taken(1))["papers"]
        sheets = [_sheet("髙橋 一郎"), _sheet("髙橋 二郎", postal_code="060-0001", address="札幌市中央区1-1")]
        done = await inbox.settle(paper, decision="keyed", applications=sheets)
        again = await inbox.settle(paper, decision="keyed", applications=sheets)
        other = await inbox.settle(paper, decision="keyed", applications=sheets[:1])
        (settled,) = await installation.consumed("intake", PaperSettled, 1)
        ids = [keyed.application_id for keyed in settled.applications]
        assert (done.status_code, again.json()) == (200, done.json())
        assert done.json() == {"paper_id": paper, "state": "keyed", "application_ids": ids}
        assert (other.status_code, other.json()["type"]) == (409, "urn:kuji:problem:already-settled")
        assert paper not in ids
        codes = await drafted_codes(installation, ids)
        assert [keyed.proof_sha256 for keyed in settled.applications] == [
            proof_digest(intake_proof(CAMPAIGN, application_id, codes[application_id])) for application_id in ids
        ]
        assert await installation.store.db["applications"].count_documents({}) == 0
    async with opened(installation) as inbox:  # the vault died in between
        receipts = {ids[0]: Receipt(listed["receipt"]), ids[1]: Receipt("F-0000-0002-0")}
        for _ in range(2):
            await installation.publish(assigned(paper, receipts))
        accepted = await installation.items("lottery", ApplicationsAccepted, 1)
        rejected = await installation.items("lottery", ApplicationsRejected, 1)
        decided = await installation.items("intake", ApplicationsDecided, 2)
        contacts = await installation.items("notifier", ContactsRegistered, 2)
        stored = await installation.everything_stored()
        assert await installation.store.db["drafts"].count_documents({}) == 0
        actions = [line["action"] for line in await inbox.audit()]
    entry = entry_id(CAMPAIGN, ids[0], codes[ids[0]])
    first = accepted[listed["receipt"]]
    assert (first.entry, first.channel, first.version) == (entry, "fax", 1)
    assert rejected["F-0000-0002-0"].reasons == ("not-resident",)
    assert {verdict.application_id for verdict in decided.values()} == set(ids)
    assert {contact.contact for contact in contacts.values()} == {"post"}
    assert actions[-3:] == ["paper:keyed", "register-keyed", "register-keyed"]
    places = (stored, installation.everything_consumed(), capsys.readouterr().out.encode(), done.content)
    for code in codes.values():
        assert not any(code.encode() in place for place in places)


async def test_content_that_is_no_application_is_refused_before_anything_is_stored(installation: Installation):
    async with opened(installation) as inbox:
        paper = await inbox.send(fax_images.fax())
        await inbox.taken(1)
        wrong_sheets: list[tuple[dict[str, Any], str]] = [
            (_sheet("髙橋 二郎", phone="12"), "malformed"),
            (_sheet("髙橋 二郎") | {"code": CODE}, "malformed"),
            (_sheet("髙橋 二郎") | {"purpose_version": "2017-12"}, "purpose-version"),
        ]
        for sheet, reason in wrong_sheets:
            answer = await inbox.settle(paper, decision="keyed", applications=[_sheet("髙橋 一郎"), sheet])
            assert (answer.status_code, answer.json()["type"]) == (422, "urn:kuji:problem:not-keyable")
            assert (answer.json()["position"], answer.json()["reasons"]) == (1, [reason])
            assert "髙橋" not in answer.text
        for wrong in ({"decision": "keyed"}, {"decision": "discarded"}, {"decision": "discarded", "reason": "空白"}):
            assert (await inbox.settle(paper, **wrong)).status_code == 422
        assert (await inbox.overview())["counts"]["waiting"] == 1
        assert await installation.store.db["drafts"].count_documents({}) == 0


async def test_a_discarded_paper_has_a_verdict_so_that_the_draw_does_not_wait_for_it(installation: Installation):
    async with opened(installation) as inbox:
        paper = await inbox.send(fax_images.fax(98))
        (listed,) = (await inbox.taken(1))["papers"]
        answers = [await inbox.settle(paper, decision="discarded", reason="blank") for _ in range(2)]
        keyed = await inbox.settle(paper, decision="keyed", applications=[_sheet("髙橋 一郎")])
        rejected = await installation.items("lottery", ApplicationsRejected, 1)
        (settled,) = await installation.consumed("intake", PaperSettled, 1)
        found = await inbox.overview()
    assert [answer.json() for answer in answers] == [
        {"paper_id": paper, "state": "discarded", "application_ids": []}
    ] * 2
    assert keyed.status_code == 409
    assert (settled.paper_id, settled.state, settled.applications) == (paper, "discarded", ())
    verdict = rejected[listed["receipt"]]
    assert (verdict.verdict, verdict.version, verdict.channel, verdict.entry) == ("discarded", 1, "fax", None)
    assert (found["unkeyed"], found["oldest_waiting_s"]) == (0, None)


async def test_receipts_for_other_applications_than_the_papers_own_register_nothing(installation: Installation):
    async with opened(installation) as inbox:
        paper = await inbox.send(fax_images.fax())
        (listed,) = (await inbox.taken(1))["papers"]
        done = await inbox.settle(paper, decision="keyed", applications=[_sheet("髙橋 一郎")])
        (own,) = done.json()["application_ids"]
        forged = [
            {new_application_id(): Receipt(listed["receipt"])},
            {own: Receipt("F-0000-0009-0")},
            {own: Receipt(listed["receipt"]), new_application_id(): Receipt("F-0000-0002-0")},
        ]
        for receipts in forged:
            await installation.publish(assigned(paper, receipts))

        async def are_parked() -> bool:
            return len((await inbox.http.get("/v1/parked")).json()["messages"]) == len(forged)

        await until(are_parked)
        assert await installation.store.db["applications"].count_documents({}) == 0
        await installation.publish(assigned(paper, {own: Receipt(listed["receipt"])}))
        assert set(await installation.items("lottery", ApplicationsAccepted, 1)) == {listed["receipt"]}


def assigned(paper: PaperId, receipts: dict[ApplicationId, Receipt]) -> ReceiptsAssigned:
    """Return intake's answer to a keyed paper."""
    items = tuple(AssignedReceipt(application_id=one, receipt=receipt) for one, receipt in receipts.items())
    return ReceiptsAssigned(campaign=CAMPAIGN, paper_id=paper, items=items)


async def drafted_codes(installation: Installation, ids: list[ApplicationId]) -> dict[ApplicationId, Code]:
    """Return the codes of drafts, opened with the keys of the installation."""
    keystore = Keystore.open(installation.settings.keystore_dir, "a passphrase of the tests")
    rows = await installation.store.db["drafts"].find({"_id": {"$in": ids}}).to_list(None)
    drafts = [StoredDraft.from_document(row).decrypt(keystore.campaign(CAMPAIGN)) for row in rows]
    return {draft.application_id: draft.code for draft in drafts}


def _sheet(name: str, **changes: str) -> dict[str, Any]:
    """Return the content of a paper as a handler keys it: no mail address, no code."""
    sheet = content(applicant=content()["applicant"] | {"name": name} | changes)
    sheet["applicant"].pop("email")
    del sheet["code"]
    return sheet


def test_the_test_faxes_are_what_they_say():
    """Otherwise the tests above would prove nothing."""
    assert fax_images.same_pictures(fax_images.fax(196, "group3", 2), fax_images.fax(196, "group4", 2))
    assert not fax_images.same_pictures(fax_images.fax(196), fax_images.fax(98))
    assert inspect_file(fax_images.fax(98, "group3", 3)).pages == 3
    with pytest.raises(NotAPaperError):
        inspect_file(Path(__file__).read_bytes())
