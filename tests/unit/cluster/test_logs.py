"""Logs of a play on a cluster are searched for what no figure of the services shows."""

import json
from pathlib import Path

from tests.cluster.logs import faults_in


def test_parked_messages_and_lines_that_are_no_json_are_found(tmp_path: Path) -> None:
    lines = [json.dumps({"event": "drained"}), json.dumps({"event": "message-parked"}), "RuntimeWarning: never awaited"]
    (tmp_path / "vault-1.log").write_text("\n".join([*lines, lines[1]]))
    (tmp_path / "intake-1.log").write_text(lines[0] + "\n")
    assert faults_in(sorted(tmp_path.glob("*.log"))) == [
        "message-parked in vault-1.log: 2",
        "no JSON in vault-1.log: 1",
    ]
