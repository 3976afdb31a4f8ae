"""The only reader of `app.yaml` and of the environment: `load` gives a `Config` or every mistake."""

from bot.config.config import Config
from bot.config.definitions import Wrong, definition, definitions_in, job_of
from bot.config.loading import load
from bot.config.settings import Container, Engine, GitHub, Limits, Logs, Process, Slack

__all__ = [
    "Config",
    "Container",
    "Engine",
    "GitHub",
    "Limits",
    "Logs",
    "Process",
    "Slack",
    "Wrong",
    "definition",
    "definitions_in",
    "job_of",
    "load",
]
