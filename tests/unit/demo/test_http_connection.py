"""The rehearsal's HTTP client: connections are kept, and one that the server closed meanwhile is replaced."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from deploy.demo.http_connection import ConnectionPool, NoAnswerError
from tests.support.waiting import until


class ScriptedServer:
    """Answers each request with its path; closes the connection after `answers_each` answers."""

    def __init__(self, answers_each: int, extra: str = "") -> None:
        self._answers_each, self._extra = answers_each, extra
        self.connections = self.open = 0
        self.heads: list[bytes] = []

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        self.open += 1
        for _ in range(self._answers_each):
            try:
                head = await reader.readuntil(b"\r\n\r\n")
            except asyncio.IncompleteReadError:
                break
            self.heads.append(head)
            path = head.split()[1]
            writer.write(f"HTTP/1.1 200 OK\r\nContent-Length: {len(path)}\r\n{self._extra}\r\n".encode() + path)
        writer.close()
        await writer.wait_closed()
        self.open -= 1


@asynccontextmanager
async def running(server: ScriptedServer) -> AsyncIterator[str]:
    listener = await asyncio.start_server(server.serve, "127.0.0.1", 0)
    async with listener:
        yield f"http://127.0.0.1:{listener.sockets[0].getsockname()[1]}"
        await until(lambda: server.open == 0)


async def test_many_requests_share_few_connections() -> None:
    server = ScriptedServer(answers_each=1000)
    async with running(server) as url:
        pool = ConnectionPool(url, size=4)
        answers = await asyncio.gather(*(pool.request("GET", f"/{number}") for number in range(100)))
        pool.close()
    assert [answer.body for answer in answers] == [f"/{number}".encode() for number in range(100)]
    assert server.connections == 4


async def test_a_connection_that_the_server_closed_is_replaced() -> None:
    server = ScriptedServer(answers_each=1)
    async with running(server) as url:
        pool = ConnectionPool(url, size=1)
        assert [(await pool.request("GET", f"/{number}")).body for number in range(3)] == [b"/0", b"/1", b"/2"]
        pool.close()
    assert server.connections == 3


async def test_an_announced_close_is_not_waited_for() -> None:
    server = ScriptedServer(answers_each=5, extra="Connection: close\r\n")
    async with running(server) as url:
        pool = ConnectionPool(url, size=1)
        await pool.request("POST", "/a", b"", {"Kuji-Work": "1"})
        await pool.request("POST", "/b")
        pool.close()
    assert server.connections == 2
    assert b"Kuji-Work: 1\r\nContent-Length: 0\r\n" in server.heads[0]


async def test_a_server_that_is_away_or_silent_gives_no_answer() -> None:
    async with running(ScriptedServer(answers_each=0)) as url:
        with pytest.raises(NoAnswerError):
            await ConnectionPool(url).request("GET", "/")
    with pytest.raises(NoAnswerError):
        await ConnectionPool(url).request("GET", "/")
