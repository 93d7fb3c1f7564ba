"""The vault's relay as its client meets it: STARTTLS, a password, token addresses; a real mail server behind it."""

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
from shared.ids import Token
from tests.support.vault_parts import Parts

DOMAIN, BOUNCES = "relay.kuji.internal", "bounces.example"


def person(number: int, mailbox: str | None = None) -> Person:
    """Someone whose name, address and mailbox are theirs alone."""
    name = f"髙﨑{chr(0x4E00 + 7 * number)} 𠮷{chr(0x5000 + 11 * number)}"
    address = mailbox if mailbox is not None else f"person{number}@mail.example"
    return Person(name, "1600021", f"東京都新宿区歌舞伎町{number}丁目4-1", f"03{number:08d}", 34, None, address, None)


@dataclass(frozen=True)
class Door:
    """Where the relay is and how to get in."""

    relay: MailRelay
    port: int
    authority: Path
    password: str = field(repr=False)

    def client(self, **changes: object) -> aiosmtplib.SMTP:
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
async def relaying(vault: Parts, mta_port: int, *, timeout_s: float = 5.0) -> AsyncIterator[Door]:
    """A relay of this vault in front of a mail server on loopback."""
    secrets = Secrets.make(vault.state_dir / "secrets")
    options = RelayOptions(
        host="127.0.0.1",
        port=0,
        cert_file=secrets.certificate_file,
        key_file=secrets.private_key_file,
        domain=DOMAIN,
        bounce_domain=BOUNCES,
        mta=Mta("127.0.0.1", mta_port, "none", timeout_s),
        accounts={"notifier": secrets.relay_password},
    )
    relay = MailRelay(options, KnownRecipients(vault.identities, vault.campaigns), vault.clock)
    await relay.start()
    try:
        yield Door(relay, relay.port, secrets.authority_file, secrets.relay_password)
    finally:
        await relay.stop()


def at(token: Token | str) -> str:
    return f"{token}@{DOMAIN}"


def letter(to: str, body: str = "皆様\n抽選の結果をお知らせします。\n") -> bytes:
    message = EmailMessage(policy=policy.SMTP)
    message["To"], message["Subject"] = to, "【催し】抽選結果のお知らせ"
    message.set_content(body, charset="utf-8", cte="base64")
    return message.as_bytes()


async def named(client: aiosmtplib.SMTP, addresses: Sequence[str], envelope_id: str = "n-1") -> list[tuple[int, str]]:
    """Begin a mail and name its recipients; the relay's own answer to each."""
    await client.mail(f"bounce+{envelope_id}@{DOMAIN}")
    return [await asked(client, address) for address in addresses]


async def asked(client: aiosmtplib.SMTP, address: str) -> tuple[int, str]:
    try:
        code, words = await client.rcpt(address)
    except aiosmtplib.SMTPRecipientRefused as refusal:
        return refusal.code, refusal.message
    return code, words


async def verdict(client: aiosmtplib.SMTP, content: bytes) -> tuple[int, str]:
    try:
        code, words = await client.data(content)
    except aiosmtplib.SMTPDataError as refusal:
        return refusal.code, refusal.message
    return code, words
