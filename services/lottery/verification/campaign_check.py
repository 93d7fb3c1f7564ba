"""Check that a draw keeps to its campaign file, which was public before the first application."""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from services.lottery.record.manifest import Manifest
from services.lottery.record.rule_members import campaign_members, read_scope
from services.lottery.verification.check import Check
from shared.campaign.loading import CampaignError, load_campaign


def check_campaign(content: Mapping[str, Any], path: Path) -> Iterator[Check]:
    """Yield if the manifest names this file by its hash, and if its rules are those of the file."""
    try:
        campaign = load_campaign(path)
        manifest = Manifest.read(content["manifest"])
        members = json.loads(manifest.line)
        named = (members["campaign"], members["campaign_sha256"]) == (campaign.id, campaign.sha256)
    except CampaignError:
        yield Check("campaign file", False, "it is no campaign file")
        return
    except (KeyError, TypeError, ValueError, AttributeError):
        yield Check("campaign file", False, "the manifest cannot be read")
        return
    yield Check("campaign file", named, "the manifest names it" if named else "the manifest names another file")
    members["rules"] = {**members["rules"], "further_round": read_scope(members["rules"])}
    wrong = [name for name, member in campaign_members(campaign).items() if members.get(name) != member]
    if manifest.further is not None and manifest.further.scope != campaign.draw.further_round:
        wrong.append("further")
    text = "they are those of the campaign file" if not wrong else f"they are not the file's: {', '.join(wrong)}"
    yield Check("rules of the campaign", not wrong, text)
