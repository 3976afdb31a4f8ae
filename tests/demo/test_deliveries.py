"""What the demo sends is what GitHub and Slack send: shape by GitHub's schema, signatures by Slack's SDK."""

import hashlib
import hmac
import json
from typing import Any
from urllib.parse import parse_qs

import pytest
from githubkit.webhooks import parse, verify
from slack_sdk.signature import SignatureVerifier

from demo import deliveries

SHA = "a" * 40
SHOP = "acme/shop"


class At:
    """A clock for Slack's verifier."""

    def now(self) -> float:
        return 1000.0


@pytest.mark.parametrize(
    ("event", "payload"),
    [
        ("ping", deliveries.ping(SHOP)),
        ("push", deliveries.push(SHOP, SHA, branch="feature/x", private=True, paths=["a", "b"])),
        ("push", deliveries.push(SHOP, deliveries.ZERO_SHA, before=SHA)),
        ("issue_comment", deliveries.issue_comment(SHOP, 7, 1, "octocat", "/job run x")),
        ("issue_comment", deliveries.issue_comment(SHOP, 7, 1, "octocat", "x", action="edited")),
        ("issue_comment", deliveries.issue_comment(SHOP, 7, 1, "errand[bot]", "x", on_pull=False)),
        ("pull_request", deliveries.pull_request(SHOP, 7, SHA, "topic")),
        ("pull_request", deliveries.pull_request(SHOP, 7, SHA, "topic", action="synchronize")),
        ("pull_request", deliveries.pull_request(SHOP, 7, SHA, "topic", action="closed", private=True)),
    ],
)
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_payload_has_every_field_that_githubs_schema_requires(event: str, payload: dict[str, Any]) -> None:
    parse(event, json.dumps(payload))


@pytest.mark.parametrize("form", [False, True])
def test_github_delivery_is_signed_over_the_raw_body(form: bool) -> None:
    payload = deliveries.push(SHOP, SHA, message="größer & schöner")
    sent = deliveries.github("secret", "push", "guid", payload, form=form)
    assert verify("secret", sent.body, sent.headers["X-Hub-Signature-256"])
    assert not verify("other", sent.body, sent.headers["X-Hub-Signature-256"])
    body = parse_qs(sent.body.decode())["payload"][0] if form else sent.body.decode()
    assert json.loads(body) == payload
    assert (sent.headers["X-GitHub-Event"], sent.headers["X-GitHub-Delivery"]) == ("push", "guid")


def test_slack_command_passes_slacks_own_verifier() -> None:
    fields = deliveries.slash_command(
        "run migrate A=b", trigger="1.2", channel="C1", person="U1", response_url="https://hooks.slack.com/x"
    )
    sent = deliveries.slack("secret", fields, 1000.0)
    verifier = SignatureVerifier("secret", clock=At())  # type: ignore[arg-type]
    assert verifier.is_valid_request(sent.body, sent.headers)
    assert not verifier.is_valid_request(sent.body + b"x", sent.headers)
    assert {key: values[0] for key, values in parse_qs(sent.body.decode()).items()} == fields


def test_old_signature_of_github_is_there_too() -> None:
    expected = "sha1=" + hmac.new(b"secret", b"body", hashlib.sha1).hexdigest()
    assert deliveries.sign_github("secret", b"body")["X-Hub-Signature"] == expected
