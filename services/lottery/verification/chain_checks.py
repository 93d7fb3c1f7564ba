"""Checks of a further round together with the draws that it continues. Pure."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from services.lottery.record.manifest import Manifest
from services.lottery.verification.check import Check, Keys
from services.lottery.verification.further_checks import check_continued
from services.lottery.verification.transcript_checks import get_rows, verify_transcript


def check_chain(
    content: Mapping[str, Any], earlier: Sequence[Mapping[str, Any]], keys: Keys | None = None
) -> Iterator[Check]:
    """Yield the checks of a further round with the transcripts of the draws that it continues, oldest first.

    Each of them must hold by itself, be signed by a key of `keys` (by the same key where none are given), and lead to
    the next.
    """
    if not earlier:
        yield Check("draws before", False, "a further round is checked with the transcripts of the draws before it")
        return
    keys = (content["signing_key"],) if keys is None else keys
    for one in earlier:
        faults = [check.name for check in verify_transcript(one, keys).checks if not check.passed]
        yield Check("draw before", not faults, "it holds" if not faults else f"it does not hold: {', '.join(faults)}")
    try:
        rows = {Manifest.read(one["manifest"]).draw: str(get_rows(one)) for one in [*earlier, content]}
    except (KeyError, TypeError, ValueError, AttributeError):
        rows = {}
    yield check_continued(content, earlier, rows)
