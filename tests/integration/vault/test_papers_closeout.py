"""Papers at the close-out: counted, erased, counted again; a stolen copy stays closed (R-S7, R-C11)."""

from datetime import UTC, datetime

import pytest

from services.vault.keys.keystore import KeyDestroyedError
from services.vault.papers.repository import COLLECTION, StoredPaper
from services.vault.papers.rules.states import PaperState
from shared.contracts import PaperReceived
from shared.ids import KeyId, PaperId, Receipt, Serial, new_application_id
from shared.paper_files import inspect_file
from tests.support import fax_images
from tests.support.closeout_harness import PEOPLE, CloseOutOffice


async def keep(office: CloseOutOffice, content: bytes) -> dict[str, object]:
    event = PaperReceived(
        campaign=office.vault.campaign.id,
        paper_id=PaperId(new_application_id()),
        receipt=Receipt("F-0000-0001-0"),
        channel="fax",
        serial=Serial("F-1"),
        key_id=KeyId("k1"),
        sealed="",
        received_at=datetime(2018, 5, 16, tzinfo=UTC),
    )
    paper = StoredPaper.encrypt(
        office.vault.keys,
        event,
        state=PaperState.WAITING,
        taken_at=office.vault.clock.now(),
        content=content,
        facts=inspect_file(content),
    )
    await office.vault.store.db[COLLECTION].insert_one(paper.to_document())
    return paper.to_document()


async def test_papers_are_erased_counted_and_cannot_be_opened_afterwards(office: CloseOutOffice):
    await office.vault.admit(PEOPLE)
    tiff = fax_images.fax(98)
    stolen = await keep(office, tiff)
    assert StoredPaper.from_document(stolen).decrypt(office.vault.keys) == tiff
    await office.give_back()
    certificate = await office.erase()
    assert certificate["verdict"] == "PASS"
    assert isinstance(certificate["services"], list)
    rows = [row for row in certificate["services"] if row["service"] == "vault"]
    [papers] = [row for row in rows if row["store"] == "papers"]
    assert (papers["before"], papers["after"], papers["residue"]) == (1, 0, 0)
    with pytest.raises(KeyDestroyedError):
        StoredPaper.from_document(stolen).decrypt(office.vault.keys)
