"""A delivery report on its whole way: from an application that came in sealed to the notifier's queue."""

import aiosmtplib

from deploy.local.ports import free_ports
from shared.contracts import ContactsRegistered, MailBounced
from tests.support.delivery_reports import Recipient, report
from tests.support.identity_builders import content, written
from tests.support.vault_harness import CAMPAIGN, Installation


async def test_the_mailbox_of_an_applicant_is_known_again_when_a_report_names_it(installation: Installation) -> None:
    (port,) = free_ports(1)
    async with installation.vault(bounce_port=port) as http:
        await installation.say(installation.received(await installation.sealing_key(http), written(content())))
        (contact,) = (await installation.items("notifier", ContactsRegistered, 1)).values()
        mailbox = content()["applicant"]["email"]
        async with aiosmtplib.SMTP(hostname="127.0.0.1", port=port, timeout=10, start_tls=False) as mx:
            to = f"bounce+n-7@{installation.settings.bounce_domain}"
            await mx.sendmail("", [to], report(Recipient(mailbox.upper(), status="5.2.2"), to=to))
        (bounced,) = await installation.consumed("notifier", MailBounced, 1)
    assert bounced == MailBounced(campaign=CAMPAIGN, notice_id="n-7", token=contact.token, status="5.2.2")
    assert mailbox.encode() not in await installation.everything_stored()
