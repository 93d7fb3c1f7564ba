"""Reading campaign files: every mistake is told with file, line and field, all of them at once."""

import hashlib
from pathlib import Path
from typing import Any, Final, TypeAlias

import yaml
from pydantic import ValidationError

from shared.campaign.model import Campaign
from shared.campaign.rules import Where, mistakes
from shared.errors import ConfigurationError
from shared.ids import CampaignId

_Loader: TypeAlias = type[yaml.SafeLoader] | type[yaml.CSafeLoader]

_LOADER: Final[_Loader] = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
"""The loader in C where PyYAML has one: ten times as fast, and every service loads the campaigns when it starts."""


class CampaignError(ConfigurationError):
    """Raised for a campaign file that must not be used; the text lists each mistake with its line."""


def load_campaigns(folder: Path) -> dict[CampaignId, Campaign]:
    """Load each `*.yaml` of the folder, by campaign id. Raises CampaignError for a bad file or an id in two files."""
    campaigns: dict[CampaignId, Campaign] = {}
    for path in sorted(folder.glob("*.yaml")):
        campaign = load_campaign(path)
        if campaign.id in campaigns:
            raise CampaignError(f"{path.name}: campaign {campaign.id} is in another file too; keep one")
        campaigns[campaign.id] = campaign
    if not campaigns:
        raise CampaignError(f"no campaign file (*.yaml) in {folder}; copy the sample 777-days.yaml and change it")
    return campaigns


def load_campaign(path: Path) -> Campaign:
    """Load and validate one file. Raises CampaignError."""
    content = path.read_bytes()
    try:
        if b"\t" in content:  # between tokens an error to PyYAML alone; else the loader in C refuses all that it does
            _read(content, yaml.SafeLoader)
        lines, data = _read(content, _LOADER)
    except yaml.YAMLError as error:
        raise CampaignError(f"{path.name}: not YAML: {_explain(content, error)}") from error
    except UnicodeDecodeError as error:
        raise CampaignError(f"{path.name}: not UTF-8; save it as UTF-8") from error
    if not isinstance(data, dict):
        raise CampaignError(f"{path.name}:1: a campaign file is a mapping that starts with `v: 1`")
    try:
        campaign = Campaign.model_validate({**data, "sha256": hashlib.sha256(content).hexdigest()})
    except ValidationError as error:
        found = [(mistake["loc"], mistake["msg"]) for mistake in error.errors(include_url=False, include_input=False)]
        raise CampaignError(_describe(path.name, found, lines)) from error
    wrong = [(mistake.where, mistake.text) for mistake in mistakes(campaign)]
    if wrong:
        raise CampaignError(_describe(path.name, wrong, lines))
    return campaign


def _read(content: bytes, loader: _Loader) -> tuple[dict[Where, int], Any]:
    """Return line numbers by path, and the values. Raises YAMLError."""
    lines = _lines(yaml.compose(content, Loader=loader))
    return lines, yaml.load(content, Loader=loader)  # noqa: S506  (both loaders make plain values only)


def _explain(content: bytes, error: yaml.YAMLError) -> yaml.YAMLError:
    """Return the error as PyYAML words it: with the line and a mark below it, which the loader in C leaves out."""
    try:
        _read(content, yaml.SafeLoader)
    except yaml.YAMLError as in_full:
        return in_full
    except ValueError:  # PyYAML itself fails at some texts that the loader in C refuses
        return error
    return error


def _describe(name: str, found: list[tuple[Where, str]], lines: dict[Where, int]) -> str:
    return "\n".join(
        f"{name}:{_line_of(where, lines)}: {'.'.join(map(str, where)) or 'the file'}: "
        + text.removeprefix("Value error, ")
        for where, text in found
    )


def _line_of(where: Where, lines: dict[Where, int]) -> int:
    """Return the line of the field, or of the nearest enclosing member that is in the file."""
    for end in range(len(where), 0, -1):
        if where[:end] in lines:
            return lines[where[:end]]
    return 1


def _lines(node: Any, at: Where = ()) -> dict[Where, int]:
    """Line numbers (from 1) by path. A key that stands twice is an error, since YAML would drop one silently."""
    found: dict[Where, int] = {at: node.start_mark.line + 1} if node is not None else {}
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            path = (*at, key.value)
            if path in found:
                raise yaml.MarkedYAMLError(problem=f"`{key.value}` stands twice", problem_mark=key.start_mark)
            found |= _lines(value, path)
            found[path] = key.start_mark.line + 1
    elif isinstance(node, yaml.SequenceNode):
        for index, value in enumerate(node.value):
            found |= _lines(value, (*at, index))
    return found
