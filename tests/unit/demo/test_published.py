"""Each check of the published files can be seen to fail."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from deploy.demo.application import DemoApplication
from deploy.demo.client import SubmittedApplication
from deploy.demo.people import population
from deploy.demo.published import PublishedFiles, own_entry, published_checks
from shared.campaign import load_campaign
from shared.json_types import JsonObject
from shared.receipt_documents import roll_line, write_receipt_document, write_roll
from shared.receipts import candidates
from shared.signing import SigningKey
from tests.support.applicants import RECEIPT_KEY
from tests.support.draw_builders import DAY

CAMPAIGN = load_campaign(Path("deploy/campaigns/777-days.yaml"))
SENT = [each for each in population(CAMPAIGN, 3, 200) if each.channel == "web" and each.twin is None]
DRAWN = {each.application_id for each in SENT if each.expected.status == "accepted"}
KEY = SigningKey.generate()


def document(application: DemoApplication, version: int) -> JsonObject:
    return write_receipt_document(
        KEY,
        campaign=CAMPAIGN.id,
        receipt=next(candidates(RECEIPT_KEY, "web", application.application_id)),
        application_id=application.application_id,
        version=version,
        sealed_sha256="0" * 64,
        received_at=DAY,
    )


TAKEN = {
    each.application_id: SubmittedApplication(
        each.application_id, tuple(document(each, version) for version in range(1, len(each.later) + 2))
    )
    for each in SENT
}
CORRECTED = next(taken for taken in TAKEN.values() if len(taken.documents) > 1)
FILES = PublishedFiles(
    transcript="{}",
    rows="".join(f"{own_entry(CAMPAIGN, each)} press-kids:1\n" for each in SENT if each.application_id in DRAWN),
    roll=write_roll(roll_line(taken.documents[-1]) for taken in TAKEN.values()),
)


def failed(files: PublishedFiles) -> set[str]:
    return {name for name, holds in published_checks(CAMPAIGN, files, SENT, TAKEN, DRAWN) if not holds}


def test_the_files_of_a_flawless_run_pass():
    assert failed(FILES) == set()


@pytest.mark.parametrize(
    ("change", "name"),
    [
        (lambda f: replace(f, roll=f.roll[65:]), "one line for each receipt"),
        (lambda f: replace(f, roll=f"{'0' * 64}\n{f.roll[65:]}"), "last receipt document"),
        (lambda f: replace(f, roll=f.roll + roll_line(CORRECTED.documents[0])), "no earlier receipt document"),
        (lambda f: replace(f, rows=f.rows.partition("\n")[2]), "own entry"),
        (lambda f: replace(f, rows=f"{f.rows}{'0' * 32} press-kids:1\n"), "as many entries"),
        (lambda f: replace(f, transcript=SENT[0].application_id), "names an application"),
        (lambda f: replace(f, transcript=SENT[0].application_id.replace("-", "")), "names an application"),
        (lambda f: replace(f, transcript=CORRECTED.receipt), "names an application"),
    ],
)
def test_a_wrong_file_is_found(change: Callable[[PublishedFiles], PublishedFiles], name: str):
    assert any(name in found for found in failed(change(FILES)))
