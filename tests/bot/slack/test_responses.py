"""Which addresses are Slack's, and that each takes five answers."""

import pytest

from bot.slack.calls import delay_of
from bot.slack.responses import ResponseUrls

COM, GOV = "https://slack.com/api/", "https://slack-gov.com/api/"


def _is_slacks(api: str, url: str) -> bool:
    return ResponseUrls(api, delay_of, lambda: 0.0).is_slacks(url)


@pytest.mark.parametrize(
    ("api", "url"),
    [
        (COM, "https://hooks.slack.com/commands/T1/2/3"),
        (COM, "https://hooks.slack.com:443/actions/T1/2/3"),
        (COM, "HTTPS://HOOKS.SLACK.COM/app/T1/2/3"),
        (GOV, "https://hooks.slack-gov.com/commands/T1/2/3"),
        ("http://127.0.0.1:99/api/", "http://127.0.0.1:99/commands/x"),
        ("https://proxy.example.com/api/", "https://hooks.slack.com/commands/x"),
    ],
)
def test_address_of_slack_is_taken(api: str, url: str) -> None:
    assert _is_slacks(api, url)


@pytest.mark.parametrize(
    ("api", "url"),
    [
        (COM, "https://slack.com/api/chat.postMessage"),
        (COM, "https://hooks.slack-gov.com/commands/T1/2/3"),
        (GOV, "https://hooks.slack.com/commands/T1/2/3"),
        (COM, "https://hooks.slack.com./commands/x"),
        (COM, "https://hooks.slack.com.:443/commands/x"),
        (COM, "https://hooks%2eslack.com/x"),
        (COM, "https://hooks.slack.com%2f.evil.example.com/x"),
        (COM, "https://hooks.slack.com\\.evil.example.com/x"),
        (COM, "https://hooks.slack.com\\@evil.example.com/x"),
        (COM, "https://hooks.slack.com:443@evil.example.com/x"),
        (COM, "https://@hooks.slack.com/x"),
        (COM, "https://:@hooks.slack.com/x"),
        (COM, "https://hooks.slack.com:0/x"),
        (COM, "https://hooks.slack.com:80/x"),
        (COM, "https://hooks.slack.com:٤٤٣/x"),
        (COM, "https://hooks.slack。com/x"),
        (COM, "https://hooks.slac\u212a.com/x"),
        (COM, "https://xn--hooks-slack.com/x"),
        (COM, " https://hooks.slack.com/x"),
        (COM, "https://hooks.slack.com/x y"),
        (COM, "https://hooks.slack.com/\r\nHost: evil.example.com"),
        (COM, "https:/hooks.slack.com/x"),
        (COM, "https:hooks.slack.com/x"),
        (COM, "https:///hooks.slack.com/x"),
        (COM, "https://evil.example.com#@hooks.slack.com/x"),
        (COM, "https://evil.example.com?@hooks.slack.com/x"),
        (COM, "http://hooks.slack.com:443/x"),
        (COM, "ftp://hooks.slack.com/x"),
        ("http://127.0.0.1:99/api/", "http://127.0.0.1:98/commands/x"),
        ("http://127.0.0.1:99/api/", "https://127.0.0.1:99/commands/x"),
        ("http://127.0.0.1:99/api/", "http://localhost:99/commands/x"),
    ],
)
def test_address_of_somebody_else_is_not_taken(api: str, url: str) -> None:
    assert not _is_slacks(api, url)
