"""How durations, moments and actors are said; that every surface says all of it: tests/test_vocabulary.py."""

from zoneinfo import ZoneInfo

import pytest

from bot.text import vocabulary

NOW = 1_800_000_000.0


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (-1, "0s"),
        (0, "0s"),
        (0.04, "0s"),
        (0.42, "0.4s"),
        (1, "1s"),
        (9.94, "9.9s"),
        (9.96, "10s"),
        (59.4, "59s"),
        (59.6, "1m"),
        (72, "1m 12s"),
        (3599.6, "1h"),
        (7500, "2h 5m"),
        (200_000, "2d 7h"),
        (86400 * 3 + 59, "3d"),
    ],
)
def test_durations_have_their_two_largest_units(seconds: float, words: str) -> None:
    assert vocabulary.duration(seconds) == words


def test_moments_have_their_date_and_zone() -> None:
    assert vocabulary.moment(NOW) == "2027-01-15 08:00 UTC"
    assert vocabulary.scheduled(NOW, ZoneInfo("Europe/Helsinki")) == "Fri 2027-01-15 10:00 EET"


@pytest.mark.parametrize(
    ("passed", "words"),
    [
        (0, "just now"),
        (-5, "just now"),
        (59, "just now"),
        (60, "1 minute ago"),
        (7300, "2 hours ago"),
        (86400, "1 day ago"),
        (30 * 86400, "2026-12-16"),
    ],
)
def test_how_long_ago(passed: float, words: str) -> None:
    assert vocabulary.ago(NOW - passed, NOW) == words


@pytest.mark.parametrize(
    ("actor", "cause", "words"),
    [
        ("github:octocat", None, "octocat"),
        ("slack:kim", None, "kim (Slack)"),
        ("slack:kim", "slack", "kim"),
        ("slack:kim", "hook", "kim (Slack)"),
        ("slack:U012AB3CD", "slack", "somebody in Slack"),
        ("token:ci", "api", "ci (API token)"),
        ("hook:migrate/deploys", None, "migrate/deploys (deploy hook)"),
        ("actions:acme/shop@refs/heads/main", "actions", "acme/shop@refs/heads/main"),
        ("terminal:kim", "chat", "kim"),
        ("schedule", "schedule", "schedule"),
        ("clock", None, "clock"),
        ("github:", None, "github:"),
        ("of the future:x", None, "of the future:x"),
    ],
)
def test_actors_are_called_what_people_call_them(actor: str, cause: str | None, words: str) -> None:
    assert vocabulary.who(actor, cause) == words


def test_what_this_version_does_not_know_is_said_as_it_came_and_is_no_success() -> None:
    assert vocabulary.standing("paused", None).label == "paused"
    assert vocabulary.standing("finished", "of the future") == vocabulary.RESULTS[vocabulary.result_of(None)]
    assert vocabulary.how("github:octocat", "rerun") == ""


def test_what_asked_to_stop_a_run_is_named() -> None:
    assert vocabulary.stopper("github:octocat") == "asked by octocat"
    assert vocabulary.stopper("run:143") == "as #143 takes its place"
