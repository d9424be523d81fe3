"""Logging as JSON on stderr, for Medea and all libraries. Metrics are defined beside the code they measure, but for
`medea_build_info`, which every process shows.
"""

import logging.config
from typing import Any

import structlog
from prometheus_client import Info

from webhook import __version__

Info("medea_build", "What is running").info({"version": __version__})

# These log every step of their work at INFO; Medea logs what matters itself.
_CHATTY = ("alembic", "urllib3", "kubernetes", "pika")


def configure_logging() -> None:
    """Format structlog's and the standard library's log lines in the same way."""
    structlog.configure(
        processors=[*_shared(), structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
    logging.config.dictConfig(logging_config())


def logging_config() -> dict[str, Any]:
    """The standard library's part of it, for `logging.config.dictConfig`."""
    formatter = {
        "()": structlog.stdlib.ProcessorFormatter,
        "foreign_pre_chain": _shared(),
        "processors": [
            structlog.stdlib.ProcessorFormatter.remove_processors_meta,
            structlog.processors.JSONRenderer(),
        ],
    }
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {"json": formatter},
        "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "json"}},
        "root": {"level": "INFO", "handlers": ["stderr"]},
        "loggers": {name: {"level": "WARNING"} for name in _CHATTY},
    }


def _shared() -> list[structlog.typing.Processor]:
    return [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.StackInfoRenderer(),
        structlog.processors.format_exc_info,
    ]
