"""The vault's mail relay for tests: STARTTLS, a password, token addresses, a real mail server behind it."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from email import policy
from email.message import EmailMessage
from pathlib import Path

import aiosmtplib

from deploy.local.secrets import Secrets
from services.vault.identities.person import Person
from services.vault.mail.relay import MailRelay, RelayOptions
from services.vault.mail.relay.recipients import KnownRecipients
from services.vault.mail.relay.upstream import Mta
from services.vault.mail.rules.bounce_address import BounceAddresses
from shared.ids import Token
from tests.support.vault_parts import Parts

DOMAIN, BOUNCES = "relay.kuji.internal", "bounces.example"
ADDRESSES = BounceAddresses(BOUNCES, bytes(32))


def person(number: int, mailbox: str | None = None) -> Person:
    """Return a person whose name, address and mailbox no other number has."""
    name = f"髙﨑{chr(0x4E00 + 7 * number)} 𠮷{chr(0x5000 + 11 * number)}"
    address = mailbox if mailbox is not None else f"person{number}@mail.example"
    return Person(name, "1600021", f"東京都新宿区歌舞伎町{number}丁目4-1", f"03{number:08d}", 34, None, address, None)


@dataclass(frozen=True)
class RunningRelay:
    """Relay that runs, with the values that its client needs."""

    server: MailRelay
    port: int
    authority: Path
    password: str = field(repr=False)

    def client(self, **changes: object) -> aiosmtplib.SMTP:
        """Return a client that is not connected yet; `changes` overwrite its settings."""
        settings: dict[str, object] = {
            "hostname": "localhost",
            "port": self.port,
            "timeout": 10,
            "start_tls": True,
            "cert_bundle": str(self.authority),
            "username": "notifier",
            "password": self.password,
            "local_hostname": "notifier",
        }
        return aiosmtplib.SMTP(**(settings | changes))  # type: ignore[arg-type]


@asynccontextmanager
async def run_relay(vault: Parts, mta_port: int, *, timeout_s: float = 5.0) -> AsyncIterator[RunningRelay]:
    """Run a relay of this vault in front of a mail server on loopback."""
    secrets = Secrets.make(vault.state_dir / "secrets")
    options = RelayOptions(
        host="127.0.0.1",
        port=0,
        cert_file=secrets.certificate_file,
        key_file=secrets.private_key_file,
        domain=DOMAIN,
        bounces=ADDRESSES,
        mta=Mta("127.0.0.1", mta_port, "none", timeout_s),
        accounts={"notifier": secrets.relay_password},
    )
    relay = MailRelay(options, KnownRecipients(vault.identities, vault.campaigns), vault.clock)
    await relay.start()
    try:
        yield RunningRelay(relay, relay.port, secrets.authority_file, secrets.relay_password)
    finally:
        await relay.stop()


def token_address(token: Token | str) -> str:
    """Return the address that the relay translates."""
    return f"{token}@{DOMAIN}"


def build_mail(to: str, body: str = "皆様\n抽選の結果をお知らせします。\n") -> bytes:
    """Return a plain mail in Japanese."""
    message = EmailMessage(policy=policy.SMTP)
    message["To"], message["Subject"] = to, "【催し】抽選結果のお知らせ"
    message.set_content(body, charset="utf-8", cte="base64")
    return message.as_bytes()


async def name_recipients(
    client: aiosmtplib.SMTP, addresses: Sequence[str], envelope_id: str = "n-00000000000000000001"
) -> list[tuple[int, str]]:
    """Begin a mail, name its recipients, and return the relay's answer to each."""
    await client.mail(f"bounce+{envelope_id}@{DOMAIN}")
    return [await name_recipient(client, address) for address in addresses]


async def name_recipient(client: aiosmtplib.SMTP, address: str) -> tuple[int, str]:
    """Name one more recipient and return code and text of the answer."""
    try:
        code, text = await client.rcpt(address)
    except aiosmtplib.SMTPRecipientRefused as refusal:
        return refusal.code, refusal.message
    return code, text


async def send_text(client: aiosmtplib.SMTP, content: bytes) -> tuple[int, str]:
    """Send the text and return code and text of the answer."""
    try:
        code, text = await client.data(content)
    except aiosmtplib.SMTPDataError as refusal:
        return refusal.code, refusal.message
    return code, text
