"""The list of erased people beside the keys survives a crash, two processes, and lines of another version."""

from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

from services.vault.keys.erased_people import SUFFIX, ErasedPerson, add_erased_person, list_erased_people
from shared.ids import CampaignId, Receipt

CAMPAIGN = CampaignId("c")
FIRST, SECOND, THIRD = (
    ErasedPerson(CAMPAIGN, f"person-{n}", Receipt(f"W-7K3M-9Q2P-{n}"), f"r-{n}", "a", "b") for n in (1, 2, 3)
)


def _file(folder: Path) -> Path:
    (folder / "campaigns").mkdir(exist_ok=True)
    return folder / "campaigns" / f"{CAMPAIGN}{SUFFIX}"


def _add(folder: Path, number: int) -> None:
    add_erased_person(folder, ErasedPerson(CAMPAIGN, f"person-{number}", Receipt(f"W-7K3M-9Q2P-{number}")))


def test_a_line_is_added_once_and_the_first_one_stays(tmp_path: Path):
    path = _file(tmp_path)
    assert add_erased_person(tmp_path, FIRST) == FIRST
    assert add_erased_person(tmp_path, ErasedPerson(CAMPAIGN, "person-1", FIRST.receipt, "r-1", "a", "c")) == FIRST
    assert add_erased_person(tmp_path, SECOND) == SECOND
    assert list_erased_people(tmp_path) == [FIRST, SECOND]
    assert path.stat().st_mode & 0o777 == 0o600


def test_a_line_cut_by_a_crash_hides_neither_the_others_nor_the_next(tmp_path: Path):
    path = _file(tmp_path)
    path.write_bytes(b'{"erasure_id": "person-0", "receipt": "W-7K3M-9Q2P-0"}\n{"erasure_id": "pers')
    old = ErasedPerson(CAMPAIGN, "person-0", Receipt("W-7K3M-9Q2P-0"))
    assert list_erased_people(tmp_path) == [old]
    add_erased_person(tmp_path, THIRD)
    assert list_erased_people(tmp_path) == [old, THIRD]


def test_two_processes_lose_no_line(tmp_path: Path):
    _file(tmp_path)
    with ProcessPoolExecutor(2, mp_context=get_context("spawn")) as pool:
        list(pool.map(_add, [tmp_path] * 40, range(40)))
    assert {one.erasure_id for one in list_erased_people(tmp_path)} == {f"person-{n}" for n in range(40)}
