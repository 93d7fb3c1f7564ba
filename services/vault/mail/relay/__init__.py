"""Relay mail addressed to tokens (宛先変換中継): `tok_…@…` becomes a real address, which no other service learns.

`docs/protocols.md` §3. Nothing is queued here: what the mail server did not take, the sender keeps.
"""

from services.vault.mail.relay.server import MailRelay, RelayOptions, tls_context

__all__ = ["MailRelay", "RelayOptions", "tls_context"]
