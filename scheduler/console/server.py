"""The console as a process of its own."""

from __future__ import annotations

import uvicorn
from starlette.types import ASGIApp
from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware

from config.settings import ConsoleSettings
from scheduler.console.application import make_application
from scheduler.console.desk import Desk
from scheduler.console.routes import PAGES

__all__ = ["behind_proxies", "serve"]


def behind_proxies(app: ASGIApp, settings: ConsoleSettings) -> ASGIApp:
    """The application; what the trusted proxies say of scheme and address is believed, and nobody else."""
    if not settings.trusted_proxies:
        return app
    return ProxyHeadersMiddleware(app, trusted_hosts=list(settings.trusted_proxies))  # type: ignore[arg-type,return-value]


def serve(desk: Desk, host: str, port: int) -> None:
    """Serve every page until SIGTERM or SIGINT."""
    uvicorn.run(
        behind_proxies(make_application(desk, PAGES), desk.settings.console),
        host=host,
        port=port,
        proxy_headers=False,
        server_header=False,
        access_log=False,
        log_config=None,
        log_level="warning",
        lifespan="off",
        timeout_graceful_shutdown=5,
    )
