"""Applicants of the demo who change their minds: some correct their choices, some withdraw. Pure."""

import json
from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from dataclasses import replace

from deploy.demo.application import DemoApplication, encode
from shared.ids import ApplicationId
from shared.json_types import JsonObject


def change_minds(
    applications: Sequence[DemoApplication], originals: AbstractSet[ApplicationId | None]
) -> list[DemoApplication]:
    """Let some applicants correct the order of their choices, and some withdraw. They named no mailbox.

    `originals`: applications of people who apply again; these stay as they are.
    """
    able = [
        each
        for each in applications
        if (each.channel, each.mailbox, each.expected.status) == ("web", "none", "accepted")
        and each.application_id not in originals
    ]
    corrected = {each.application_id for each in able if len(each.expected.asked) > 1}
    withdrawn = {each.application_id for each in able[::3] if each.application_id not in corrected}
    return [_change_mind(each, corrected=corrected, withdrawn=withdrawn) for each in applications]


def _change_mind(
    application: DemoApplication, *, corrected: set[ApplicationId], withdrawn: set[ApplicationId]
) -> DemoApplication:
    """Return the application with a second version if its applicant changes something."""
    expected = application.expected
    if application.application_id in withdrawn:
        content: JsonObject = {"v": 2, "withdraw": True, "code": application.code}
        return replace(application, later=(encode(content, ""),), expected=replace(expected, status="withdrawn"))
    if application.application_id in corrected:
        first = json.loads(application.plaintext)
        content = {**first, "choices": first["choices"][::-1]}
        asked = replace(expected, asked=expected.asked[::-1])
        return replace(application, later=(encode(content, ""),), expected=asked)
    return application
