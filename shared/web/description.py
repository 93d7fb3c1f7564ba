"""Errors in an API's description (OpenAPI): every refusal is named with its problem document."""

from collections.abc import Mapping
from typing import Annotated, Final

from pydantic import BaseModel, Field

from shared.json_types import JsonObject

_PROBLEM_TYPE: Final = "application/problem+json"


class Problem(BaseModel):
    """RFC 9457. `title` and `detail` in Japanese, `detail_en` in English; both say what to do next."""

    type: Annotated[str, Field(pattern=r"^urn:kuji:problem:[a-z-]+$")]
    title: str
    status: int
    detail: str
    detail_en: str = ""


def describe_refusals(refusals: Mapping[int, str]) -> dict[int | str, JsonObject]:
    """Describe the error answers of an endpoint (status → meaning) for OpenAPI."""
    schema = {"$ref": "#/components/schemas/Problem"}
    return {
        status: {"description": text, "model": Problem, "content": {_PROBLEM_TYPE: {"schema": schema}}}
        for status, text in refusals.items()
    }
