"""Attack a18: a compromised intake gives a receipt and drops the application, or the correction.

On commit 684719a the receipt was a bare number, so the applicant could prove nothing.
"""

import json
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from click.testing import Result
from typer.testing import CliRunner

from deploy.cli.commands import app
from services.intake.receipts.sign import Receiptable, ReceiptSigner, SignedReceipt
from services.lottery.allocation.frozen_list import FrozenList
from services.lottery.record.manifest import EntryCounts, Freeze, receipts_of, write_manifest
from shared.ids import CampaignId, new_application_id
from shared.receipt_documents import write_roll
from shared.signing import SigningKey
from tests.support.draw_builders import FROZEN, entry, sample_campaign
from tests.support.service_keys import service_key

LOTTERY = SigningKey.generate()
RECEIPT_KEY = bytes(32)


def receipted(version: int = 1) -> tuple[SignedReceipt, SignedReceipt]:
    """Return the receipt of one applicant's first version, and that of another version of the same application."""
    signer, at = ReceiptSigner(service_key("intake")), datetime(2018, 5, 16, tzinfo=UTC)
    stated = Receiptable(CampaignId("777-days"), new_application_id(), "0" * 64, at)
    first = next(signer.candidates(RECEIPT_KEY, "web", stated))
    return first, signer.sign(first.receipt, replace(stated, version=version + 1, sealed_sha256="1" * 64))


class PublishedFiles:
    """Files that the lottery publishes: manifest and roll of these receipts."""

    def __init__(self, folder: Path, *counted: SignedReceipt) -> None:
        self.folder, roll = folder, write_roll(receipt.line for receipt in counted)
        frozen = FrozenList.of([entry(number + 1, ("junior-football", 1)) for number in range(len(counted))])
        line = write_manifest(
            sample_campaign(),
            frozen,
            receipts_of(roll),
            EntryCounts({"web": len(counted)}, {}),
            Freeze(FROZEN, 7),
            None,
        )
        manifest = {"v": 1, "manifest": line, "signature": LOTTERY.sign(line.encode()), "signing_key": LOTTERY.public}
        (folder / "manifest.json").write_text(json.dumps(manifest), "utf-8")
        (folder / "roll").write_text(roll, "ascii")

    def verify(self, receipt: SignedReceipt, *options: str) -> Result:
        """Run `./kuji verify` with the applicant's own receipt document and the published files."""
        own = self.folder / "receipt.json"
        own.write_text(receipt.document, "utf-8")
        files = ("--manifest", str(self.folder / "manifest.json"), "--roll", str(self.folder / "roll"))
        keys = ("--intake-key", service_key("intake").public, "--key", LOTTERY.public)
        return CliRunner().invoke(app, ["verify", str(own), *files, *keys, "--json", *options])


def failed(result: Result) -> list[str]:
    return [check["name"] for check in json.loads(result.stdout)["checks"] if not check["passed"]]


def test_the_applicant_proves_that_a_receipted_application_was_dropped(tmp_path: Path) -> None:
    (dropped, _), (counted, _) = receipted(), receipted()
    files = PublishedFiles(tmp_path, counted)
    assert (files.verify(counted).exit_code, files.verify(dropped).exit_code) == (0, 1)
    assert failed(files.verify(dropped)) == ["receipt in the roll"]


def test_the_applicant_proves_that_a_receipted_correction_was_dropped(tmp_path: Path) -> None:
    first, correction = receipted()
    assert failed(PublishedFiles(tmp_path, first).verify(correction)) == ["receipt in the roll"]
    assert PublishedFiles(tmp_path, correction).verify(correction).exit_code == 0


@pytest.mark.parametrize("line", ["add", "remove"])
def test_a_roll_that_was_changed_after_the_freeze_is_not_that_of_the_manifest(tmp_path: Path, line: str) -> None:
    (dropped, _), (counted, _) = receipted(), receipted()
    files = PublishedFiles(tmp_path, counted)
    lines = [counted.line, dropped.line] if line == "add" else []
    (tmp_path / "roll").write_text(write_roll(lines), "ascii")
    assert {"number of receipts", "root of the roll"} <= set(failed(files.verify(dropped)))


def test_a_receipt_that_intake_did_not_sign_proves_nothing(tmp_path: Path) -> None:
    forged, _ = receipted()
    document = json.loads(forged.document) | {"sealed_sha256": "2" * 64}
    false = replace(forged, document=json.dumps(document))
    assert "signature of the receipt" in failed(PublishedFiles(tmp_path, forged).verify(false))
