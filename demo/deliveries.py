"""Deliveries as GitHub and Slack send them, properly signed; pure.

Slash commands: https://docs.slack.dev/interactivity/implementing-slash-commands. Signatures:
https://docs.github.com/webhooks/using-webhooks/validating-webhook-deliveries and
https://docs.slack.dev/authentication/verifying-requests-from-slack
"""

import hashlib
import hmac
import json
from dataclasses import dataclass
from urllib.parse import urlencode

from demo.checks import check_run, check_suite
from demo.entities import Json
from demo.payloads import ZERO_SHA, issue_comment, moved, ping, pull_request, push
from demo.reviews import review, review_comment

__all__ = [
    "ZERO_SHA",
    "Delivery",
    "check_run",
    "check_suite",
    "github",
    "issue_comment",
    "moved",
    "ping",
    "pull_request",
    "push",
    "review",
    "review_comment",
    "sign_github",
    "sign_slack",
    "slack",
    "slash_command",
]


@dataclass(frozen=True, slots=True)
class Delivery:
    """A request to send: headers and raw body."""

    headers: dict[str, str]
    body: bytes


def sign_github(secret: str, body: bytes) -> dict[str, str]:
    """The two signature headers of a GitHub delivery."""
    key = secret.encode()
    return {
        "X-Hub-Signature": "sha1=" + hmac.new(key, body, hashlib.sha1).hexdigest(),
        "X-Hub-Signature-256": "sha256=" + hmac.new(key, body, hashlib.sha256).hexdigest(),
    }


def sign_slack(secret: str, body: bytes, at: float) -> dict[str, str]:
    """The two signature headers of a request by Slack that was made at `at` (epoch seconds)."""
    stamp = str(int(at))
    base = b"v0:" + stamp.encode() + b":" + body
    signature = hmac.new(secret.encode(), base, hashlib.sha256).hexdigest()
    return {"X-Slack-Request-Timestamp": stamp, "X-Slack-Signature": f"v0={signature}"}


def github(secret: str, event: str, delivery: str, payload: Json, *, form: bool = False) -> Delivery:
    """A delivery of GitHub: `delivery` is its id (a GUID), `form` its other content type."""
    text = json.dumps(payload, separators=(",", ":"), ensure_ascii=False)
    body = urlencode({"payload": text}).encode() if form else text.encode()
    headers = {
        "Accept": "*/*",
        "Content-Type": "application/x-www-form-urlencoded" if form else "application/json",
        "User-Agent": "GitHub-Hookshot/044aadd",
        "X-GitHub-Delivery": delivery,
        "X-GitHub-Event": event,
        "X-GitHub-Hook-ID": "292430182",
        "X-GitHub-Hook-Installation-Target-ID": "4711",
        "X-GitHub-Hook-Installation-Target-Type": "integration",
        **sign_github(secret, body),
    }
    return Delivery(headers, body)


def slack(secret: str, fields: dict[str, str], at: float) -> Delivery:
    """A slash command (or any other form) of Slack."""
    body = urlencode(fields).encode()
    headers = {
        "Accept": "application/json,*/*",
        "Content-Type": "application/x-www-form-urlencoded",
        "User-Agent": "Slackbot 1.0 (+https://api.slack.com/robots)",
        **sign_slack(secret, body, at),
    }
    return Delivery(headers, body)


def slash_command(
    text: str,
    *,
    trigger: str,
    channel: str,
    person: str,
    response_url: str,
    command: str = "/job",
) -> dict[str, str]:
    """The form fields of a slash command."""
    return {
        "token": "unused-verification-token",
        "team_id": "T0ACME",
        "team_domain": "acme",
        "channel_id": channel,
        "channel_name": "ops",
        "user_id": person,
        "user_name": "octocat",
        "command": command,
        "text": text,
        "api_app_id": "A0ERRAND",
        "is_enterprise_install": "false",
        "response_url": response_url,
        "trigger_id": trigger,
    }
