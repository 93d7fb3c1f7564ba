"""A delivery report on its whole way: from the vault's listener to the notifier's queue."""

import aiosmtplib

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
