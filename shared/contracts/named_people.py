"""Find the applicants that an event names, and leave out those that were erased (docs/protocols.md §5). Pure."""

from collections.abc import Callable, Iterable, Iterator
from enum import StrEnum
from typing import Final, TypeVar

from shared.contracts.base import Event, Value
from shared.json_types import JsonObject

E = TypeVar("E", bound=Event)
V = TypeVar("V", bound=Value)

NAMES: Final = ("application_id", "receipt", "token", "entry", "paper_id")
"""Members that name one applicant, or the paper of one, in events, in their items, and in the slips of these."""

SHARED: Final = "tokens"
"""Member that names all recipients of one announcement."""

IsErased = Callable[[frozenset[str]], bool]


class Mention(StrEnum):
    """Answer to the question if a message names erased people: none of them, nobody else, or others as well."""

    NONE = "none"
    ONLY = "only"
    MIXED = "mixed"


def without_people(event: E, is_erased: IsErased) -> E | None:
    """Return the event without items about erased people; None where nothing else is left, or it is about one."""
    if event.names_erased_people:
        return event
    if is_erased(_names(event)):
        return None
    items = getattr(event, "items", None)
    if not isinstance(items, tuple):
        return event
    kept = tuple(left for item in items if (left := _without(item, is_erased)) is not None)
    if len(kept) == len(items) and all(left is item for left, item in zip(kept, items, strict=True)):
        return event
    return event.model_copy(update={"items": kept}) if kept else None


def find_mention(body: object, is_erased: IsErased) -> Mention:
    """Return whether an event's JSON is about erased people."""
    if not isinstance(body, dict):
        return Mention.NONE
    if is_erased(frozenset(_json_names(body))):
        return Mention.ONLY
    items = body.get("items")
    return join(_mention_in_item(item, is_erased) for item in items) if isinstance(items, list) else Mention.NONE


def join(mentions: Iterable[Mention]) -> Mention:
    """Return the mention of a whole by those of its parts."""
    found = set(mentions)
    return found.pop() if len(found) == 1 else Mention.MIXED if found else Mention.NONE


def _without(item: V, is_erased: IsErased) -> V | None:
    """Return an item without erased recipients and their refusals; None where it is about erased people only."""
    if is_erased(_names(item)):
        return None
    changes = {}
    for member in (SHARED, "refused"):
        people = getattr(item, member, None) or ()
        kept = tuple(one for one in people if not is_erased(frozenset({one}) if isinstance(one, str) else _names(one)))
        if len(kept) < len(people):
            changes[member] = kept
    if changes.get(SHARED) == ():
        return None
    return item.model_copy(update=changes) if changes else item


def _names(part: object) -> frozenset[str]:
    """Return the names in the members of an event, an item, or the slip inside an item."""
    found = {value for name in NAMES if isinstance(value := getattr(part, name, None), str)}
    slip = getattr(part, "slip", None)
    if isinstance(slip, dict):
        return frozenset({*found, *_json_names(slip)})
    return frozenset(found) if slip is None else frozenset(found) | _names(slip)


def _mention_in_item(item: object, is_erased: IsErased) -> Mention:
    if not isinstance(item, dict):
        return Mention.NONE
    if is_erased(frozenset(_json_names(item))):
        return Mention.ONLY
    tokens, refused = item.get(SHARED), item.get("refused")
    own = [is_erased(frozenset({one})) for one in tokens if isinstance(one, str)] if isinstance(tokens, list) else []
    if own and any(own):
        return Mention.ONLY if all(own) else Mention.MIXED
    parts = refused if isinstance(refused, list) else []
    named = any(isinstance(part, dict) and is_erased(frozenset(_json_names(part))) for part in parts)
    return Mention.MIXED if named else Mention.NONE


def _json_names(part: JsonObject) -> Iterator[str]:
    yield from (value for name in NAMES if isinstance(value := part.get(name), str))
    slip = part.get("slip")
    if isinstance(slip, dict):
        yield from _json_names(slip)
