"""Connection to a witness: the requests of C2SP tlog-witness, and one for the last checkpoint that it cosigned."""

import http.client
import re
from typing import Final, Protocol
from urllib.error import HTTPError, URLError
from urllib.parse import quote
from urllib.request import ProxyHandler, Request, build_opener

from shared.errors import ConfigurationError
from shared.tlog import NoteError

_TIMEOUT_S: Final = 10.0
_LARGEST: Final = 100_000
_HTTP_URL: Final = re.compile(r"https?://[^\s]+")


class WitnessConnection(Protocol):
    """Connection to a witness. Both methods raise OSError where it is away."""

    def latest(self, origin: str) -> str:
        """Return the note that the witness cosigned last for this log; an empty text if there is none."""
        ...

    def add_checkpoint(self, request: str) -> str:
        """Return its signature lines. Raises NoteError with its reason where it refuses."""
        ...


class HttpWitness:
    """Witness behind an address."""

    def __init__(self, url: str) -> None:
        if not _HTTP_URL.fullmatch(url):
            raise ConfigurationError("KUJI_WITNESS_URL is no http address")
        self._url, self._opener = url.rstrip("/"), build_opener(ProxyHandler({}))

    def latest(self, origin: str) -> str:
        """Return the note that the witness cosigned last for this log; an empty text if there is none."""
        try:
            return self._ask(Request(f"{self._url}/checkpoint?origin={quote(origin, safe='')}"))  # noqa: S310
        except HTTPError as error:
            with error:
                if error.code == http.HTTPStatus.NOT_FOUND:
                    return ""
            raise

    def add_checkpoint(self, request: str) -> str:
        """Return its signature lines. Raises NoteError where it refuses."""
        try:
            return self._ask(Request(f"{self._url}/add-checkpoint", request.encode("utf-8")))  # noqa: S310
        except HTTPError as error:
            with error:
                raise NoteError(f"the witness refused the checkpoint ({error.code})") from None

    def _ask(self, request: Request) -> str:
        try:
            with self._opener.open(request, timeout=_TIMEOUT_S) as answer:
                content: bytes = answer.read(_LARGEST)
        except http.client.HTTPException as error:
            raise URLError(type(error).__name__) from None
        return content.decode("utf-8", "replace")
