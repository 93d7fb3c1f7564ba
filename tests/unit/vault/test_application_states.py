"""Test the table of an application's states."""

from services.vault.applications.rules.states import STATES, ApplicationState


def test_only_a_held_application_can_be_decided():
    assert set(STATES.after) == set(ApplicationState)
    assert STATES.before(ApplicationState.ACCEPTED) == STATES.before(ApplicationState.REJECTED) == ["held"]
    assert STATES.before(ApplicationState.HELD) == []
