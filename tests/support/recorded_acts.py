"""Acts of staff that a service wrote into its outbox for the audit log."""

from shared.contracts import StaffActed
from shared.storage import OUTBOX, Store


async def read_acts(store: Store) -> list[tuple[str, str, str]]:
    """Return staff id, act and case of each, the oldest first."""
    lines = store.db[OUTBOX].find({"name": StaffActed.name}).sort("_id", 1)
    events = [StaffActed.model_validate_json(line["body"]) async for line in lines]
    return [(item.sub, item.act.value, item.case) for event in events for item in event.items]
