"""The page's verifier says of further rounds what `./kuji verify` says: of good chains, of bad ones, of one path."""

from collections.abc import Mapping, Sequence
from typing import Any

from deploy.cli.trace_entry import path_of
from services.lottery.record.rows import read_rows
from services.lottery.verification.chain_checks import check_chain
from services.lottery.verification.transcript_checks import verify_transcript
from tests.support.node_programs import Ask
from tests.unit.lottery.test_further_round import CASES, CHEATS, changed

CHAINS = [chain for _, chain, _ in CASES[:40]]


def question(chain: Sequence[Mapping[str, Any]], entry: str | None = None) -> dict[str, Any]:
    return {"contents": list(chain), "rows": None, "published": None, "entry": entry}


def ours(chain: Sequence[Mapping[str, Any]]) -> tuple[list[list[Any]], list[bool], bool]:
    """Return what the Python verifier says: checks of the last record, of each before it, and of the chain."""
    *earlier, last = chain
    *each, continued = check_chain(last, earlier)
    checks = [[check.name, check.passed] for check in verify_transcript(last).checks]
    # The page says nothing of the chain where the record itself cannot be read to its end.
    return checks, [check.passed for check in each], continued.passed and ["form", False] not in checks


def theirs(answer: Mapping[str, Any]) -> tuple[list[list[Any]], list[bool], bool]:
    return answer["checks"], answer["each"], answer["continued"]


def test_good_chains_verify_check_by_check_as_in_python(verifier: Ask):
    answers: Any = verifier("chains", [question(chain) for chain in CHAINS])
    assert [theirs(answer) for answer in answers] == [ours(chain) for chain in CHAINS]
    assert all(passed for answer in answers for _, passed in answer["checks"])
    assert all(answer["continued"] for answer in answers)


def test_cheats_are_found_by_both_under_the_same_name(verifier: Ask):
    bad = [
        [*earlier, changed(last, change)]
        for change, _ in CHEATS.values()
        for *earlier, last in CHAINS
        if sum(map(len, last["winners"].values())) and last["places"] and last["rows"].count("\n") > 1
    ]
    answers: Any = verifier("chains", [question(chain) for chain in bad])
    assert [theirs(answer) for answer in answers] == [ours(chain) for chain in bad]
    assert len(bad) > 20


def test_a_path_leads_through_the_draw_and_the_further_round(verifier: Ask):
    wanted = [
        (chain, next(entry for won in chain[-1]["winners"].values() for entry in won))
        for chain in CHAINS
        if any(chain[-1]["winners"].values())
    ][:8]
    answers: Any = verifier("chains", [question(chain, entry) for chain, entry in wanted])
    for answer, (chain, entry) in zip(answers, wanted, strict=True):
        path = path_of(chain[-1], entry, chain[:-1])
        listed = [entry in {each.id.hex() for each in read_rows(one["rows"])} for one in chain]
        steps = [*answer["path"]["before"], answer["path"]]
        for found, expected, is_listed in zip(steps, [*path["before"], path], listed, strict=True):
            assert (found is not None and found["draw"] is not None) == is_listed
            if is_listed:
                assert (found["draw"]["ticket"], found["draw"]["place"]) == (expected["ticket"], expected["place"])
                tried = [(one["round"], one["classId"], one["outcome"]) for one in found["draw"]["attempts"]]
                assert tried == [(one["round"], one["class_id"], one["outcome"]) for one in expected["attempts"]]
