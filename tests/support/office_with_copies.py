"""A vault's database and key folder, of which tests make copies and bring them back."""

from pathlib import Path

from typer.testing import CliRunner

from services.vault.identities.repository import COLLECTION as IDENTITIES
from services.vault.identities.repository import StoredIdentity
from services.vault.keys.access import RootAccess
from services.vault.keys.keystore import Keystore
from shared.ids import CampaignId, Receipt, Token, new_application_id, new_token
from shared.storage import Store
from tests.support.identity_builders import NOT_AFTER, person

PASSPHRASE = "a passphrase of the tests"
OTHER = CampaignId("next-year")
RECEIPT = Receipt("W-7K3M-9Q2P-6")
_RUN = CliRunner()


class Office:
    """A vault's database and key folder, with a person in each of two campaigns, and a place for copies."""

    def __init__(self, store: Store, folder: Path, url: str, access: RootAccess | None = None) -> None:
        self.store, self.folder, self.url, self.tokens = store, folder, url, dict[CampaignId, Token]()
        self.keys = folder / "keys"
        self.keystore = Keystore.open(self.keys, access or PASSPHRASE)
        for place in ("data-copies", "key-copies"):
            (folder / place).mkdir()
        self.data, self.copy = folder / "data-copies" / "data-1", folder / "key-copies" / "keys-1"

    async def add_person(self, campaign: CampaignId) -> None:
        self.tokens[campaign] = new_token()
        identity = StoredIdentity.encrypt(
            self.keystore.ensure_campaign(campaign, NOT_AFTER),
            token=self.tokens[campaign],
            campaign=campaign,
            application_id=new_application_id(),
            receipt=RECEIPT,
            person=person(),
            code="123456",
        )
        await self.store.db[IDENTITIES].insert_one(identity.to_document())

    def run(self, app: object, *arguments: str) -> str:
        environment = {"KUJI_MONGO_URL": self.url, "KUJI_KEYSTORE_DIR": str(self.keys)}
        result = _RUN.invoke(app, list(arguments), env=environment, catch_exceptions=False)  # type: ignore[arg-type]
        assert result.exit_code == 0, result.output
        return result.output
