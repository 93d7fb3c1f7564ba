"""The type of parsed JSON whose members the code passes on or prints without knowing all of them."""

from typing import Any, TypeAlias

JsonObject: TypeAlias = dict[str, Any]
"""A JSON object: reports, answers of services to staff, recorded installations. Typed values are used elsewhere."""
