"""The broker of compose listens for Erlang on loopback only, on no network that services share."""

import os
from pathlib import Path

import psutil

from deploy.local.paths import ROOT
from deploy.local.ports import free_ports
from deploy.local.processes import Child, Watchdog, await_port
from deploy.local.rabbitmq import SERVER

_ENVIRONMENT = ROOT / "deploy" / "rabbitmq" / "rabbitmq-env.conf"


def test_with_composes_settings_erlangs_ports_are_on_loopback(tmp_path: Path, watchdog: Watchdog) -> None:
    amqp, distribution, mapper = free_ports(3)
    (tmp_path / "plugins").write_text("[].")
    (tmp_path / "rabbitmq.conf").write_text(f"listeners.tcp.1 = 0.0.0.0:{amqp}\nlog.console = false\n")
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": str(tmp_path),
        "LANG": "C.UTF-8",
        "ERL_EPMD_PORT": str(mapper),
        "RABBITMQ_NODENAME": f"kuji-{amqp}@localhost",
        "RABBITMQ_DIST_PORT": str(distribution),
        "RABBITMQ_CONF_ENV_FILE": str(_ENVIRONMENT),
        "RABBITMQ_MNESIA_BASE": str(tmp_path / "data"),
        "RABBITMQ_LOG_BASE": str(tmp_path / "log"),
        "RABBITMQ_PID_FILE": str(tmp_path / "pid"),
        "RABBITMQ_ENABLED_PLUGINS_FILE": str(tmp_path / "plugins"),
        "RABBITMQ_CONFIG_FILE": str(tmp_path / "rabbitmq.conf"),
    }
    log = tmp_path / "server.log"
    broker = Child.start("rabbitmq", [SERVER], env=environment, log=log, watchdog=watchdog, cwd=tmp_path)
    found: list[tuple[int, str, int | None]] = []
    try:
        await_port(broker, amqp, timeout_s=60)
        wanted = {amqp, distribution, mapper}
        listening = [(one.laddr, one.pid) for one in psutil.net_connections("tcp") if one.status == psutil.CONN_LISTEN]
        found = [(address.port, address.ip, pid) for address, pid in listening if address.port in wanted]
        assert {port for port, _, _ in found} == wanted
        assert {ip for port, ip, _ in found if port in {distribution, mapper}} <= {"127.0.0.1", "::1"}
    finally:
        broker.stop(timeout_s=5)
        mappers = {pid for port, _, pid in found if port == mapper and pid is not None}
        for pid in mappers:  # the broker starts it apart from itself
            psutil.Process(pid).kill()
