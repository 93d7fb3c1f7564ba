"""The TLS front of compose, run by Debian's Caddy: HTTPS for each service, and the client's real address."""

from pathlib import Path

CADDYFILE = Path("deploy/front/Caddyfile")
SERVICES = ("intake", "lottery", "notifier", "vault")
SECRET = "an-assertion-that-no-log-may-hold"
