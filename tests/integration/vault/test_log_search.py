"""Search of the logs while they are written, rotated and damaged: nothing of a person is overlooked."""

import gzip
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from services.vault.closeout.logsearch import LogSearch
from services.vault.identities.reveal import Identities, Revealed
from shared.ids import Token
from tests.support.closeout_harness import PEOPLE, CloseOutOffice

LINE = '{"event":"oops","who":"髙﨑 花子"}\n'


class Disturbed(Identities):
    """Identities whose first opening does something to the logs."""

    def __init__(self, known: Identities, disturb: Callable[[], object]) -> None:
        vars(self).update(vars(known))
        self._disturb: Callable[[], object] | None = disturb

    async def reveal(self, tokens: Sequence[Token], **occasion: Any) -> dict[Token, Revealed]:
        """Return the identities, after the disturbance."""
        disturb, self._disturb = self._disturb, None
        if disturb is not None:
            disturb()
        return await super().reveal(tokens, **occasion)


async def search(office: CloseOutOffice, disturb: Callable[[], object] = lambda: None) -> tuple[str, int | None, int]:
    """Search for the two people of the office; return result, hits and bytes."""
    known = Disturbed(office.vault.identities, disturb)
    scan = await LogSearch(office.vault.store, known, [office.log.parent]).run(office.vault.campaign.id, "case")
    return scan.result, scan.hits, scan.size


def append(log: Path, text: str = LINE) -> None:
    with log.open("a", encoding="utf-8") as stream:
        stream.write(text)


async def test_what_is_written_during_the_search_is_searched_and_counted(office: CloseOutOffice) -> None:
    await office.vault.admit(PEOPLE)
    before = office.log.stat().st_size
    found = await search(office, lambda: append(office.log))
    assert found == ("FAIL", 1, before + len(LINE.encode()))


async def test_a_line_that_was_half_written_at_the_first_look_is_found(office: CloseOutOffice) -> None:
    await office.vault.admit(PEOPLE)
    half = len(LINE) - 6
    office.log.write_text("x" * 10_000 + LINE[:half], "utf-8")
    assert (await search(office, lambda: append(office.log, LINE[half:])))[:2] == ("FAIL", 1)


async def test_a_log_that_is_rotated_away_during_the_search_is_searched(office: CloseOutOffice) -> None:
    await office.vault.admit(PEOPLE)
    append(office.log)

    def rotate() -> None:
        office.log.rename(office.log.with_name("elsewhere")).unlink()
        office.log.write_text('{"event":"fresh"}\n', "utf-8")

    assert (await search(office, rotate))[:2] == ("FAIL", 1)


async def test_a_log_that_appears_during_the_search_is_searched(office: CloseOutOffice) -> None:
    await office.vault.admit(PEOPLE)
    assert (await search(office, lambda: append(office.log.with_name("new.log"))))[:2] == ("FAIL", 1)


@pytest.mark.parametrize(
    "damaged",
    [b"no gzip at all", gzip.compress(b"x" * 99)[:-9], gzip.compress(b"abc" * 99)[:14]],
    ids=["no-gzip", "end-cut-off", "head-alone"],
)
async def test_a_damaged_compressed_log_makes_the_result_unknown(office: CloseOutOffice, damaged: bytes) -> None:
    await office.vault.admit(PEOPLE)
    office.log.with_name("old.log.gz").write_bytes(damaged)
    assert (await search(office))[:2] == ("UNKNOWN", None)


async def test_a_compressed_log_whose_stream_is_broken_makes_the_result_unknown(office: CloseOutOffice) -> None:
    """Catch the error of zlib too, which is neither one of the system nor of an early end."""
    await office.vault.admit(PEOPLE)
    broken = bytearray(gzip.compress(bytes(range(256)) * 40))
    broken[20:24] = b"\xff\xff\xff\xff"
    office.log.with_name("old.log.gz").write_bytes(bytes(broken))
    assert (await search(office))[:2] == ("UNKNOWN", None)
