"""Mail to and from another machine is encrypted (R-S8): a setting cannot send addresses and results in the clear."""

from services.vault.mail.session import MailServer
from services.vault.settings import VaultSettings
from shared.errors import ConfigurationError
from shared.hosts import is_this_machine


def mail_server(settings: VaultSettings) -> MailServer:
    """Return the mail server of the settings. Raises ConfigurationError where it is elsewhere and TLS is off.

    A rehearsal has invented people: its mailbox may be another container.
    """
    is_real = settings.clock_file is None
    if is_real and settings.mta_security == "none" and not is_this_machine(settings.mta_host):
        raise ConfigurationError(
            "KUJI_MTA_SECURITY=none sends mail in the clear, and KUJI_MTA_HOST is not this machine; "
            "set it to starttls or tls"
        )
    return MailServer(settings.mta_host, settings.mta_port, settings.mta_security, settings.mta_timeout_s)


def check_reports(settings: VaultSettings) -> None:
    """Raise ConfigurationError where delivery reports, which hold addresses, could come in the clear from elsewhere."""
    has_certificate = settings.bounce_cert_file is not None and settings.bounce_key_file is not None
    if settings.bounce_port is not None and not has_certificate and not is_this_machine(settings.bounce_host):
        raise ConfigurationError(
            "KUJI_BOUNCE_HOST lets other machines deliver reports, which hold addresses; set KUJI_BOUNCE_CERT_FILE and "
            "KUJI_BOUNCE_KEY_FILE for STARTTLS, or listen on 127.0.0.1"
        )
