"""The operator's log on stderr: one event per line, JSON where nobody watches, and no secret in it.

It is masked as the logs of runs are, since it quotes them, and what programs and servers said of a failure.
"""

import logging
import sys
import threading
from collections.abc import Iterable, MutableMapping
from typing import Any, TextIO

import structlog
from structlog.typing import Processor

from executor.logs.lines import LineMask
from executor.spec import Secret

SHORTEST = 4
"""Characters of the shortest secret that is looked for; shorter ones would mask half of every line."""


LATER = 8
"""Characters of the shortest value of a job that is looked for: jobs take words such as `info`, too."""

MOST = 1000
"""Values of jobs that are looked for at once; the oldest go first."""

MOST_BYTES = 16 * 2**20
"""Bytes of all ways to write these and those of the configuration; the oldest values of jobs go first."""


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
        _mask.fields,
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
    for chatty in ("httpx", "httpcore", "alembic", "slack_bolt", "slack_sdk"):
        logging.getLogger(chatty).setLevel(logging.WARNING)
    # It warns of each request that is not well formed or asks for a WebSocket: anybody could fill the log.
    logging.getLogger("uvicorn.error").setLevel(logging.ERROR)


def mask(secrets: Iterable[Secret]) -> None:
    """Look for these from now on as well: values that a job is given, whatever defined it and when."""
    _mask.add(secrets)


class _Mask:
    """The last step: whatever the line is made of, a secret in it is masked."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._lines = LineMask()
        self._fixed: set[str] = set()
        self._later: dict[str, None] = {}

    def begin(self, secrets: Iterable[Secret]) -> None:
        """Look for these only."""
        with self._lock:
            self._fixed = {value for secret in secrets if len(value := secret.reveal().strip()) >= SHORTEST}
            self._later = {}
            self._lines = LineMask()
            for value in self._fixed:
                self._lines.add(value.encode(errors="replace"))

    def add(self, secrets: Iterable[Secret]) -> None:
        """Look for these besides."""
        with self._lock:
            for secret in secrets:
                value = secret.reveal().strip()
                if len(value) >= LATER and value not in self._later and value not in self._fixed:
                    self._later[value] = None
                    self._lines.add(value.encode(errors="replace"))
                    self._shrink()

    def _shrink(self) -> None:
        while len(self._later) > MOST or (len(self._later) > 1 and self._lines.size > MOST_BYTES):
            oldest = next(iter(self._later))
            del self._later[oldest]
            self._lines.remove(oldest.encode(errors="replace"))

    def fields(self, logger: Any, name: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
        """Before the line is made: what has colours or line ends, which are written in other ways there."""
        with self._lock:
            for key, value in event.items():
                if key != "exc_info":  # which the terminal's renderer needs, and whose text is masked last
                    event[key] = self._within(value)
        return event

    def __call__(self, logger: Any, name: str, line: MutableMapping[str, Any] | str) -> str:
        with self._lock:
            return self._lines.masked(str(line))

    def _within(self, value: Any) -> Any:
        if isinstance(value, str):
            return value if value.isascii() and value.isprintable() else self._lines.masked(value)
        if isinstance(value, list | tuple):
            return [self._within(each) for each in value]
        if isinstance(value, dict):
            return {key: self._within(each) for key, each in value.items()}
        if value is None or isinstance(value, int | float):
            return value
        text = str(value)
        return value if (masked := self._within(text)) == text else masked


_mask = _Mask()
