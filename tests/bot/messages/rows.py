"""A run and a build as they ended, of which tests change what they are about."""

from typing import Any

from bot.tables import Build, Run

NOW = 1_800_000_000.0


def run(**fields: Any) -> Run:
    """One that succeeded."""
    values: dict[str, Any] = {
        "number": 142,
        "key": "k",
        "name": "n",
        "job": "migrate",
        "repository": "acme/shop",
        "commit": "a" * 40,
        "cause": "comment",
        "actor": "github:octocat",
        "state": "finished",
        "result": "succeeded",
        "exit_code": 0,
        "created_at": NOW - 80,
        "started_at": NOW - 72,
        "finished_at": NOW,
    }
    return Run(**{**values, **fields})


def build(**fields: Any) -> Build:
    """One of an image."""
    values: dict[str, Any] = {
        "number": 12,
        "key": "k",
        "name": "n",
        "image": "shop",
        "repository": "acme/shop",
        "commit": "b" * 40,
        "cause": "push",
        "actor": "github:octocat",
        "created_at": NOW - 80,
    }
    return Build(**{**values, **fields})
