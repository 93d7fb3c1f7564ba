"""Rules of approvals: states, who may fill which role, the challenge that a passkey signs. Pure."""
