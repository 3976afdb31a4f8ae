"""The only reader of `app.yaml` and of the environment: `load` gives a `Config` or every mistake."""

from bot.config.clusters import cluster_settings
from bot.config.config import Config
from bot.config.definitions import Wrong, definition, job_of
from bot.config.loading import load
from bot.config.repository_files import Owner, RepositoryDefinitions, Taken, WrongFile, narrowed
from bot.config.repository_files import definitions_of as repository_definitions
from bot.config.repository_rules import FILE, prefix_of
from bot.config.settings import Builder, Container, Engine, GitHub, Kubernetes, Limits, Logs, Process, Slack
from bot.config.written import DefinitionText, definitions_of

__all__ = [
    "FILE",
    "Builder",
    "Config",
    "Container",
    "DefinitionText",
    "Engine",
    "GitHub",
    "Kubernetes",
    "Limits",
    "Logs",
    "Owner",
    "Process",
    "RepositoryDefinitions",
    "Slack",
    "Taken",
    "Wrong",
    "WrongFile",
    "cluster_settings",
    "definition",
    "definitions_of",
    "job_of",
    "load",
    "narrowed",
    "prefix_of",
    "repository_definitions",
]
