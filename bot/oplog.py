"""The operator's log on stderr: one event per line, JSON where nobody watches, and no secret in it."""

import json
import logging
import sys
from collections.abc import Iterable, MutableMapping
from typing import Any, TextIO

import structlog
from structlog.typing import Processor

from executor.spec import Secret

SHORTEST = 4
"""Characters of the shortest secret that is looked for; shorter ones would mask half of every line."""


def configure(secrets: Iterable[Secret], *, stream: TextIO = sys.stderr, level: int = logging.INFO) -> None:
    """Send all that is logged, by Errand or by a library, to `stream` without the values of `secrets`."""
    render: Processor
    if stream.isatty():
        # Not the renderer's own tracebacks, which show the variables of every frame.
        plain = structlog.dev.plain_traceback
        render = structlog.dev.ConsoleRenderer(pad_event_to=24, exception_formatter=plain)
    else:
        render = structlog.processors.JSONRenderer()
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    last: list[Processor] = [
        structlog.stdlib.ProcessorFormatter.remove_processors_meta,
        structlog.processors.ExceptionRenderer()
        if not stream.isatty()
        else structlog.processors.StackInfoRenderer(),
        render,
        _Mask(secrets),
    ]
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.make_filtering_bound_logger(level),
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(stream)
    handler.setFormatter(structlog.stdlib.ProcessorFormatter(foreign_pre_chain=shared, processors=last))
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)
    for chatty in ("httpx", "httpcore", "alembic", "slack_bolt", "slack_sdk", "uvicorn.error"):
        logging.getLogger(chatty).setLevel(logging.WARNING)


class _Mask:
    """The last step: whatever the line is made of, a secret in it is masked."""

    def __init__(self, secrets: Iterable[Secret]) -> None:
        values = {secret.reveal().strip() for secret in secrets}
        values |= {repr(value)[1:-1] for value in values}  # as an exception shows its arguments
        values |= {json.dumps(value)[1:-1] for value in values}
        self._values = sorted((value for value in values if len(value) >= SHORTEST), key=len, reverse=True)

    def __call__(self, logger: Any, name: str, line: MutableMapping[str, Any] | str) -> str:
        text = str(line)
        for value in self._values:
            text = text.replace(value, "***")
        return text
