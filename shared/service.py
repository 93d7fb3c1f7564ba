"""Running a service: one ASGI app in one process, stopped by SIGTERM after its work is done."""

import gc
import os
import ssl
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any, Final, TypeVar

import uvicorn
from fastapi import FastAPI
from pydantic import ValidationError

from shared import logging
from shared.cleartext import refuse_cleartext
from shared.errors import ConfigurationError
from shared.settings import ServiceSettings
from shared.transport import SOON, check_servers, days_left, with_certificates
from shared.web.slow_clients import TimedHttpProtocol

S = TypeVar("S", bound=ServiceSettings)

_YOUNG_OBJECTS: Final = 10_000
"""Objects that come to be between two collections of young ones; 700 by default."""


def main(
    service: str,
    settings_type: type[S],
    build: Callable[[S], FastAPI],
    *,
    prepare: Callable[[], None] = lambda: None,
) -> None:
    """Run a service (`python -m services.<name>`): read settings, prepare the process, build the app, serve it.

    Settings that are secrets may lie in files instead, named like their variables in lower case (`kuji_amqp_url`), in
    the folder KUJI_SECRETS_DIR. A setting that is missing or wrong ends the process with its name, never its value.
    """
    try:
        settings = settings_type(_secrets_dir=os.environ.get("KUJI_SECRETS_DIR"))
        logging.configure(service, settings.log_level)
        refuse_cleartext(settings)
        settings = with_certificates(settings)
        check_servers(settings)
        _tell_of_expiry(settings)
        os.umask(0o077)
        prepare()
        app = build(settings)
    except ValidationError as error:
        wrong = ", ".join(f"KUJI_{'_'.join(map(str, each['loc'])).upper()}: {each['msg']}" for each in error.errors())
        sys.exit(f"{service}: {wrong}")
    except ConfigurationError as error:
        sys.exit(f"{service}: {error}")
    serve(app, settings, service)


def serve(app: FastAPI, settings: ServiceSettings, service: str) -> None:
    """Serve until SIGTERM or SIGINT. The app's lifespan starts the consumers and drains them at the end.

    Access logs are off: a request line may hold ids of people's applications, and no log needs it.
    """
    app.router.lifespan_context = _telling(app, service)
    server = uvicorn.Server(server_config(app, settings))
    spare_collections()
    server.run()
    if not server.started:
        sys.exit(f"{service}: did not start; the lines above say why")


def spare_collections() -> None:
    """Keep the collector of cycles from what it need not look at; it cost a fifth of publishing results.

    What was made until here lives as long as the process, and most of what is made later dies without a collection.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(_YOUNG_OBJECTS)


def server_config(app: FastAPI, settings: ServiceSettings) -> uvicorn.Config:
    """Return the configuration of the server: it believes the front, and no other caller, what it says of clients."""
    has_tls, is_mutual = settings.http_tls != "none", settings.http_tls == "mutual"
    return uvicorn.Config(
        app,
        host=settings.http_host,
        port=settings.http_port,
        http=TimedHttpProtocol,
        access_log=False,
        log_config=None,
        lifespan="on",
        timeout_keep_alive=10,
        timeout_graceful_shutdown=int(settings.shutdown_s),
        server_header=False,
        date_header=False,
        proxy_headers=bool(settings.trusted_proxies),
        forwarded_allow_ips=[str(network) for network in settings.trusted_proxies],
        ssl_certfile=settings.tls_cert_file if has_tls else None,
        ssl_ca_certs=str(settings.tls_ca_file) if has_tls else None,
        ssl_cert_reqs=ssl.CERT_REQUIRED if is_mutual else ssl.CERT_NONE,
    )


def _tell_of_expiry(settings: ServiceSettings) -> None:
    """Log the days that are left to the own certificate, once they are few."""
    if settings.tls_cert_file is not None and (left := days_left(settings.tls_cert_file)) < SOON.days:
        logging.get_logger("service").warning("certificate-ends-soon", days=left)


def _telling(app: FastAPI, service: str) -> Any:
    """Wrap the app's lifespan so that the reason of a failed start is printed to standard error."""
    inner = app.router.lifespan_context

    @asynccontextmanager
    async def lifespan(running: FastAPI) -> AsyncIterator[Any]:
        try:
            async with inner(running) as state:
                yield state
        except ConfigurationError as error:
            sys.stderr.write(f"{service}: {error}\n")
            raise
        except Exception as error:
            logging.get_logger("service").error("stopped-by-error", service=service, **logging.describe(error))
            raise

    return lifespan
