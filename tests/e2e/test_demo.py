"""The user's first minute: `./kuji demo`, and then the files it left, checked by `./kuji verify`."""

import json
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
import pypdfium2
import pytest
from PIL import Image

from deploy.local.paths import RUNS
from tests.support.node_programs import bundled


@dataclass(frozen=True)
class Finished:
    """A demo that has ended: its answer, its files, what was running before and after."""

    code: int
    report: dict[str, Any]
    output: Path
    screen: str
    left_running: list[str]


def kuji(*arguments: str, timeout: float = 240) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "deploy.cli", *arguments], capture_output=True, text=True, check=False, timeout=timeout
    )


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Finished:
    output = tmp_path_factory.mktemp("demo")
    before = _running_demos()
    shown = kuji("demo", "--size", "150", "--seed", "5", "--output", str(output), "--json")
    report = json.loads(shown.stdout.splitlines()[-1]) if shown.stdout else {}
    return Finished(shown.returncode, report, output, shown.stderr, sorted(_running_demos() - before))


def _running_demos() -> set[str]:
    """Return the processes of all demos of this checkout, by pid and name."""
    return {
        f"{process.pid} {process.info['name']}"
        for process in psutil.process_iter(["name", "cmdline"])
        if any(f"{RUNS}/demo-" in part for part in process.info["cmdline"] or [])
    }


def test_every_invariant_held_and_the_exit_status_says_so(finished: Finished):
    assert finished.code == 0, finished.screen[-2000:]
    assert finished.report["passed"]
    assert len(finished.report["invariants"]) >= 10


def test_the_report_has_the_figures_and_the_time_of_each_phase(finished: Finished):
    figures, seconds = finished.report["figures"], finished.report["seconds"]
    assert figures["received"] == 150
    assert sum(figures[verdict] for verdict in ("accepted", "refused", "copies", "withdrawn")) == 150
    assert sum(figures["by_channel"].values()) == 150
    assert figures["mails"] + figures["postcards"] >= 140
    assert {"servers", "apply", "decide", "freeze", "draw", "notify", "return", "erase", "total"} <= set(seconds)
    assert json.loads((finished.output / "demo-report.json").read_text())["figures"] == figures


def test_a_person_sees_every_phase(finished: Finished):
    for title in ("Applications: sealed", "Lottery: list frozen", "Notices: mail and postcards", "certified"):
        assert title in finished.screen


def test_the_transcript_it_left_verifies_and_a_changed_one_does_not(finished: Finished):
    transcript = finished.output / "transcript.json"
    vault_key = finished.report["vault_signing_key"]
    assert kuji("verify", str(transcript), "--vault-key", vault_key).returncode == 0
    assert kuji("verify", str(transcript), "--vault-key", vault_key[::-1]).returncode == 1
    changed = finished.output / "changed.json"
    content = json.loads(transcript.read_text("utf-8"))
    content["winners"]["escort-kids"].reverse()
    changed.write_text(json.dumps(content), "utf-8")
    assert kuji("verify", str(changed)).returncode == 1


def test_the_program_of_the_page_verifies_it_too_and_follows_everybody_to_the_same_end(
    finished: Finished, tmp_path: Path
):
    content = json.loads((finished.output / "transcript.json").read_text("utf-8"))
    winner = content["winners"]["escort-kids"][0]
    published = {"lottery": content["signing_key"], "vault": finished.report["vault_signing_key"]}
    question = {"contents": [content], "rows": None, "published": published, "entry": winner}
    [answer] = bundled("verify.ts", tmp_path)("verify", question)
    assert len(answer["checks"]) >= 12
    assert all(passed for _, passed in answer["checks"])
    won = {"classId": "escort-kids", "outcome": "won", "place": 1, "reason": None}
    assert won in answer["path"]["draw"]["outcomes"]


def test_openssl_alone_finds_one_entrys_ticket_and_place(finished: Finished, tmp_path: Path):
    """Compare the commands of docs/protocols.md §2 with `./kuji verify --entry`."""
    transcript = finished.output / "transcript.json"
    content = json.loads(transcript.read_text("utf-8"))
    entry = content["winners"]["junior-football"][-1]
    (tmp_path / "rows").write_text(content["rows"], "ascii")
    script = r"""
      K=$(printf '%s\n%s\n%s\n' "$MANIFEST" "$DICE" "$SIG" | openssl dgst -sha256 -r | cut -c1-64)
      cut -c1-32 rows > ids
      printf %s $ENTRY | xxd -r -p | openssl enc -d -aes-256-ecb -nopad -K $K | xxd -p -c16
      xxd -r -p < ids | openssl enc -d -aes-256-ecb -nopad -K $K | xxd -p -c16 \
        | paste -d' ' - ids | LC_ALL=C sort | grep -n $ENTRY | cut -d: -f1
    """
    given = {
        "MANIFEST": content["manifest"],
        "DICE": content["dice"],
        "SIG": content["beacon_signature"],
        "ENTRY": entry,
    }
    shown = subprocess.run(
        ["bash", "-c", script], cwd=tmp_path, check=True, capture_output=True, text=True, timeout=30,
        env={"PATH": "/usr/bin:/bin", **given},
    )  # fmt: skip
    ticket, place = shown.stdout.split()
    path = json.loads(kuji("verify", str(transcript), "--entry", entry, "--json").stdout)["path"]
    assert (path["ticket"], path["place"]) == (ticket, int(place))


def test_the_certificate_it_left_verifies_with_the_vaults_key_only(finished: Finished):
    certificate, key = str(finished.output / "certificate.json"), finished.report["vault_signing_key"]
    assert kuji("verify", certificate, "--key", key).returncode == 0
    assert kuji("verify", certificate, "--key", key[::-1]).returncode != 0
    assert kuji("verify", certificate).returncode != 0


def test_the_postcard_and_the_certificate_can_be_looked_at(finished: Finished):
    with Image.open(finished.output / "postcard.png") as picture:
        assert picture.width > 1500
        assert len(picture.getcolors(maxcolors=2**20) or []) > 10
    document = pypdfium2.PdfDocument(finished.output / "certificate.pdf")
    text = document[0].get_textpage().get_text_bounded()
    pages = len(document)
    document.close()
    assert pages == 1
    assert "消去証明書" in text.replace(" ", "")


def test_nothing_is_left_running(finished: Finished):
    assert finished.left_running == []
