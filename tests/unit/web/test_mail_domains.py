"""Suggestions for mistyped mail domains: common mistakes are found, and other domains are left alone."""

import json
from pathlib import Path

from tests.support.node_programs import Ask

TABLE = json.loads((Path(__file__).resolve().parents[2] / "cases" / "mail_domains.json").read_text("utf-8"))


def test_a_mistyped_domain_gets_the_suggestion_of_the_table(ask: Ask):
    mistyped: dict[str, str] = TABLE["mistyped"]
    assert dict(zip(mistyped, ask("suggest", list(mistyped)), strict=True)) == mistyped


def test_a_domain_in_use_gets_no_suggestion(ask: Ask):
    domains: list[str] = TABLE["no_hint"]
    answers = dict(zip(domains, ask("suggest", domains), strict=True))
    assert {domain: answer for domain, answer in answers.items() if answer is not None} == {}
