"""Logging: one line per action with its fields. Identifiers only: never a name, an address or a result."""

from __future__ import annotations

import sys

import structlog

__all__ = ["configure_logs", "log", "silence_logs"]


def configure_logs(*, json: bool | None = None) -> None:
    """Log to stderr: for people on a terminal, as JSON lines otherwise."""
    as_json = not sys.stderr.isatty() if json is None else json
    renderer = structlog.processors.JSONRenderer() if as_json else structlog.dev.ConsoleRenderer()
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.ExceptionRenderer(
                structlog.tracebacks.ExceptionDictTransformer(show_locals=False)
            )
            if as_json
            else structlog.processors.StackInfoRenderer(),
            renderer,
        ],
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=True,
    )


def silence_logs() -> None:
    """Say nothing but errors: for a rehearsal, whose hundreds of steps tell their story in tables."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(40))


log: structlog.stdlib.BoundLogger = structlog.get_logger()
