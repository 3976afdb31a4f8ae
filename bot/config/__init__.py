"""The only reader of `app.yaml` and of the environment: `load` gives a `Config` or every mistake."""

from bot.config.config import Config
from bot.config.loading import load
from bot.config.settings import Engine, GitHub, Limits, Logs, Process, Slack

__all__ = ["Config", "Engine", "GitHub", "Limits", "Logs", "Process", "Slack", "load"]
