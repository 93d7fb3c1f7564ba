"""Play the vault for intake: publish keys and verdicts, open applications and versions. Real broker, real HPKE."""

import asyncio
import hashlib
import json
from typing import Any, Literal, Self

import aio_pika
from aio_pika.abc import AbstractChannel, AbstractRobustConnection
from cryptography.hazmat.primitives import hpke
from cryptography.hazmat.primitives.asymmetric.mlkem import MLKEM768PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from deploy.demo.sealing import SUITE_NAME, SealingKey, sealing_info
from shared import crockford
from shared.codes import Code, ProofDigest, intake_proof, proof_digest
from shared.contracts import ApplicationReceived, ApplicationsDecided, Decision, Event, SealingKeyPublished
from shared.encoding import b64url, unb64url
from shared.ids import ApplicationId, CampaignId, KeyId, Receipt
from shared.messaging.envelope import Envelope
from shared.messaging.names import Names
from shared.signing import SigningKey
from tests.support.service_keys import signed

CAMPAIGN = CampaignId("777-days")
_SUITE = hpke.Suite(hpke.KEM.MLKEM768_X25519, hpke.KDF.HKDF_SHA256, hpke.AEAD.AES_256_GCM)


class VaultSide:
    """`received` keeps every application.received that was fetched, with its event id."""

    def __init__(self, channel: AbstractChannel, names: Names) -> None:
        self._channel, self._names = channel, names
        mlkem, x25519 = MLKEM768PrivateKey.generate(), X25519PrivateKey.generate()
        self._private = hpke.MLKEM768X25519PrivateKey(mlkem, x25519)
        self._public = mlkem.public_key().public_bytes_raw() + x25519.public_key().public_bytes_raw()
        self.signing = SigningKey.generate()
        self.received: list[tuple[str, ApplicationReceived]] = []

    @classmethod
    async def connect(cls, connection: AbstractRobustConnection, namespace: str) -> Self:
        return cls(await connection.channel(on_return_raises=True), Names(namespace))

    def document(self, key_id: str = "k1", not_after: str = "2018-06-01T00:00:00+09:00") -> dict[str, Any]:
        return self.signing.sign_document(
            {
                "v": 1,
                "campaign": CAMPAIGN,
                "key_id": key_id,
                "suite": SUITE_NAME,
                "public_key": b64url(self._public),
                "not_after": not_after,
            }
        )

    def key(self, key_id: str = "k1") -> SealingKey:
        return SealingKey.from_document(self.document(key_id), campaign=CAMPAIGN, trusted=self.signing.public)

    async def publish_key(self, key_id: str = "k1", not_after: str = "2018-06-01T00:00:00+09:00") -> dict[str, Any]:
        document = self.document(key_id, not_after)
        await self.publish(SealingKeyPublished(campaign=CAMPAIGN, key_id=KeyId(key_id), document=document))
        return document

    async def decide(self, *decisions: Decision) -> None:
        await self.publish(ApplicationsDecided(campaign=CAMPAIGN, items=decisions))

    async def publish(self, event: Event) -> None:
        exchange = await self._channel.get_exchange(self._names.events, ensure=False)
        message = signed(event).message()
        await exchange.publish(message, event.name, timeout=10)

    async def fetch(self, service: str = "vault", event: str = ApplicationReceived.name) -> list[tuple[str, bytes]]:
        """Everything that waits in a queue now: event ids and bodies."""
        queue = await self._channel.get_queue(self._names.queue(service, event), ensure=False)
        found: list[tuple[str, bytes]] = []
        while (message := await queue.get(no_ack=True, fail=False)) is not None:
            found += [(each.event_id, each.body) for each in Envelope.read_all(message)]
        if service == "vault" and event == ApplicationReceived.name:
            self.received += [(event_id, ApplicationReceived.model_validate_json(body)) for event_id, body in found]
        return found

    async def fetch_until(self, count: int, service: str, event: str) -> list[tuple[str, bytes]]:
        """At least `count` messages of a queue; TimeoutError after 60 s."""
        found: list[tuple[str, bytes]] = []
        async with asyncio.timeout(60):
            while len(found) < count:
                found += await self.fetch(service, event)
                await asyncio.sleep(0.05)
        return found

    def open(self, event: ApplicationReceived) -> dict[str, Any]:
        """Return the content that the applicant wrote."""
        info = sealing_info(event.campaign, event.key_id, event.application_id, event.version)
        opened: dict[str, Any] = json.loads(_SUITE.decrypt(unb64url(event.sealed), self._private, info))
        return opened


async def connected(amqp_url: str) -> AbstractRobustConnection:
    return await aio_pika.connect_robust(amqp_url, timeout=10)


def decide(
    application_id: ApplicationId,
    status: Literal["complete", "under-review", "rejected", "withdrawn"] = "complete",
    *reasons: str,
    revision: int = 1,
    version: int = 1,
) -> Decision:
    """Return a verdict. Intake finds the application by its id, so the receipt is a sample."""
    return Decision(
        application_id=application_id,
        receipt=Receipt("W-7K3M-9Q2P-6"),
        version=version,
        status=status,
        reasons=reasons,
        revision=revision,
    )


def code_of(application_id: ApplicationId) -> Code:
    """Return the code that the tests' applicant with this id has."""
    return Code(crockford.encode(hashlib.sha256(application_id.encode()).digest(), 16))


def proof_of(application_id: ApplicationId) -> str:
    """Return this applicant's proof for intake."""
    return intake_proof(CAMPAIGN, application_id, code_of(application_id))


def proof_digest_of(application_id: ApplicationId) -> ProofDigest:
    """Return the digest that intake stores of this applicant's proof."""
    return proof_digest(proof_of(application_id))
