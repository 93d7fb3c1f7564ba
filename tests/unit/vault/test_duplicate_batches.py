"""Many versions in one transaction end as the same versions one by one, and are settled once."""

import random

import pytest

from services.vault.applications import duplicates
from services.vault.applications.duplicates import find_originals
from services.vault.applications.stored import StoredApplication
from tests.support.application_register import Register
from tests.support.identity_builders import person

CONTENTS = [
    person(),
    person(email="ichiro@other.example"),
    person(phone="0300000009"),
    person(phone="0300000009", address="東京都新宿区四谷1-1", postal_code="1600004"),
    person(name="佐藤 花子"),
    None,
]


def test_new_applications_of_one_batch_are_settled_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Settling looks at all applications of the transaction: once for each of them would be quadratic."""
    calls: list[int] = []

    def counted(applications: list[StoredApplication]) -> dict[str, StoredApplication]:
        calls.append(1)
        return find_originals(applications)

    monkeypatch.setattr(duplicates, "find_originals", counted)
    register = Register()
    register.send_batch([(number, person(name=f"佐藤 {chr(0x4E00 + number)}"), 1) for number in range(1, 101)])
    assert len(register.rows) == 100
    assert len(calls) == 1


def test_a_batch_of_versions_ends_as_they_do_one_by_one() -> None:
    for seed in range(80):
        dice = random.Random(seed)  # noqa: S311  (moves, not keys)
        single, batched = Register(), Register()
        versions: dict[int, int] = {}
        for _ in range(6):
            batch = []
            for _ in range(dice.randrange(1, 9)):
                number = dice.randrange(1, 7)
                versions[number] = versions.get(number, 0) + 1
                batch.append((number, dice.choice(CONTENTS), versions[number]))
            for number, content, version in batch:
                single.send(number, content, version=version)
            batched.send_batch(batch)
            assert _facts(batched) == _facts(single)
            for number in {number for number, _, _ in batch}:
                if single.rows[_id(single, number)].state == "held" and dice.random() < 0.5:
                    accept = dice.random() < 0.5
                    for register in (single, batched):
                        register.accept(number) if accept else register.reject(number, "duplicate")
            assert _facts(batched) == _facts(single)


def _id(register: Register, number: int) -> str:
    return next(one for one in register.rows if int(one[-12:]) == number)


def _facts(register: Register) -> dict[str, tuple[object, ...]]:
    return {
        name: (row.state, row.reasons, row.match, row.own_decision, row.version, row.content_version, row.arrived_at)
        for name, row in register.rows.items()
    }
