"""Versions that overtake each other on the way to two vaults end as if they had come in order."""

from itertools import permutations

import pytest

from services.vault.applications.rules.content import Unreadable
from services.vault.applications.rules.states import ApplicationState
from services.vault.identities.person import Person
from shared.codes import Code
from tests.support.application_register import Register, name
from tests.support.identity_builders import person

BY_POST = person(email=None)
NO_CODE = Unreadable(("malformed",))


def end_of(order: tuple[int, ...], contents: dict[int, Person | None]) -> tuple[object, ...]:
    """Return what the last version in this order of arrival left: state, person, contact, versions."""
    register = Register()
    for version in order:
        register.send(1, contents[version], version=version)
    row = register.rows[name(1)]
    versions = tuple((one.version, one.stands) for one in row.versions)
    highest = (row.version, row.content_version, row.state, row.keys, row.blocks)
    return (*highest, row.token, row.contact, row.mail_domain_class, row.own_reasons, versions[-1])


def test_a_withdrawal_that_comes_first_still_learns_who_is_told() -> None:
    register = Register()
    assert register.send(1, None, version=2).token is None
    late = register.send(1, person(), version=1)
    assert (late.state, late.own_reasons, late.version, late.content_version) == (
        ApplicationState.WITHDRAWN, ("withdrawn",), 2, 2,
    )  # fmt: skip
    assert (late.contact, late.token is not None, late.keys, late.blocks) == ("mail", True, {}, {})
    assert [one.application_id for one in register.published] == [name(1)]
    register.send(1, person(), version=1)
    assert register.published == [], "a replay tells nothing new"


def test_its_person_is_neither_compared_nor_counted_as_applying() -> None:
    register = Register()
    register.send(1, None, version=2)
    register.send(1, person(), version=1)
    assert register.send(2, person()).state is ApplicationState.ACCEPTED
    assert register.send(1, person(), version=3).state is ApplicationState.SUPERSEDED


@pytest.mark.parametrize("order", list(permutations((1, 2, 3))))
@pytest.mark.parametrize("second", [BY_POST, None])
def test_every_order_of_arrival_ends_alike(order: tuple[int, ...], second: Person | None) -> None:
    contents = {1: person(), 2: second, 3: None}
    assert end_of(order, contents) == end_of((1, 2, 3), contents)


def test_a_person_of_another_code_is_not_taken() -> None:
    register = Register()
    before = register.send(1, None, version=2)
    register.send(1, person(), version=1, code=Code("0123456789ABCDEF"))
    assert register.published == []
    assert register.rows[name(1)] == before


def test_a_strangers_version_that_comes_first_does_not_spoil_the_application() -> None:
    register = Register()
    assert register.send(1, person(), version=2, verdict=NO_CODE).state is ApplicationState.REJECTED
    own = register.send(1, person(), version=1)
    assert (own.state, own.version, own.content_version) == (ApplicationState.ACCEPTED, 2, 1)
    assert [(one.version, one.stands) for one in own.versions] == [(1, True), (2, False)]
