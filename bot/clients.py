"""Who Errand speaks with, as `app.yaml` says it, and the secrets by which it knows them."""

import time
from collections.abc import Callable
from urllib.parse import unquote, urlsplit

from bot.access import workflows
from bot.config import Config, github_app
from bot.github import AppClient, GitHub, Keys, Logins, Lookup, Oidc
from bot.slack import Slack
from executor.spec import Secret


def door_secrets(config: Config) -> list[Secret]:
    """What proves who GitHub and Slack are; links and sessions are signed with keys made from it."""
    found = list(config.github.webhook_secret) if config.github else []
    if config.slack:
        found += config.slack.signing_secret
        found += [config.slack.app_token] if config.slack.app_token else []
    return found


def secrets(config: Config) -> list[Secret]:
    """What no log line may show."""
    database = config.database.reveal()
    found = [*door_secrets(config), config.database, Secret(unquote(urlsplit(database).password or ""))]
    if config.github:
        found += [
            secret
            for secret in (config.github.private_key, config.github.token, config.github.client_secret)
            if secret
        ]
    if config.slack:
        found.append(config.slack.bot_token)
    return found


def github(config: Config, clock: Callable[[], float], known: Lookup) -> GitHub | None:
    """GitHub, where it is configured; `known` are the repositories whose numbers are known."""
    if config.github is None:
        return None
    return GitHub(
        api_url=config.github.api_url,
        app_id=config.github.app_id,
        private_key=config.github.private_key,
        token=config.github.token,
        clone_url=config.github.fetch_url,
        clock=clock,
        known=known,
    )


def oidc(config: Config, clock: Callable[[], float]) -> Oidc:
    """Who workflows of GitHub Actions are; jobs may have rules for them without anything else of GitHub's."""
    issuer = config.github.issuer if config.github else workflows.ISSUER
    return Oidc(Keys(issuer, clock=time.monotonic), audience=config.url, clock=clock)


def logins(config: Config, clock: Callable[[], float]) -> Logins | None:
    """How people log in, where the App's client is known."""
    client = app_client(config)
    return None if client is None else Logins(client, clock)


def app_client(config: Config) -> AppClient | None:
    """The App as people log in by it, where that is configured."""
    section = config.github
    if section is None or section.client_id is None or section.client_secret is None:
        return None
    web = github_app.web_url(section.api_url)
    return AppClient(web, section.api_url, section.client_id, section.client_secret)


def slack(config: Config, clock: Callable[[], float]) -> Slack | None:
    """Slack, where it is configured."""
    if config.slack is None:
        return None
    return Slack(api_url=config.slack.api_url, bot_token=config.slack.bot_token, clock=clock)
