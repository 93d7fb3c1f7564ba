"""Test the table of a handler's decisions."""

from services.vault.applications.rules.states import DECISIONS, ApplicationState


def test_only_a_held_application_can_be_decided():
    assert set(DECISIONS.after) == set(ApplicationState)
    assert DECISIONS.before(ApplicationState.ACCEPTED) == DECISIONS.before(ApplicationState.REJECTED) == ["held"]
    assert DECISIONS.after[ApplicationState.HELD] == {ApplicationState.ACCEPTED, ApplicationState.REJECTED}
