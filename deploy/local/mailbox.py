"""Mail server of a rehearsal: takes mail over real SMTP and keeps it in a folder to look at.

Local parts decide: `reject-5xx` is answered 550, `defer-4xx` 451 twice and then taken. Every message is two files,
written in one step: `<number>.eml` (the bytes as they came) and `<number>.json` (envelope).
"""

import argparse
import asyncio
import itertools
import json
import logging
import warnings
from collections import Counter
from pathlib import Path

with warnings.catch_warnings():
    warnings.simplefilter("ignore", DeprecationWarning)
    from aiosmtpd.smtp import SMTP, Envelope, Session

DEFERRALS = 2


class Mailbox:
    """Handler of aiosmtpd; the method names are its hooks."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._numbers = itertools.count(1)
        self._deferred: Counter[str] = Counter()

    async def handle_RCPT(  # noqa: N802
        self, _server: SMTP, _session: Session, envelope: Envelope, address: str, _options: list[str]
    ) -> str:
        local = address.partition("@")[0]
        if "reject-5xx" in local:
            return "550 5.1.1 no such mailbox here"
        if "defer-4xx" in local and self._deferred[address] < DEFERRALS:
            self._deferred[address] += 1
            return "451 4.2.1 mailbox busy, come back later"
        envelope.rcpt_tos.append(address)
        return "250 2.1.5 OK"

    async def handle_DATA(self, _server: SMTP, _session: Session, envelope: Envelope) -> str:  # noqa: N802
        number = f"{next(self._numbers):06d}"
        addresses = {"mail_from": envelope.mail_from, "rcpt_tos": envelope.rcpt_tos}
        content = envelope.original_content or b""
        await asyncio.to_thread(self._keep, number, content, json.dumps(addresses))
        return f"250 2.0.0 kept as {number}"

    def _keep(self, number: str, content: bytes, envelope: str) -> None:
        for name, data in ((f"{number}.json", envelope.encode()), (f"{number}.eml", content)):
            draft = self._folder / f".{name}"  # not synced: a rehearsal's mail need not survive a crash of the machine
            draft.write_bytes(data)
            draft.rename(self._folder / name)


async def serve(folder: Path, host: str, port: int) -> None:
    mailbox = Mailbox(folder)
    loop = asyncio.get_running_loop()
    server = await loop.create_server(
        lambda: SMTP(mailbox, hostname="mailbox.example", enable_SMTPUTF8=True, loop=loop, ident="mailbox"),
        host,
        port,
    )
    async with server:
        await server.serve_forever()


def main() -> None:
    parser = argparse.ArgumentParser(description="Take mail on loopback and keep it in a folder.")
    parser.add_argument("--folder", type=Path, required=True)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, required=True)
    arguments = parser.parse_args()
    logging.getLogger("mail.log").setLevel(logging.ERROR)
    arguments.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    asyncio.run(serve(arguments.folder, arguments.host, arguments.port))


if __name__ == "__main__":
    main()
