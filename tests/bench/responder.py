"""The least that can answer an HTTP client: what the load generator could do at most, were the other end free.

python -m tests.bench.responder PORT
"""

import asyncio
import sys

_ANSWER = (
    b'HTTP/1.1 202 Accepted\r\ncontent-length: 62\r\n\r\n{"v":1,"receipt":"W-0000-0000-0","status":"received","pad":""}'
)
_END_OF_HEAD = b"\r\n\r\n"


class Responder(asyncio.Protocol):
    """Counts off each request by its Content-Length and looks at nothing else."""

    def __init__(self) -> None:
        self._seen = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._seen += data
        while (end := self._seen.find(_END_OF_HEAD)) >= 0:
            length = int(self._seen[:end].lower().partition(b"content-length: ")[2].split(b"\r\n", 1)[0])
            if len(self._seen) < end + len(_END_OF_HEAD) + length:
                return
            self._seen = self._seen[end + len(_END_OF_HEAD) + length :]
            self._transport.write(_ANSWER)


async def serve(port: int) -> None:
    server = await asyncio.get_running_loop().create_server(Responder, "127.0.0.1", port, backlog=1024)
    async with server:
        await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(serve(int(sys.argv[1])))
