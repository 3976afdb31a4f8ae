"""The GitHub App that an `app.yaml` needs: its permissions, its events, and its manifest.

https://docs.github.com/apps/sharing-github-apps/registering-a-github-app-from-a-manifest
https://docs.github.com/webhooks/webhook-events-and-payloads says which permission an event takes.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from ipaddress import ip_address
from urllib.parse import urlsplit

from bot.access.principals import Kind, Principal
from bot.catalog.requirements import code_of
from bot.config.config import Config

HOOK = "/webhooks/github"
"""Where deliveries go, below the address of the installation."""
CALLBACK = "/login/github/callback"
"""Where GitHub sends people back who log in, below the address of the installation."""
UNREACHED = "https://errand.invalid"
"""Stands for an address where there is none: GitHub wants one, and keeps what it could not deliver."""

CLOUD = "https://api.github.com"
"""The API of GitHub itself."""

_LEVELS = ("read", "write")
_ALWAYS: Mapping[str, str] = {
    "metadata": "read",
    "contents": "read",
    "issues": "write",
    "pull_requests": "write",
    "checks": "write",
}
_HEARD = (
    "issue_comment",
    "pull_request",
    "pull_request_review",
    "pull_request_review_comment",
    "check_run",
    "check_suite",
    "repository",
)
"""Comments, ends of pull requests, texts of reviews, buttons of check runs, new names of repositories."""
_OF_EVENTS: Mapping[str, Mapping[str, str]] = {
    "push": {},
    "deployment": {"deployments": "write"},
    "deployment_status": {"deployments": "read"},
    "deployment_protection_rule": {"deployments": "write"},
    "release": {},
    "pull_request": {},
    "workflow_run": {"actions": "read"},
    "merge_group": {"merge_queues": "read"},
    "repository_dispatch": {},
}
"""What an event that jobs name in `on` takes beyond `_ALWAYS`."""


@dataclass(frozen=True, slots=True)
class AppNeeds:
    """`permissions`, `read` or `write` by name; `events` as GitHub calls them, sorted."""

    permissions: Mapping[str, str]
    events: tuple[str, ...]

    def beyond(self, permissions: Mapping[str, str], events: tuple[str, ...]) -> Iterator[str]:
        """What of it an App lacks that has these, in words."""
        for name, level in self.permissions.items():
            has = permissions.get(name)
            if has not in (*_LEVELS[_LEVELS.index(level) :], "admin"):
                yield f"the permission {name}: {level}" + (f" (it has {has})" if has else "")
        for event in self.events:
            if event not in events:
                yield f"the event {event}"


def needs(config: Config) -> AppNeeds:
    """What the App has to be allowed and to hear for all that `config` names."""
    named = {
        entry if isinstance(entry, str) else entry.event for job in config.jobs.values() for entry in job.on
    }
    if any(image.build for image in config.images.values()):
        named.add("push")
    if config.repository_jobs:
        named |= {"push", "pull_request"}
    permissions = dict(_ALWAYS)
    if any(code_of(entry) == "checks" for job in config.jobs.values() for entry in job.requires):
        permissions["statuses"] = "read"
    visitors = (*config.pages.access, *config.pages.admins, *config.audit.readers, *config.named)
    by_email = config.slack is not None and config.slack.email_domains
    if by_email or any(each.kind is Kind.ORG for each in visitors):
        permissions["members"] = "read"
    for event in sorted(named):
        for name, level in _OF_EVENTS[event].items():
            permissions[name] = max(level, permissions.get(name, level), key=_LEVELS.index)
    return AppNeeds(permissions, tuple(sorted({*_HEARD, *named})))


def teams_of(config: Config) -> list[Principal]:
    """The teams that rules and `pages` name, each once."""
    named = (*config.pages.access, *config.pages.admins, *config.named)
    return [each for each in dict.fromkeys(named) if each.team is not None]


def manifest(config: Config, *, redirect: str | None = None) -> dict[str, object]:
    """What GitHub makes the App of; `redirect` is where it sends the browser afterwards."""
    reached = config.url if is_public(config.url) else UNREACHED
    app_needs = needs(config)
    shown: dict[str, object] = {
        "name": _name(config),
        "description": "Runs the team's jobs when somebody asks for them, and brings the answer back.",
        "url": reached,
        "public": False,
        "callback_urls": [config.url + CALLBACK],
        "hook_attributes": {"url": reached + HOOK, "active": True},
        "default_permissions": dict(app_needs.permissions),
        "default_events": list(app_needs.events),
    }
    return shown | ({"redirect_url": redirect} if redirect else {})


def _name(config: Config) -> str:
    """One that others hardly have: GitHub wants it to be nobody else's, and lets people change it there."""
    words = urlsplit(config.url).hostname or "" if is_public(config.url) else ""
    if not words:
        builds = [image.repository for image in config.images.values() if image.repository]
        words = builds[0].partition("/")[0] if builds else ""
    return f"errand-{words}".replace(".", "-")[:34].rstrip("-")


def is_public(url: str) -> bool:
    """Whether GitHub may reach it, as far as its name tells."""
    host = urlsplit(url).hostname or ""
    return not is_loopback(host) and not host.endswith((".localhost", ".local", ".internal", ".invalid"))


def is_loopback(host: str | None) -> bool:
    """Whether it is this machine: `127.0.0.1.example.com` is a name that anybody may have lead here."""
    try:
        return host == "localhost" or ip_address(host or "").is_loopback
    except ValueError:
        return False


def web_url(api_url: str) -> str:
    """Where people see the GitHub whose API is at `api_url`.

    `https://api.github.com`, `https://HOST/api/v3` on Enterprise Server, `https://api.NAME.ghe.com` with data
    residency: https://docs.github.com/rest/using-the-rest-api/getting-started-with-the-rest-api
    """
    parts = urlsplit(api_url)
    is_cloud = parts.netloc == "api.github.com" or parts.netloc.endswith(".ghe.com")
    return f"{parts.scheme}://{parts.netloc.removeprefix('api.') if is_cloud else parts.netloc}"
