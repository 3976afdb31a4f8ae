"""Slack: its Web API (`client`), and what dispatches what it sends (`bolt`), each through one door."""

from bot.slack.client import Slack

__all__ = ["Slack"]
