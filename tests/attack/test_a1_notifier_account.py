"""Attacks a1, a9, a10: the attacker holds the notifier's account, its key and every slip that it was ever given."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi import FastAPI

from services.vault.app import build
from services.vault.settings import VaultSettings
from shared.contracts import MailAnswer, MailCompleted, MailRequested, NoticeDocument
from shared.ids import new_event_id, new_token
from shared.messaging.envelope import Envelope
from shared.messaging.names import Names
from shared.service_keys import read_private_key
from tests.support.attacked_installation import Installation
from tests.support.attacker import Attacker
from tests.support.mail_room_harness import MailDesk, mail_desk, person, sign_slip
from tests.support.mail_server import MailServer
from tests.support.private_broker import PASSWORD
from tests.support.vault_parts import SAMPLE, Known
from tests.support.waiting import until


@dataclass
class Siege:
    """Attacker beside a vault that works as in an office. `people`: two applicants."""

    desk: MailDesk
    attacker: Attacker
    app: FastAPI
    server: MailServer
    people: Sequence[Known]
    lottery_keys: Path

    def document(self, known: Known, n: int = 1_000_000, **changes: Any) -> NoticeDocument:
        """Return a document with the slip that the lottery gave to the notifier for this applicant."""
        slip = sign_slip(self.desk.vault, known, n, keys=self.lottery_keys)
        return self.desk.result(known, n, **({"slip": slip} | changes))

    async def order(self, *documents: NoticeDocument) -> list[MailAnswer]:
        """Publish the documents with the notifier's account and key, and return the answers in their order."""
        body = MailRequested(campaign=self.desk.vault.campaign.id, items=documents).to_json()
        event_id = new_event_id()
        signature = self.attacker.key.sign_event(MailRequested.name, event_id, body)
        message = Envelope(event_id, MailRequested.name, body, signature=signature).message()
        await self.attacker.publish(MailRequested.name, [message], {})
        answers: dict[str, MailAnswer] = {}

        async def has_all() -> bool:
            answers.update({answer.notice: answer for answer in await self._read_answers()})
            return {document.notice for document in documents} <= set(answers)

        await until(has_all, 60)
        return [answers[document.notice] for document in documents]

    async def alarms(self) -> dict[str, int]:
        """Return the alarms of the vault's health page."""
        transport = httpx.ASGITransport(self.app)
        async with httpx.AsyncClient(transport=transport, base_url="http://vault") as client:
            alarms: dict[str, int] = (await client.get("/health/ready")).json()["alarms"]
            return alarms

    async def _read_answers(self) -> list[MailAnswer]:
        queue = await self.attacker.channel.get_queue(Names().queue("notifier", MailCompleted), ensure=False)
        found = []
        while (message := await queue.get(no_ack=True, fail=False)) is not None:
            for envelope in Envelope.read_all(message):
                found += MailCompleted.model_validate_json(envelope.body).items
        return found


@pytest.fixture
async def siege(installation: Installation, namespace: str, tmp_path: Path) -> AsyncIterator[Siege]:
    folder = tmp_path / "vault"
    folder.mkdir()
    async with MailServer() as server, mail_desk(installation.mongo_url, namespace, folder, server.port) as desk:
        people = await desk.vault.admit([person(1), person(2)])
        async with (
            _running_vault(installation, namespace, folder, server) as app,
            installation.attacker("notifier") as attacker,
        ):
            yield Siege(desk, attacker, app, server, people, installation.folders.folders["lottery"])


@asynccontextmanager
async def _running_vault(
    installation: Installation, namespace: str, folder: Path, server: MailServer
) -> AsyncIterator[FastAPI]:
    (folder / "passphrase").write_text("a passphrase of the tests", "utf-8")
    (folder / "campaigns").mkdir()
    (folder / "campaigns" / SAMPLE.name).write_bytes(SAMPLE.read_bytes())
    app = build(
        VaultSettings.model_validate(
            {
                "amqp_url": installation.broker.url("vault", PASSWORD),
                "mongo_url": installation.mongo_url,
                "mongo_database": f"{namespace}_vault",
                "campaigns_dir": folder / "campaigns",
                "state_dir": folder / "state",
                "keystore_dir": folder / "keys",
                "passphrase_file": folder / "passphrase",
                "service_keys_dir": installation.folders.folders["vault"],
                "mta_host": "127.0.0.1",
                "mta_port": server.port,
                "mta_security": "none",
                "shutdown_s": 5,
            }
        )
    )
    async with app.router.lifespan_context(app):
        yield app


async def test_the_notifiers_account_can_send_nothing_that_the_lottery_did_not_sign(siege: Siege) -> None:
    one, other = siege.people
    name = one.person.name
    slip_of_other = sign_slip(siege.desk.vault, other, keys=siege.lottery_keys)
    forged = siege.attacker.key.sign_document("kuji/slip/2", slip_of_other | {"token": one.token})
    documents = {
        "slip of another token": siege.document(one, slip=slip_of_other),
        "slip signed by the notifier": siege.document(one, slip=forged),
        "slip with another member": siege.document(one, slip=slip_of_other | {"name": name}),
        "hand-made kind": siege.document(one, kind="list-of-names"),
        "no slip": siege.document(one, slip=None),
        "announcement as an oracle": siege.desk.announcement([one, other], params={"weather": "see-this"}),
        "several recipients of a result": siege.document(one, token=None, tokens=[one.token, other.token]),
        "token that nobody has": siege.document(one, token=new_token()),
    }
    answers = await siege.order(*documents.values())
    assert {title: answer.answer for title, answer in zip(documents, answers, strict=True)} == dict.fromkeys(
        documents, "invalid"
    )
    bare = {answer.model_dump_json(exclude={"notice"}) for answer in answers}
    assert bare == {'{"attempt":1,"answer":"invalid","refused":[]}'}
    assert siege.server.mails == []
    assert "reveal:" not in await siege.desk.vault.audited(), "a refused document must open no identity"
    assert (await siege.alarms())["invalid_notice_documents"] == len(documents)


@pytest.mark.parametrize(
    "params", [{"url": "https://evil.example/{{kuji:name}}"}, {"text": "<b>html</b>"}, {"class_id": "a" * 65}]
)
def test_no_document_can_carry_an_address_or_markup(params: dict[str, str]) -> None:
    members = {"notice": "n-" + 20 * "0", "campaign": "777-days", "kind": "result", "channel": "mail", "attempt": 1}
    with pytest.raises(ValueError, match="params"):
        NoticeDocument.model_validate(members | {"n": 1, "token": new_token(), "params": params})


async def test_a_replayed_slip_is_superseded_and_sends_no_old_result(siege: Siege) -> None:
    one, _ = siege.people
    new, old = siege.document(one, 2_000_000), siege.document(one)
    assert [answer.answer for answer in await siege.order(new)] == ["sent"]
    assert [answer.answer for answer in await siege.order(old)] == ["superseded"]
    assert len(siege.server.mails) == 1
    assert (await siege.alarms())["invalid_notice_documents"] == 0


async def test_an_applicant_gets_at_most_two_mails_of_one_result(siege: Siege) -> None:
    one, _ = siege.people
    answers = await siege.order(*(siege.document(one, attempt=attempt) for attempt in (1, 2, 3)))
    assert sorted(answer.answer for answer in answers) == ["invalid", "sent", "sent"]
    assert len(siege.server.mails) == 2


async def test_slips_of_a_retired_key_are_sent_and_those_of_a_stolen_one_are_not(
    siege: Siege, installation: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Give the thief the notifier's account and the lottery's former signing key; the vault runs all the time."""
    monkeypatch.setattr("shared.service_keys._FRESH_S", 0.0)
    one, other = siege.people
    stolen = read_private_key(siege.lottery_keys, "lottery", "signing")
    of_old_key, forged = siege.document(one), siege.document(other)
    installation.folders.rotate("lottery", "signing")
    assert [answer.answer for answer in await siege.order(of_old_key)] == ["sent"]

    installation.folders.revoke(stolen.name)
    of_new_key = siege.document(other)
    assert [answer.answer for answer in await siege.order(forged, of_new_key)] == ["invalid", "sent"]
    assert len(siege.server.mails) == 2
    assert (await siege.alarms())["invalid_notice_documents"] == 1
