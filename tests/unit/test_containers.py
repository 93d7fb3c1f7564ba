"""Looking for a Docker engine where there is none finds none, and leaves nothing open (warnings are errors)."""

import gc
import socket
from pathlib import Path

import pytest

from tests.support.containers import docker_answers


def test_a_socket_that_an_engine_left_behind_is_no_engine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    with socket.socket(socket.AF_UNIX) as left:
        left.bind(str(tmp_path / "engine.sock"))
    monkeypatch.setenv("DOCKER_HOST", f"unix://{tmp_path}/engine.sock")
    assert not docker_answers()
    gc.collect()


@pytest.mark.parametrize("address", ["unix:///nowhere/engine.sock", "tcp://127.0.0.1:9"])
def test_an_address_where_nobody_listens_is_no_engine(address: str, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("DOCKER_HOST", address)
    assert not docker_answers()
    gc.collect()
