"""Return package for the ward: its tables are complete and contain no formula that a spreadsheet would run."""

import csv
import hashlib
import io
import json
import zipfile
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from services.vault.closeout.package_format import COLUMNS, Package, row_of
from services.vault.identities.person import Person
from shared.campaign import load_campaign

CAMPAIGN = load_campaign(Path("deploy/campaigns/777-days.yaml"))
AT = datetime(2018, 6, 18, 9, tzinfo=UTC)
TEXT = st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1, max_size=30)
PEOPLE = st.builds(
    Person,
    name=TEXT,
    postal_code=st.text("0123456789", min_size=7, max_size=7),
    address=TEXT,
    phone=st.text("0123456789", min_size=10, max_size=11),
    age=st.none() | st.integers(0, 120),
    grade=st.none() | st.sampled_from(["p1", "j3"]),
    email=st.none() | TEXT,
    guardian_name=st.none() | TEXT,
)


def application(**changes: Any) -> dict[str, Any]:
    return {
        "_id": "0f0e0d0c-0b0a-4908-8706-050403020100",
        "receipt": "W-0000-0000-0",
        "channel": "web",
        "received_at": AT,
        "state": "accepted",
        "reasons": [],
        "choices": [{"class_id": "junior-football", "seats": 1}],
        "refused": [{"class_id": "press-kids", "reason": "grade"}],
    } | changes


AUDIT_LOG = {
    "epoch": 1,
    "lines": ['{"seq":1}', '{"seq":2}'],
    "checkpoint": "a note\n",
    "cosigned": None,
    "key": "name+id+key",
    "witness_key": None,
}


def packed(people: list[Person | None], *, rehearsal: bool = False) -> dict[str, bytes]:
    package = Package(CAMPAIGN.model_copy(update={"rehearsal": rehearsal}), AT, "CODE-INSIDE")
    package.add([row_of(application(), person) for person in people])
    with zipfile.ZipFile(io.BytesIO(package.pack([AUDIT_LOG]))) as archive:
        assert archive.testzip() is None
        return {name: archive.read(name) for name in archive.namelist()}


@settings(max_examples=50)
@given(st.lists(PEOPLE | st.none(), max_size=5))
def test_every_value_returns_as_it_was(people: list[Person | None]) -> None:
    lines = packed(people)["applications.jsonl"].decode("utf-8").split("\n")[:-1]
    returned = [json.loads(line) for line in lines]
    assert [each["name"] for each in returned] == [person and person.name for person in people]
    assert [each["phone"] for each in returned] == [person and person.phone for person in people]


@settings(max_examples=50)
@given(st.lists(PEOPLE, max_size=5))
def test_the_table_has_the_same_rows_and_no_formula(people: list[Person | None]) -> None:
    table = packed(people)["applications.csv"].decode("utf-8-sig")
    rows = list(csv.reader(io.StringIO(table, newline="")))
    assert rows[0] == list(COLUMNS.values())
    assert len(rows) == len(people) + 1
    assert not any(cell.startswith(("=", "+", "-", "@", "\t", "\r")) for row in rows for cell in row)


def test_an_application_that_nobody_could_read_is_returned_without_a_person() -> None:
    row = row_of(application(state="rejected", reasons=["malformed"], choices=[], refused=[]), None)
    assert (row["name"], row["state"], row["reasons"]) == (None, "rejected", ["malformed"])


def test_classes_are_readable_in_the_table() -> None:
    table = packed([None])["applications.csv"].decode("utf-8-sig")
    assert "junior-football (1)" in table
    assert "press-kids (grade)" in table


def test_the_checksums_are_those_of_the_files() -> None:
    files = packed([None])
    sums = files.pop("SHA256SUMS").decode().splitlines()
    assert sums == [f"{hashlib.sha256(data).hexdigest()}  {name}" for name, data in files.items()]


def test_each_audit_log_lies_in_files_of_its_own() -> None:
    files = packed([])
    names = [name for name in files if name.startswith("audit-")]
    assert names == ["audit-1.jsonl", "audit-1.keys", "audit-1.checkpoint"]
    assert (files["audit-1.jsonl"], files["audit-1.keys"]) == (b'{"seq":1}\n{"seq":2}\n', b"name+id+key\n")


def test_the_read_me_says_what_it_is_and_when_it_is_a_rehearsal() -> None:
    assert "返還資料" in packed([None])["README.txt"].decode("utf-8-sig")
    assert "訓練" not in packed([None])["README.txt"].decode("utf-8-sig")
    assert "【訓練】" in packed([None], rehearsal=True)["README.txt"].decode("utf-8-sig")
