from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from services.notifier.applicant_repository import ApplicantRepository
from services.notifier.collections import COLLECTIONS
from services.notifier.erasure import NotifierStores
from shared.campaign import load_campaign
from shared.erasure import collections as erasure_collections
from tests.support.databases import own_database
from tests.support.erasure_harness import ParticipantHarness, PlannedQueues, participant
from tests.support.namespaces import lend_namespace
from tests.support.person_harness import Service, service_of
from tests.support.vault_parts import SAMPLE


@pytest.fixture
def namespace(request: pytest.FixtureRequest) -> Iterator[str]:
    """Yield a namespace whose collections and queues the tests of a file use one after another."""
    with lend_namespace(request) as name:
        yield name


@pytest.fixture
async def service(
    request: pytest.FixtureRequest, mongo_url: str, namespace: str, tmp_path: Path
) -> AsyncIterator[Service]:
    """Return a service's part in the erasure of one person; the parameter names the service."""
    async with service_of(request.param, mongo_url, namespace, tmp_path) as opened:
        yield opened


@pytest.fixture
async def notifier(mongo_url: str, namespace: str) -> AsyncIterator[ParticipantHarness]:
    """Return the notifier's participant over its real collections."""
    campaign = load_campaign(SAMPLE)
    async with own_database(mongo_url, f"{namespace}_notifier") as store:
        await store.ensure([*COLLECTIONS, *erasure_collections()])
        await ApplicantRepository(store.db).ensure_locks([campaign.id])
        yield participant("notifier", store, campaign, NotifierStores(store), PlannedQueues())
