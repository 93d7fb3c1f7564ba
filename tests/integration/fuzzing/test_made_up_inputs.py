"""Made-up inputs, as many as the gate has time for: nothing fails unhandled, nothing of an input is repeated.

`./kuji bench fuzz` does the same with 10,000 inputs for each target (docs/fuzzing.md).
"""

from pathlib import Path

import pytest

from tests.support.fuzzing import parsers
from tests.support.fuzzing.consumers import ConsumerFuzzer
from tests.support.fuzzing.http import Fuzzer
from tests.support.fuzzing.inputs import Inputs
from tests.support.fuzzing.installation import running_services
from tests.support.fuzzing.outcome import Outcome

PARSER_INPUTS, CONSUMER_INPUTS, ROUTE_INPUTS = 1_000, 50, 8


def assert_clean(outcomes: list[Outcome]) -> None:
    assert {outcome.target: outcome.examples for outcome in outcomes if not outcome.is_clean} == {}


@pytest.mark.parametrize("name", parsers.PARSERS)
def test_parsers_read_or_refuse_whatever_they_get(name: str) -> None:
    outcome = parsers.fuzz(name, PARSER_INPUTS)
    assert outcome.inputs == PARSER_INPUTS
    assert_clean([outcome])


async def test_every_consumer_handles_or_parks_whatever_it_gets(
    amqp_url: str, mongo_url: str, namespace: str, tmp_path: Path
) -> None:
    async with running_services(amqp_url, mongo_url, namespace, tmp_path) as services:
        fuzzers = [(service, ConsumerFuzzer(service, Inputs(1))) for service in services.values()]
        outcomes = [
            await fuzzer.fuzz(handling, CONSUMER_INPUTS)
            for service, fuzzer in fuzzers
            for handling in service.handlings
        ]
    assert len(outcomes) > 30
    assert_clean(outcomes)


async def test_every_route_answers_or_refuses_whatever_it_gets(
    amqp_url: str, mongo_url: str, namespace: str, tmp_path: Path
) -> None:
    async with running_services(amqp_url, mongo_url, namespace, tmp_path) as services:
        fuzzers = [Fuzzer(service, Inputs(2), bases=2) for service in services.values()]
        outcomes = [await fuzzer.fuzz(route, ROUTE_INPUTS) for fuzzer in fuzzers for route in fuzzer.routes()]
    assert len(outcomes) > 250
    assert_clean(outcomes)
