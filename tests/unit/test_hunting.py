"""The leak hunt can see: every form of a planted canary is found, and nothing is found where nothing is."""

import base64
import json
import os
import subprocess
import sys
import urllib.parse
from pathlib import Path

import pytest

from tests.support.leak_search import CHUNK, hunt_files, hunt_memory, seek

CANARY = "qzkanaria髙7"
SOUGHT = seek({"name": CANARY})


@pytest.mark.parametrize(
    "hidden",
    [
        CANARY.encode(),
        CANARY.upper().encode(),
        CANARY.encode("utf-16-le"),
        CANARY.encode("utf-16-be"),
        CANARY.encode("utf-32-le"),
        CANARY.encode().hex().encode(),
        CANARY.encode().hex().upper().encode(),
        json.dumps({"n": CANARY}).encode(),
        urllib.parse.quote(CANARY).encode(),
        *(base64.b64encode(b"x" * shift + CANARY.encode() + b"tail") for shift in range(6)),
        *(base64.urlsafe_b64encode(b"\xff" * shift + CANARY.encode("utf-16-le")) for shift in range(6)),
    ],
)
def test_a_canary_is_found_in_every_form(hidden: bytes):
    assert SOUGHT.find("here", b"\x00" * 11 + hidden + b"\xff" * 7)


def test_random_bytes_hold_no_canary():
    assert not SOUGHT.find("here", os.urandom(1_000_000))


def test_a_canary_across_two_blocks_of_a_file_is_found(tmp_path: Path):
    (tmp_path / "deep").mkdir()
    (tmp_path / "deep" / "file").write_bytes(b"." * (CHUNK - 3) + CANARY.encode() + b"." * 100)
    (finding,) = hunt_files(tmp_path, SOUGHT)
    assert (finding.form, finding.offset) == ("utf-8", CHUNK - 3)


def test_a_canary_in_the_memory_of_a_process_is_found_and_an_empty_process_is_clean():
    program = "import sys; held = sys.stdin.readline() * 3; print('ready', flush=True); sys.stdin.readline()"
    for text, leaks in ((CANARY, True), ("nobody", False)):
        with subprocess.Popen(
            [sys.executable, "-c", program], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        ) as process:
            assert process.stdin is not None
            assert process.stdout is not None
            process.stdin.write(text + "\n")
            process.stdin.flush()
            assert process.stdout.readline() == "ready\n"
            scan = hunt_memory(process.pid, "child", SOUGHT)
            process.stdin.write("\n")
        assert scan.read > 1_000_000
        assert bool(scan.findings) == leaks


def test_a_canary_too_short_to_mean_anything_is_refused():
    with pytest.raises(ValueError, match="too short"):
        seek({"name": "abc"})
