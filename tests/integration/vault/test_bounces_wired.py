"""A delivery report on its whole way: from the vault's listener to the notifier's queue."""

import ssl
from pathlib import Path

import aiosmtplib
import pytest

from deploy.local.authority import Authority
from deploy.local.ports import free_ports
from services.vault.keys.keystore import Keystore
from services.vault.mail.rules.bounce_address import BounceAddresses
from shared.contracts import MailBounced
from shared.settings import read_secret
from tests.support.delivery_reports import Recipient, report
from tests.support.vault_harness import CAMPAIGN, Installation

NOTICE = "n-00000000000000000007"


async def test_a_report_reaches_the_notifier_with_the_notice_of_its_address(installation: Installation) -> None:
    (port,) = free_ports(1)
    async with installation.vault(bounce_port=port):
        settings = installation.settings
        keystore = Keystore.open(settings.keystore_dir, read_secret(settings.passphrase_file, "KUJI_PASSPHRASE_FILE"))
        to = BounceAddresses(settings.bounce_domain, keystore.bounce_key).format(NOTICE) or ""
        async with aiosmtplib.SMTP(hostname="127.0.0.1", port=port, timeout=10, start_tls=False) as mx:
            await mx.sendmail("", [to], report(Recipient("stranger@mail.example", status="5.2.2"), to=to))
        (bounced,) = await installation.consumed("notifier", MailBounced, 1)
    assert bounced == MailBounced(campaign=CAMPAIGN, notice_id=NOTICE, status="5.2.2")
    assert b"stranger@mail.example" not in await installation.everything_stored()


async def test_a_listener_for_other_machines_takes_reports_after_starttls_alone(
    installation: Installation, tmp_path: Path
) -> None:
    """RFC 3207, section 4: 530 until the mail server has begun TLS."""
    (port,), authority = free_ports(1), Authority.create()
    certificate, key = tmp_path / "bounces.crt", tmp_path / "bounces.key"
    issued = authority.issue(["127.0.0.1"])
    certificate.write_bytes(issued.certificate)
    key.write_bytes(issued.key)
    trusting = ssl.create_default_context(cadata=authority.pem.decode("ascii"))
    changed = {"bounce_host": "0.0.0.0", "bounce_port": port, "bounce_cert_file": certificate, "bounce_key_file": key}
    async with installation.vault(**changed):
        to = f"b+{NOTICE.removeprefix('n-')}.0000000000@{installation.settings.bounce_domain}"
        async with aiosmtplib.SMTP(hostname="127.0.0.1", port=port, timeout=10, start_tls=False) as mx:
            for command in ("MAIL FROM:<>", f"RCPT TO:<{to}>", "DATA", "HELO mx.example"):
                assert (await mx.execute_command(command.encode())).code == 530, command
            await mx.starttls(tls_context=trusting)
            await mx.ehlo()
            assert (await mx.mail("")).code == 250
            with pytest.raises(aiosmtplib.SMTPRecipientRefused, match="no such recipient"):
                await mx.rcpt(to)
