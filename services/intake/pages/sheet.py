"""The printable application sheet (R-B3): for people who apply by fax or post. One A4 page per campaign.

It asks for exactly what may be collected (R-D1, R-D2), but for the e-mail address, which only the site takes. A code
in its corner names campaign, version of the purpose of use (R-C4) and version of the sheet.
"""

import threading
from pathlib import Path
from typing import Any, Final

import segno

from services.intake.pages import wording
from shared import dates
from shared.campaign import Campaign
from shared.catalogue import Catalogue
from shared.ids import CampaignId
from shared.typesetting import Typesetter

_TEMPLATE: Final = Path(__file__).parent / "sheet.typ"
_VERSION_DIGITS: Final = 12


class Sheets:
    """Sets each campaign's sheet once; raises ConfigurationError where the fonts are missing."""

    def __init__(self, typesetter: Typesetter, japanese: Catalogue, english: Catalogue) -> None:
        self._typesetter, self._japanese, self._english = typesetter, japanese, english
        self._made: dict[CampaignId, bytes] = {}
        self._making = threading.Lock()

    def pdf(self, campaign: Campaign) -> bytes:
        """May take half a second at the first call; call it in a thread."""
        with self._making:
            if campaign.id not in self._made:
                self._made[campaign.id] = self._typesetter.pdf(_TEMPLATE, self._data(campaign))
            return self._made[campaign.id]

    def _data(self, campaign: Campaign) -> dict[str, Any]:
        texts, office = self._japanese, campaign.office
        return {
            "title": wording.title(campaign, texts),
            "rehearsal": campaign.rehearsal,
            "purpose": wording.purpose(campaign, texts),
            "purpose_version": campaign.purpose.version,
            "code": [list(row) for row in segno.make(code_text(campaign), error="q", micro=False).matrix],
            "max_wins": campaign.draw.max_wins,
            "closes": dates.format_deadline(campaign.window.closes, texts),
            "closes_en": dates.format_deadline(campaign.window.closes, self._english),
            "notify_by": dates.format_deadline(campaign.notify_by, texts),
            "office": {
                "name": office.name,
                "postal_code": f"{office.postal_code[:3]}-{office.postal_code[3:]}",
                "address": office.address,
                "phone": office.phone,
                "fax": office.fax,
            },
            "classes": [_class(wording.shown_class(each, texts), each.title.en) for each in campaign.classes],
        }


def code_text(campaign: Campaign) -> str:
    """What the code says: which sheet this is, so that keying shows the purpose its reader was shown."""
    return f"kuji-sheet/1 {campaign.id} {campaign.purpose.version} {campaign.sha256[:_VERSION_DIGITS]}"


def _class(shown: wording.ShownClass, title_en: str) -> dict[str, Any]:
    return {
        "number": shown.number,
        "title": shown.title,
        "title_en": title_en,
        "who": shown.who,
        "when": shown.when,
        "places": shown.places,
    }
