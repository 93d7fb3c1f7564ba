"""`python -m deploy.local.daemon`: keeps an installation until SIGTERM. `./kuji up` starts it."""

import argparse
import json
import os
import signal
import sys
import threading
from pathlib import Path

from deploy.local import runs
from deploy.local.ports import origins
from deploy.local.stack import Options, Stack
from shared.campaign import load_campaigns
from shared.errors import KujiError
from shared.files import write_atomic
from shared.json_types import JsonObject


def main() -> None:
    parser = argparse.ArgumentParser(description="Keep an installation running on this machine.")
    parser.add_argument("--home", type=Path, required=True)
    parser.add_argument("--campaigns", type=Path, required=True)
    parser.add_argument("--clock", type=Path, help="rehearsals only: file of the rehearsal clock")
    arguments = parser.parse_args()
    os.umask(0o077)
    stop_requested = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop_requested.set())
    runs.claim(arguments.home)
    try:
        campaigns = [str(name) for name in sorted(load_campaigns(arguments.campaigns))]
        options = Options(arguments.campaigns, arguments.clock)
        with runs.watchdog(arguments.home) as watchdog, Stack(arguments.home, options, watchdog=watchdog) as stack:
            _write(arguments.home / "installation.json", _record(stack, campaigns))
            stop_requested.wait()
    except KujiError as error:
        sys.exit(str(error))
    finally:
        (arguments.home / "installation.json").unlink(missing_ok=True)


def _record(stack: Stack, campaigns: list[str]) -> JsonObject:
    """Return the record that the command line reads: addresses, token files, pids. It holds no secret."""
    pages = origins(stack.ports)
    services = {
        name: {
            "url": stack.url(name),
            "pages": pages[name],
            "token_file": str(stack.secrets.ops_file(name)),
            "log": str(stack.log(name)),
        }
        for name in stack.ports
    }
    return {
        "v": 1,
        "campaigns": campaigns,
        "campaigns_dir": str(stack.options.campaigns_dir),
        "clock_file": str(stack.options.clock_file) if stack.options.clock_file else None,
        "paper_token_file": str(stack.secrets.paper_token_file),
        "setup_token_file": str(stack.secrets.setup_token_file),
        "services": services,
        "approve": f"http://vault.localhost:{stack.approve_port}/approve",
        "servers": _servers(stack),
        "mail": str(stack.servers.mailbox),
        "processes": {child.name: child.pid for child in stack.children()},
    }


def _servers(stack: Stack) -> dict[str, str]:
    """Return the addresses of the private servers; `given` for servers named by a URL."""
    private = {
        "rabbitmq": None if stack.servers.external_amqp else stack.servers.rabbitmq.ports.amqp,
        "mongodb": stack.servers.mongodb.port if stack.servers.mongodb else None,
        "mailbox": stack.servers.smtp_port,
    }
    return {name: f"127.0.0.1:{port}" if port else "given" for name, port in private.items()}


def _write(path: Path, content: JsonObject) -> None:
    write_atomic(path, json.dumps(content, ensure_ascii=False).encode())


if __name__ == "__main__":
    main()
