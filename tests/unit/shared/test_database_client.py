"""Client of the database: decisions rest on the primary, whatever an operator's URL says."""

import pytest

from shared.storage import Store


@pytest.mark.parametrize("preference", ["secondaryPreferred", "nearest", "secondary"])
async def test_the_primary_answers_every_read_although_the_url_asks_for_another_member(preference: str) -> None:
    url = f"mongodb://127.0.0.1:1/?replicaSet=kuji&readPreference={preference}"
    async with Store.open(url, "kuji_intake") as store:
        assert store.db["applications"].read_preference.mongos_mode == "primary"
