"""Make the printable application sheet for fax and post (R-B3): one A4 page per campaign.

It has exactly the fields that may be collected (R-D1, R-D2), except the e-mail address, which only the site accepts.
A code in its corner names the campaign, the version of the purpose of use (R-C4) and the version of the sheet.
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
from shared.sheet_layout import CLASSES_TOP, PURPOSE, ROWS, TABLE, code_text
from shared.typesetting import Typesetter

SheetData = dict[str, Any]
"""Data for the template `sheet.typ`, ready for JSON."""

_TEMPLATE: Final = Path(__file__).parent / "sheet.typ"


class Sheets:
    """Typeset each campaign's sheet once. Raises ConfigurationError where the fonts are missing."""

    def __init__(self, typesetter: Typesetter, japanese: Catalogue, english: Catalogue) -> None:
        self._typesetter, self._japanese, self._english = typesetter, japanese, english
        self._made: dict[CampaignId, bytes] = {}
        self._making = threading.Lock()

    def pdf(self, campaign: Campaign) -> bytes:
        """Return the PDF. The first call may take half a second: call it in a thread."""
        with self._making:
            if campaign.id not in self._made:
                self._made[campaign.id] = self._typesetter.pdf(_TEMPLATE, self._data(campaign))
            return self._made[campaign.id]

    def _data(self, campaign: Campaign) -> SheetData:
        texts, office = self._japanese, campaign.office
        return {
            "title": wording.title(campaign, texts),
            "rehearsal": campaign.rehearsal,
            "purpose": wording.purpose(campaign, texts),
            "purpose_version": campaign.purpose.version,
            "layout": {
                "purpose": list(PURPOSE),
                "table": list(TABLE),
                "rows": list(ROWS.values()),
                "classes": CLASSES_TOP,
            },
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
            "classes": [
                _class(wording.class_view(event_class, texts), event_class.title.en) for event_class in campaign.classes
            ],
        }


def _class(view: wording.ClassView, title_en: str) -> SheetData:
    return {
        "number": view.number,
        "title": view.title,
        "title_en": title_en,
        "who": view.who,
        "when": view.when,
        "places": view.places,
    }
