"""The certificate's page: one, in Japanese, whatever the verdict, with the signed bytes inside."""

from datetime import timedelta

import pypdfium2
import pytest

from services.vault.closeout.certificate_pdf import SERVICE_LABELS, STANDARD_LABELS, STORE_LABELS, certificate_pdf
from services.vault.closeout.rules.certificate import STANDARD, Findings, LogScan, issue
from services.vault.closeout.rules.required_stores import REQUIRED_STORES, not_answered
from shared.typesetting import Typesetter
from tests.unit.vault.test_closeout_certificate import AT, KEY, findings, row
from tests.unit.vault.test_postcard import CAMPAIGN

TYPESETTER = Typesetter()


def page(found: Findings, *, rehearsal: bool = False) -> tuple[bytes, str, int, bytes]:
    """Return the certificate, the page's text without spaces, the number of pages, and the attachment."""
    certificate = issue(found, KEY)
    campaign = CAMPAIGN.model_copy(update={"rehearsal": rehearsal})
    with pypdfium2.PdfDocument(certificate_pdf(TYPESETTER, campaign, certificate, KEY.public)) as document:
        text = "".join("".join(sheet.get_textpage().get_text_range().split()) for sheet in document)
        return certificate, text, len(document), bytes(document.get_attachment(0).get_data())


def test_the_signed_bytes_are_attached_unchanged() -> None:
    certificate, _, _, attached = page(findings())
    assert attached == certificate


@pytest.mark.parametrize("stores", [1, 9, 16, 20])
def test_it_is_one_page_however_many_stores_there_are(stores: int) -> None:
    rows = [row(f"store {number}") for number in range(stores)]
    _, _, pages, _ = page(findings(services=dict.fromkeys(["intake", "lottery", "notifier", "vault"], rows)))
    assert pages == 1


@pytest.mark.parametrize(
    ("found", "words"),
    [
        (findings(), "すべて消去したことを確認しました"),
        (findings(logs=LogScan(1, 1, 1, 4, "FAIL")), "消去されていないものがあります"),
        (findings(logs=LogScan(0, 0, 0, None, "UNKNOWN")), "確認できなかった項目があります"),
        (findings(copies_horizon_days=30, key_copies_until=AT + timedelta(days=30)), "鍵の写しの保存期間が終わるまで"),
    ],
)
def test_the_verdict_stands_on_it_in_words(found: Findings, words: str) -> None:
    assert words in page(found)[1]


def test_what_was_not_checked_says_so() -> None:
    _, text, _, _ = page(findings(services={"vault": [row("queues")], "intake": [not_answered("intake")]}))
    assert "回答なし" in text
    assert "未確認" in text


def test_signature_key_and_people_stand_on_it() -> None:
    certificate, text, _, _ = page(findings())
    assert certificate.decode().partition('"signature":"')[2].partition('"')[0] in text.replace("\u200b", "")
    for shown in (KEY.public, "handler-1", "ward-1", "responsible-1", "ab" * 16):
        assert shown in text


def test_a_rehearsal_is_labelled() -> None:
    assert "訓練" in page(findings(rehearsal=True), rehearsal=True)[1]
    assert "訓練" not in page(findings())[1]


def test_every_store_and_the_standard_stand_on_it_in_japanese() -> None:
    services = {service: [row(store) for store in sorted(stores)] for service, stores in REQUIRED_STORES.items()}
    _, text, pages, _ = page(findings(services=services))
    assert pages == 1
    for store in set().union(*REQUIRED_STORES.values()):
        assert STORE_LABELS[store] in text
        assert not (store.isascii() and store.replace(" ", "") in text)
    assert set(SERVICE_LABELS) == set(REQUIRED_STORES)
    assert STANDARD_LABELS[STANDARD].replace(" ", "") in text
    assert "Purge(cryptographicerase)" not in text
