"""Keys of a vault that runs are rotated: intake gets the new documents, the audit log says so and goes on."""

import json

from services.vault.audit import AuditEvent, AuditLog
from services.vault.audit.rules.verification import ExportedLog, verify_log
from services.vault.keys import rotation
from services.vault.keys.keystore import Keystore
from shared.clock import SystemClock
from shared.contracts import ApplicationsDecided, SealingKeyPublished
from shared.signing import verify_document
from shared.tlog import Note, NoteKey, read_checkpoint
from tests.support.identity_builders import content, written
from tests.support.vault_harness import CAMPAIGN, PASSPHRASE, Installation


async def test_sealing_and_signing_key_are_rotated_while_applications_come(installation: Installation):
    folder = installation.settings.keystore_dir
    async with installation.vault() as http:
        old_key = await installation.sealing_key(http)
        old = (await http.get("/v1/signing-key")).json()["public_key"]
        sealed_before = installation.received(old_key, written(content()))

        name = rotation.rotate_sealing(folder, PASSPHRASE, CAMPAIGN)
        await installation.consumed("intake", SealingKeyPublished, 2)
        new = rotation.prepare_signing_key(folder, PASSPHRASE)
        rotation.activate_signing_key(folder, PASSPHRASE)
        published = await installation.consumed("intake", SealingKeyPublished, 3)

        assert [event.key_id == name for event in published] == [False, True, True]
        assert [[verify_document(key, each.document) for key in (old, new)] for each in published] == [
            [True, False], [True, False], [False, True],
        ]  # fmt: skip
        listed = (await http.get("/v1/signing-key")).json()
        assert [(key["public_key"], key["state"]) for key in listed["keys"]] == [(new, "active"), (old, "verify")]

        other = content()["applicant"] | {"name": "佐藤 次郎", "phone": "03-0001-0002"}
        new_key = await installation.sealing_key(http)
        sealed_after = installation.received(new_key, written(content() | {"applicant": other}))
        await installation.say(sealed_before, sealed_after)
        decided = await installation.items("intake", ApplicationsDecided, 2)
        assert {decided[each.receipt].status for each in (sealed_before, sealed_after)} == {"complete"}

        log = (await http.get("/v1/audit")).json()
    acts = [json.loads(line) for line in log["lines"]]
    assert [act["purpose"] for act in acts if act["action"] == "rotate-key"] == ["sealing", "signing"]
    exported = ExportedLog(log["lines"], log["checkpoint"], NoteKey.parse(log["key"]))
    assert all(check.passed for check in verify_log(exported))
    assert NoteKey.parse(log["key"]).public == new


async def test_the_last_checkpoint_is_signed_again_by_the_new_key(installation: Installation):
    folder = installation.settings.keystore_dir
    keystore = Keystore.open(folder, PASSPHRASE)
    audit = AuditLog(installation.store, keystore.signing, SystemClock(), folder / "checkpoints")
    await audit.record([AuditEvent("suzuki-01", "engineer", "lock", "vault", None, None, "done")])
    before = await audit.checkpoint()
    rotation.prepare_signing_key(folder, PASSPHRASE)
    new = rotation.activate_signing_key(folder, PASSPHRASE)
    after = await audit.checkpoint()
    assert before is not None
    assert after is not None
    assert (after.size, after.note != before.note) == (before.size, True)
    assert read_checkpoint(Note.parse(after.note), [new]).size == 1
    assert await audit.checkpoint() == after, "once"
    assert await audit.is_whole()
