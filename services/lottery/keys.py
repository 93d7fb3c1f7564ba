"""Hold the lottery's signing key. It lies in the folder of the service keys: set-up makes it and tells the vault."""

from pathlib import Path

from shared.service_keys import read_private_key


class LotteryKeys:
    """Key of an installation, which all its lottery processes share. Raises ConfigurationError where it is absent."""

    def __init__(self, service_keys_dir: Path) -> None:
        self.signing = read_private_key(service_keys_dir, "lottery", "signing")
