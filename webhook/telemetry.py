"""Logging as JSON on stderr, for Medea and all libraries. Metrics are defined beside the code they measure, but for
`medea_build_info`, which every process shows.
"""

import logging
import sys

import structlog
from prometheus_client import Info

from webhook import __version__

Info("medea_build", "What is running").info({"version": __version__})


def configure_logging(level: int = logging.INFO) -> None:
    """Format structlog's and the standard library's log lines in the same way."""
    shared: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.StackInfoRenderer(),
        structlog.processors.format_exc_info,
    ]
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.processors.JSONRenderer(),
            ],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)
    # These log every step of their work at INFO; Medea logs what matters itself.
    for chatty in ("alembic", "urllib3", "kubernetes"):
        logging.getLogger(chatty).setLevel(logging.WARNING)
