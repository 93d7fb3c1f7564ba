"""The webhook for hosted fax services as a separate process: authenticated, sealed in memory, delivered for sure."""

import secrets
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import httpx
import pytest

from deploy.edge.webhook import paper_id_of, signature_of
from deploy.local.paths import ROOT
from deploy.local.ports import free_ports
from tests.support import fax_images
from tests.support.edge_harness import CANARY, Edge
from tests.support.waiting import block_until

SECRET = secrets.token_hex(32)
BEARER = {"Authorization": f"Bearer {SECRET}"}


@contextmanager
def webhook(edge: Edge) -> Iterator[httpx.Client]:
    [port] = free_ports(1)
    secret = edge.file("secret", SECRET.encode() + b"\n")
    command = ["-m", "deploy.cli", "fax-webhook", "--secret-file", secret, "--port", port, "--spool", edge.spool]
    environment = edge.environment(PYTHONPATH=str(ROOT))
    with (
        (edge.home / "webhook.log").open("wb") as log,
        subprocess.Popen(
            [sys.executable, *map(str, command)], env=environment, cwd=edge.home, stdout=log, stderr=log
        ) as process,
        httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=10, trust_env=False) as http,
    ):
        try:
            block_until(lambda: _answers(http))
            yield http
        finally:
            process.terminate()
            process.wait(timeout=15)


def _answers(http: httpx.Client) -> bool:
    try:
        return http.get("/").status_code == 404
    except httpx.TransportError:
        return False


def test_a_pushed_fax_is_sealed_in_memory_and_reaches_the_vault_once(edge: Edge):
    tiff = fax_images.fax(196, "group4", 2, CANARY)
    with webhook(edge) as http:
        for _ in range(2):
            assert http.post("/fax", params={"id": "77"}, content=tiff, headers=BEARER).status_code == 202
        signed = {"Kuji-Signature": signature_of(SECRET.encode(), "78", fax_images.scan())}
        assert http.post("/fax", params={"id": "78"}, content=fax_images.scan(), headers=signed).status_code == 202
        assert edge.arrived("F-77")["id"] == paper_id_of(SECRET.encode(), "77")
        assert edge.arrived("F-78")["pages"] == 1
        block_until(lambda: edge.sealed() == [])
        assert http.post("/fax", params={"id": "77"}, content=tiff, headers=BEARER).status_code == 202
        block_until(lambda: edge.sealed() == [])
    assert not list((edge.spool / "refused").iterdir())
    assert fax_images.same_pictures(edge.image("F-77"), tiff)
    written = b"".join(path.read_bytes() for path in edge.home.rglob("*") if path.is_file())
    assert not any(text in written for text in (CANARY.encode(), tiff[1000:1064], edge.image("F-77")[1000:1064]))


def test_without_the_secret_or_without_a_paper_nothing_is_taken(edge: Edge):
    tiff = fax_images.fax(98)
    with webhook(edge) as http:
        other = {"Kuji-Signature": signature_of(SECRET.encode(), "79", tiff)}
        for headers in ({}, {"Authorization": "Bearer wrong"}, {"Kuji-Signature": "0" * 64}, other):
            assert http.post("/fax", params={"id": "80"}, content=tiff, headers=headers).status_code == 401
        bad = http.post("/fax", params={"id": "80"}, content=tiff[:2000], headers=BEARER)
        assert (bad.status_code, bad.json()["type"]) == (422, "urn:kuji:problem:damaged")
        assert http.post("/fax", params={"id": "山田"}, content=tiff, headers=BEARER).status_code == 422
        assert http.post("/fax", params={"id": "81"}, content=bytes(9_000_000), headers=BEARER).status_code == 413
    assert edge.sealed() == []
    assert not {"F-80", "F-81"} & set(edge.papers())


def test_a_fax_that_was_taken_is_delivered_after_intake_came_back(edge: Edge):
    with webhook(edge) as http:
        assert http.post("/fax", params={"id": "90"}, content=fax_images.fax(98), headers=BEARER).status_code == 202
        edge.arrived("F-90")
        edge.stack.kill("intake")
        assert http.post("/fax", params={"id": "91"}, content=fax_images.fax(98), headers=BEARER).status_code == 202
        block_until(lambda: len(edge.sealed()) == 1)
    edge.stack.restart("intake")
    with webhook(edge):
        assert edge.arrived("F-91")["state"] == "waiting"


@pytest.mark.parametrize("secret", ["", "too-short"])
def test_a_short_secret_is_no_secret(edge: Edge, secret: str):
    command = ["-m", "deploy.cli", "fax-webhook", "--secret-file", str(edge.file("secret", secret.encode()))]
    finished = subprocess.run(
        [sys.executable, *command], env=edge.environment(PYTHONPATH=str(ROOT)), check=False, capture_output=True,
        text=True, timeout=30,
    )  # fmt: skip
    assert finished.returncode == 2
    assert "32" in finished.stderr
