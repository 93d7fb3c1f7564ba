"""A device alone judges as the office does: the same scans, passes and receipt numbers, asked of both programs."""

import json
import random
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from services.lottery.pages import TEXTS
from services.lottery.reception.rules.attendance import AdmissionWindow, Code, Place, Scan, judge
from services.lottery.record.passes import Pass, write_pass
from shared.ids import CampaignId, new_application_id
from shared.receipts import candidates, normalise_receipt
from shared.signing import SigningKey
from shared.web.pages import catalogues_with
from tests.support.node_programs import Ask, bundled

CASES = json.loads((Path(__file__).resolve().parents[2] / "cases" / "receipts.json").read_text("utf-8"))
START = datetime(2018, 6, 9, 1, tzinfo=UTC)
WINDOW = AdmissionWindow(START - timedelta(hours=6), START + timedelta(minutes=90))
CAMPAIGN = CampaignId("777-days")


@pytest.fixture(scope="module")
def asked(tmp_path_factory: pytest.TempPathFactory) -> Ask:
    return bundled("reception.ts", tmp_path_factory.mktemp("web"))


def millis(at: datetime | None) -> int | None:
    return None if at is None else int(at.timestamp() * 1000)


def a_scan(chance: random.Random, number: int) -> Scan:
    return Scan(
        id=f"s{number}",
        device=chance.choice("AB"),
        at=START + timedelta(minutes=chance.choice([-361, -360, -5, 0, 0, 1, 90, 91])),
        class_id="football",
        people=chance.randint(1, 3),
        served_class=chance.choice([None, "football", "running"]),
        undoes=chance.choice([None, None, None, f"s{chance.randrange(8)}"]),
        fault=chance.choice([None] * 6 + ["forged", "unknown", "wrong-code", "unproved"]),
    )


def a_place(chance: random.Random) -> Place | None:
    state = chance.choice(["held", "held", "held", "waiting", "offered", "gone"])
    place = Place(chance.randint(1, 4), state, chance.choice([None, START]), chance.choice([None, None, START]))  # type: ignore[arg-type]
    return chance.choice([place, place, place, None])


def test_both_programs_judge_every_scan_alike(asked: Ask):
    chance = random.Random(4)  # noqa: S311  (cases, not secrets)
    cases = [(a_place(chance), [a_scan(chance, n) for n in range(chance.randint(0, 8))]) for _ in range(2000)]
    question = [
        {
            "place": place
            and {
                "seats": place.seats,
                "state": place.state,
                "goneAt": millis(place.gone_at),
                "heldSince": millis(place.held_since),
            },
            "window": {"opens": millis(WINDOW.opens), "ends": millis(WINDOW.ends)},
            "scans": [
                {**vars(scan), "at": millis(scan.at), "classId": scan.class_id, "servedClass": scan.served_class}
                for scan in chance.sample(scans, len(scans))
            ],
        }
        for place, scans in cases
    ]
    expected = [
        {name: (verdict.code, verdict.counted, verdict.first) for name, verdict in judge(place, WINDOW, scans).items()}
        for place, scans in cases
    ]
    answers = [
        {name: (v["code"], v["counted"], v["first"]) for name, v in answer} for answer in asked("judge", question)
    ]
    assert answers == expected
    assert {code for case in expected for code, _, _ in case.values()} == set(Code), "every answer came up"


def test_a_device_reads_passes_as_they_were_signed_and_as_scanners_garble_them(asked: Ask):
    signing = SigningKey.generate()
    shown = Pass(bytes(range(16)), 7, 2, START, START)
    text = write_pass(signing, CAMPAIGN, shown)
    others = [
        write_pass(SigningKey.generate(), CAMPAIGN, shown),
        write_pass(signing, CampaignId("other"), shown),
        f"KP1:{'A' * 160}",
        text[:40] + ("A" if text[40] != "A" else "B") + text[41:],
    ]
    garbled = [text.lower(), text.replace(":", "+"), text.replace(":", ""), f" {text}\n", f"x{text}", _widened(text)]
    typed = [text, *garbled, *others, text[:-1], "W-7K3M-9Q2P-6", ""]
    answers = asked(
        "passes", {"keys": [SigningKey.generate().public, signing.public], "campaign": CAMPAIGN, "typed": typed}
    )
    good = {"entry": bytes(range(16)).hex(), "number": 7, "seats": 2}
    assert answers == [good] * 7 + [None] * 4 + ["no pass"] * 3


def _widened(text: str) -> str:
    """Return the text as a Japanese input method types it."""
    return "".join(chr(ord(character) + 0xFEE0) for character in text)


def test_both_programs_read_receipt_numbers_alike(asked: Ask):
    chance = random.Random(4)  # noqa: S311  (cases, not secrets)
    receipts = [next(candidates(b"k" * 32, "web", new_application_id())) for _ in range(200)]
    typed = [_mistyped(chance, each) for each in receipts]
    assert asked("receipts", typed) == [_read(each) for each in typed]


def test_the_browser_reads_receipt_numbers_by_the_same_table(asked: Ask):
    assert asked("receipts", [case["typed"] for case in CASES["right"]]) == [case["receipt"] for case in CASES["right"]]
    assert asked("receipts", CASES["wrong"]) == [None] * len(CASES["wrong"])


def _mistyped(chance: random.Random, receipt: str) -> str:
    text = chance.choice([receipt, receipt.lower(), receipt.replace("-", ""), receipt.replace("0", "o")])
    at = chance.randrange(len(text))
    return text if chance.random() < 0.5 else text[:at] + chance.choice("0123ABCUX") + text[at + 1 :]


def _read(text: str) -> str | None:
    try:
        return normalise_receipt(text)
    except ValueError:
        return None


@pytest.mark.parametrize("catalogue", catalogues_with(TEXTS), ids=lambda each: each.lang)
def test_every_answer_has_its_words(catalogue: Any):
    codes = [*Code, "unreadable", "code-missing", "unlisted", "unkept"]
    lines = ["well", "away", "signed-out", "refused", "erased"]
    wanted = {f"reception.{what}.{code}" for what in ("answer", "do") for code in codes}
    assert (wanted | {f"reception.line.{each}" for each in lines}) - set(catalogue.texts) == set()


def test_a_device_that_kept_an_earlier_roster_still_checks_passes(asked: Ask):
    kept: dict[str, Any] = {"campaign": CAMPAIGN, "classes": [], "places": []}
    rosters = [{**kept, "v": 2, "public_key": "first"}, {**kept, "v": 3, "public_keys": ["first", "second"]}]
    assert asked("rosterKeys", rosters) == [["first"], ["first", "second"]]
