"""The detokenizing mail relay (宛先変換中継): mail to `tok_…@…` goes out to people; nobody else learns an address.

`docs/protocols.md` §3. Nothing is queued here: what the mail server did not take, the sender keeps.
"""

from services.vault.mail.relay.server import MailRelay, RelayOptions, tls_context

__all__ = ["MailRelay", "RelayOptions", "tls_context"]
