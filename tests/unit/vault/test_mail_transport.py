"""Mail leaves for another machine, and delivery reports come from one, by TLS or not at all (R-S8)."""

from pathlib import Path
from typing import Any

import pytest

from services.vault.mail.transport import check_reports, mail_server
from services.vault.settings import VaultSettings
from shared.errors import ConfigurationError


def settings(**given: Any) -> VaultSettings:
    needed = {
        "amqp_url": "amqp://localhost", "mongo_url": "mongodb://localhost", "state_dir": "state",
        "service_keys_dir": "keys", "keystore_dir": "keystore",
    }  # fmt: skip
    return VaultSettings.model_validate({**needed, **given})


@pytest.mark.parametrize("host", ["mx.example", "192.0.2.25", "10.0.0.7", "mailbox", "localhost.example", "::2"])
def test_a_setting_sends_no_mail_in_the_clear_to_another_machine(host: str) -> None:
    with pytest.raises(ConfigurationError, match="KUJI_MTA_SECURITY=none sends mail in the clear"):
        mail_server(settings(mta_host=host, mta_security="none"))
    for security in ("starttls", "tls"):
        assert mail_server(settings(mta_host=host, mta_security=security)).security == security
    assert mail_server(settings(mta_host=host)).security == "starttls", "what is not set is safe"
    rehearsal = settings(mta_host=host, mta_security="none", clock_file=Path("clock.json"))
    assert mail_server(rehearsal).security == "none", "people of a rehearsal are invented"


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "127.8.8.8", "::1"])
def test_on_one_machine_mail_may_go_without_tls(host: str) -> None:
    assert mail_server(settings(mta_host=host, mta_security="none")).host == host
    check_reports(settings(bounce_host=host, bounce_port=2526))


def test_delivery_reports_from_another_machine_need_a_certificate() -> None:
    with_certificate = {"bounce_cert_file": "bounces.crt", "bounce_key_file": "bounces.key"}
    for host in ("0.0.0.0", "::", "10.0.0.1", "vault"):
        for half in ({}, {"bounce_cert_file": "bounces.crt"}):
            with pytest.raises(ConfigurationError, match="KUJI_BOUNCE_CERT_FILE"):
                check_reports(settings(bounce_host=host, bounce_port=2526, **half))
        check_reports(settings(bounce_host=host, bounce_port=2526, **with_certificate))
        check_reports(settings(bounce_host=host))
