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


LATER = 8
"""Characters of the shortest value of a job that is looked for: jobs take words such as `info`, too."""

MOST = 1000
"""Values of jobs that are looked for at once; the oldest go first."""


def configure(secrets: Iterable[Secret], *, stream: TextIO = sys.stderr, level: int = logging.INFO) -> None:
    """Send all that is logged, by Errand or by a library, to `stream` without the values of `secrets`."""
    render: Processor
    _mask.begin(secrets)
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
        _mask,
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


def mask(secrets: Iterable[Secret]) -> None:
    """Look for these from now on as well: values that a job is given, whatever defined it and when."""
    _mask.add(secrets)


class _Mask:
    """The last step: whatever the line is made of, a secret in it is masked."""

    def __init__(self) -> None:
        self._fixed: set[str] = set()
        self._later: dict[str, None] = {}
        self._values: list[str] = []

    def begin(self, secrets: Iterable[Secret]) -> None:
        """Look for these only."""
        self._fixed = {value for secret in secrets if len(value := secret.reveal().strip()) >= SHORTEST}
        self._later = {}
        self._settle()

    def add(self, secrets: Iterable[Secret]) -> None:
        """Look for these besides."""
        values = [value for secret in secrets if len(value := secret.reveal().strip()) >= LATER]
        new = [value for value in values if value not in self._later and value not in self._fixed]
        if new:
            self._later = dict.fromkeys([*self._later, *new][-MOST:])
            self._settle()

    def _settle(self) -> None:
        values = self._fixed | self._later.keys()
        values |= {repr(value)[1:-1] for value in values}  # as an exception shows its arguments
        values |= {json.dumps(value)[1:-1] for value in values}
        self._values = sorted(values, key=len, reverse=True)  # replaced as a whole: threads read it

    def __call__(self, logger: Any, name: str, line: MutableMapping[str, Any] | str) -> str:
        text = str(line)
        for value in self._values:
            text = text.replace(value, "***")
        return text


_mask = _Mask()
