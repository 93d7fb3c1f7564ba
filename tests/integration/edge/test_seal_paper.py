"""The tools of the edge as they run at an office: programs of their own, against real services, through bad days."""

import json
import os
import shutil
import signal
import stat
import subprocess
import sys
import time
from typing import Any

import pytest
from pymongo import MongoClient

from deploy.edge.command import AWAY, REFUSED, USAGE
from deploy.local.paths import ROOT
from deploy.local.ports import origins
from tests.support import fax_images
from tests.support.edge_harness import CANARY, HOOK, TOOL, Edge
from tests.support.leak_search import hunt_files, hunt_memory, seek
from tests.support.waiting import block_until


@pytest.mark.parametrize("lines", [196, 98])
def test_a_fax_goes_all_the_way_into_the_vault_dot_for_dot_and_its_file_goes(edge: Edge, lines: int):
    tiff = fax_images.fax(lines, "group3" if lines == 98 else "group4", 3, CANARY)  # type: ignore[arg-type]
    file = edge.file("paper.tif", tiff)
    status, said, wrong = edge.run(TOOL, "--channel", "fax", "--serial", f"F-{lines}", file)
    assert (status, wrong) == (0, "")
    serial, receipt = said.split()
    assert serial == f"F-{lines}"
    assert receipt.startswith("F-")
    assert not file.exists()
    assert edge.sealed() == []
    came_out = edge.image(serial)
    assert fax_images.same_pictures(came_out, tiff)
    assert CANARY.encode() not in came_out


def test_a_file_that_is_no_paper_is_kept_with_a_clear_error_and_the_others_are_sent(edge: Edge):
    files = [
        edge.file("A-1.tif", fax_images.fax()[:3000]),
        edge.file("A-2.pdf", fax_images.photo("PNG") + bytes(9_000_000)),
        edge.file("A-3.png", b"MZ" + bytes(100)),
        edge.file("A-4.pdf", fax_images.scan(password="x")),
        edge.file("A-5.jpg", fax_images.photo("JPEG")),
    ]
    status, said, wrong = edge.run(TOOL, "--channel", "post", *files)
    assert status == REFUSED
    assert [line.split(":")[2].strip() for line in wrong.splitlines()] == [
        "damaged",
        "too-large",
        "unknown-kind",
        "encrypted",
    ]
    assert said.startswith("A-5 P-")
    assert [file.exists() for file in files] == [True, True, True, True, False]
    assert edge.arrived("A-5")["channel"] == "post"


def test_intake_killed_in_the_middle_loses_nothing(edge: Edge):
    """Sealed and spooled while intake is dead; the clear file stays until there is a receipt."""
    first = edge.file("K-0.tif", fax_images.fax(98))
    assert edge.run(TOOL, "--channel", "fax", first)[0] == 0
    edge.stack.kill("intake")
    file = edge.file("K-1.tif", fax_images.fax(98, "group3", 2, CANARY))
    status, said, wrong = edge.run(TOOL, "--channel", "fax", file)
    assert (status, said) == (AWAY, "")
    assert "waits in the spool" in wrong
    assert file.exists()
    [sealed] = edge.sealed()
    assert stat.S_IMODE(sealed.stat().st_mode) == 0o600
    assert stat.S_IMODE(edge.spool.stat().st_mode) == 0o700
    assert edge.run(TOOL, "--channel", "fax", file)[0] == AWAY
    assert edge.sealed() == [sealed]
    edge.stack.restart("intake")
    assert edge.run(TOOL, "--channel", "fax")[0] == 0
    assert not file.exists()
    assert edge.sealed() == []
    assert edge.arrived("K-1")["pages"] == 2


def test_the_tool_killed_after_sealing_sends_the_same_paper_later(edge: Edge):
    """Check that the spooled paper is posted later: the same id gives the same receipt."""
    file = edge.file("K-2.tif", fax_images.fax(98))
    environment = edge.environment(KUJI_INTAKE_URL="http://127.0.0.1:9", KUJI_PATIENCE_S="60")
    assert edge.run(TOOL, "--channel", "fax", edge.file("K-3.tif", fax_images.fax(98)))[0] == 0  # the key is known now
    process = subprocess.Popen(
        [sys.executable, str(TOOL), "--channel", "fax", str(file)], env=environment, stdout=subprocess.DEVNULL
    )
    block_until(lambda: bool(edge.sealed()))
    process.send_signal(signal.SIGKILL)
    process.wait(timeout=10)
    [sealed] = edge.sealed()
    paper_id = json.loads(sealed.read_bytes())["paper_id"]
    assert edge.run(TOOL, "--channel", "fax")[0] == 0
    assert edge.arrived("K-2")["id"] == paper_id
    assert not file.exists()


def test_a_file_written_anew_under_the_same_name_is_not_removed_for_the_one_that_was_sent(edge: Edge):
    file = edge.file("R-1.tif", fax_images.fax(98))
    assert edge.run(TOOL, "--channel", "fax", edge.file("R-0.tif", fax_images.fax(98)))[0] == 0  # the key is known now
    assert edge.run(TOOL, "--channel", "fax", file, KUJI_INTAKE_URL="http://127.0.0.1:9")[0] == AWAY
    file.unlink()
    file.write_bytes(fax_images.fax(98, pages=2))
    assert edge.run(TOOL, "--channel", "fax")[0] == 0
    assert edge.arrived("R-1")["pages"] == 1
    assert file.exists()


def test_a_key_that_the_pinned_one_did_not_sign_seals_nothing(edge: Edge):
    file = edge.file("N-1.tif", fax_images.fax(98))
    status, _, wrong = edge.run(TOOL, "--channel", "fax", file, KUJI_SIGNING_KEY="A" * 43)
    assert status == USAGE
    assert "signature" in wrong
    assert file.exists()
    assert edge.sealed() == []


def test_a_number_that_was_used_is_refused_and_the_file_kept(edge: Edge):
    assert edge.run(TOOL, "--channel", "fax", "--serial", "D-1", edge.file("one.tif", fax_images.fax(98)))[0] == 0
    second = edge.file("two.tif", fax_images.fax(98))
    status, _, wrong = edge.run(TOOL, "--channel", "fax", "--serial", "D-1", second)
    assert (status, "serial-taken" in wrong) == (REFUSED, True)
    assert second.exists()
    assert edge.sealed() == []


def test_a_scanners_folder_is_watched(edge: Edge):
    folder = edge.home / "scans"
    folder.mkdir()
    arguments = [sys.executable, str(TOOL), "--channel", "post", "--watch", str(folder)]
    with subprocess.Popen(arguments, env=edge.environment(), stdout=subprocess.DEVNULL) as watching:
        try:
            (folder / "山田.tif").write_bytes(fax_images.fax(98))
            (folder / "W-2.pdf").write_bytes(fax_images.scan()[:500])
            scan = fax_images.scan(CANARY)
            with (folder / "W-1.pdf").open("wb") as slowly:
                for start in range(0, len(scan), 6000):
                    slowly.write(scan[start : start + 6000])
                    slowly.flush()
                    time.sleep(0.7)
            block_until(lambda: not any(each.is_file() for each in folder.iterdir()))
        finally:
            watching.send_signal(signal.SIGTERM)
            watching.wait(timeout=10)
    assert edge.arrived("W-1")["state"] == "waiting"
    rejected = {each.name: each for each in (folder / "rejected").iterdir()}
    assert set(rejected) == {"W-2.pdf", "W-2.pdf.reason", "山田.tif", "山田.tif.reason"}
    assert rejected["W-2.pdf.reason"].read_text("utf-8").startswith("damaged\n")
    reason = rejected["山田.tif.reason"].read_text("utf-8")
    assert reason.startswith("serial\n")
    assert "山田" not in reason


def test_hylafax_hands_over_a_fax_and_the_callers_number_goes_nowhere(edge: Edge):
    """Call the hook as faxgetty does: in the spooling area, with a relative name and call ids at the end."""
    spooling = edge.home / "hylafax"
    (spooling / "recvq").mkdir(parents=True)
    (spooling / "recvq" / "fax000000007.tif").write_bytes(fax_images.fax(196, "group3", 2, CANARY))
    settings = edge.home / "edge.env"
    needed = {name: value for name, value in edge.environment().items() if name.startswith("KUJI_")}
    settings.write_text("# of the tests\n" + "".join(f"{name}={value}\n" for name, value in needed.items()), "utf-8")
    arguments = [HOOK, "recvq/fax000000007.tif", "ttyACM0", "000000042", "", CANARY, "YAMADA " + CANARY]
    finished = subprocess.run(
        [sys.executable, *map(str, arguments)], cwd=spooling, check=False, capture_output=True, text=True, timeout=60,
        env={"PATH": os.environ["PATH"], "LANG": "C.UTF-8", "KUJI_EDGE_FILE": str(settings)},
    )  # fmt: skip
    assert (finished.returncode, finished.stderr) == (0, "")
    assert CANARY not in finished.stdout
    assert edge.arrived("F-000000042")["pages"] == 2
    assert not list((spooling / "recvq").iterdir())
    assert edge.run(HOOK, "recvq/x.tif")[0] == USAGE


def test_the_edge_runs_on_a_fax_host_with_the_documented_files_alone(edge: Edge):
    """Copy only the files that docs/operations.md names, without services and campaign files."""
    host = edge.home / "opt"
    shutil.copytree(ROOT / "deploy" / "edge", host / "deploy" / "edge")
    (host / "deploy" / "__init__.py").touch()
    (host / "shared").mkdir()
    for name in (
        "__init__",
        "canonical",
        "encoding",
        "errors",
        "files",
        "hosts",
        "json_types",
        "paper_files",
        "pdf_pages",
        "signing",
    ):
        shutil.copy(ROOT / "shared" / f"{name}.py", host / "shared")
    file = edge.file("H-1.tif", fax_images.fax(98))
    tool = host / "deploy" / "edge" / "kuji-seal-paper"
    status, said, wrong = edge.run(tool, "--channel", "fax", file, cwd=host)
    assert (status, wrong) == (0, "")
    assert said.startswith("H-1 F-")


def test_the_offices_own_command_line_needs_no_setting(edge: Edge):
    secrets, pages = edge.stack.secrets, origins(edge.stack.ports)
    services = {
        name: {"url": edge.stack.url(name), "pages": pages[name], "token_file": str(secrets.ops_file(name))}
        for name in ("intake", "vault")
    }
    name, _, session = edge.staff()["Cookie"].partition("=")
    edge.file("terminal-session.json", json.dumps({"vault": {name: session}}).encode())
    record = {"campaigns": [edge.campaign], "services": services, "paper_token_file": str(secrets.paper_token_file)}
    installation = edge.file("installation.json", json.dumps(record).encode())
    environment = {"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), "KUJI_INSTALLATION": str(installation)}
    sheet = edge.file("C-1.pdf", fax_images.scan())

    def kuji(*arguments: object) -> str:
        command = [sys.executable, "-m", "deploy.cli", *map(str, arguments)]
        return subprocess.run(command, env=environment, check=True, capture_output=True, text=True, timeout=60).stdout

    assert kuji("seal-paper", "--channel", "post", "--spool", edge.spool, sheet).startswith("C-1 P-")
    edge.arrived("C-1")
    assert "C-1" in {paper["serial"] for paper in json.loads(kuji("papers", "--json"))}


def test_nothing_of_a_paper_is_at_intake_or_on_the_broker(edge: Edge):
    """Last: text of its metadata and a stretch of its dots, in memory, logs, files and the database."""
    tiff = fax_images.fax(196, "group4", 3, CANARY)
    assert edge.run(TOOL, "--channel", "fax", "--serial", "L-1", edge.file("leak.tif", tiff))[0] == 0
    dots = edge.image("L-1")[1000:1064]
    sought = seek({"metadata": CANARY})
    assert sought.find("the clear file", tiff)
    stack = edge.stack
    with MongoClient[dict[str, Any]](stack.servers.mongo_url) as client:
        lines = repr(list(client["kuji_intake"]["papers"].find())).encode()
        stored = [each["ciphertext"] or b"" for each in client["kuji_vault"]["papers"].find()]
    assert b"L-1" in lines
    assert not any(sought.find("database", text) or dots in text for text in (lines, *stored))
    on_broker = [path.stat().st_size for path in stack.servers.rabbitmq.home.rglob("*") if path.is_file()]
    assert sum(on_broker) > 100_000
    for folder in (stack.servers.rabbitmq.home, stack.home / "logs", edge.spool):
        assert hunt_files(folder, sought) == []
        files = [path for path in folder.rglob("*") if path.is_file()]
        assert not any(dots in path.read_bytes() for path in files)
    assert list(hunt_memory(stack.pid("intake"), "intake", sought).findings) == []
