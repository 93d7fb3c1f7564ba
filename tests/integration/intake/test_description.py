"""The API answers as its description says: schemathesis generates requests and checks each answer."""

import asyncio
import json
import os
import subprocess
import sys
from pathlib import Path

from tests.integration.intake.conftest import Intake

CONFIGURATION = """
[[operations]]
include-path = "/v1/applications/{application_id}/versions"
checks.positive_data_acceptance.enabled = false
"""
"""No JSON schema says which texts are sealed bytes. Elsewhere an unknown campaign or a wrong token is refused first."""

PROGRAM = Path(sys.executable).with_name("schemathesis")


async def test_every_answer_to_made_up_requests_is_as_described(intake: Intake, tmp_path: Path):
    """Run all checks of schemathesis: server errors, undocumented statuses and types, bodies, methods, credentials."""
    (tmp_path / "schemathesis.toml").write_text(CONFIGURATION, "utf-8")
    process = await asyncio.create_subprocess_exec(
        str(PROGRAM),
        "run",
        f"{intake.url}/v1/openapi.json",
        "--max-examples=20",
        "--generation-deterministic",
        *(f"--header={name}: {value}" for name, value in intake.staff.items()),
        cwd=tmp_path,
        env={**os.environ, "NO_COLOR": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    async with asyncio.timeout(280):
        output, _ = await process.communicate()
    assert process.returncode == 0, output.decode()[-6000:]


async def test_the_description_names_every_endpoint_with_examples_and_errors(intake: Intake):
    described = (await intake.http.get("/v1/openapi.json")).json()
    paths = described["paths"]
    assert {
        "/v1/campaigns/{campaign}",
        "/v1/campaigns/{campaign}/sealing-key",
        "/v1/campaigns/{campaign}/applications",
        "/v1/campaigns/{campaign}/summary",
        "/v1/campaigns/{campaign}/receipts/{receipt}",
        "/v1/applications/{application_id}",
        "/v1/applications/{application_id}/versions",
        "/v1/receipt-keys",
        "/v1/postal-codes/{code}",
    } <= set(paths)
    applying = paths["/v1/campaigns/{campaign}/applications"]["post"]
    assert {"202", "403", "404", "408", "409", "413", "422", "428", "429", "503"} <= set(applying["responses"])
    for status, answer in applying["responses"].items():
        assert ("application/problem+json" in answer["content"]) == (status != "202")
    assert applying["requestBody"]["content"]["application/json"]["schema"]["examples"]
    examples = [schema for schema in described["components"]["schemas"].values() if schema.get("examples")]
    assert len(examples) >= 4
    assert "山田" not in json.dumps(described, ensure_ascii=False)
