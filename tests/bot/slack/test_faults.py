"""What has to be mended in Slack is told once, and again after it was good."""

from pathlib import Path

import pytest
from structlog.testing import capture_logs

from bot.slack import faults
from bot.slack.faults import POST, Call, Faults
from bot.telemetry.metrics import REGISTRY

OPS, DEV = Call(POST, "C1", "#ops"), Call(POST, "C2", "#dev")


def _open(error: str) -> float:
    return REGISTRY.get_sample_value("errand_slack_faults", {"error": error}) or 0.0


def test_fault_is_told_once_a_channel_and_again_after_it_was_good() -> None:
    told, before = Faults(), _open("not_in_channel")
    with capture_logs() as lines:
        for call in (OPS, OPS, DEV, OPS):
            fault = told.note("not_in_channel", call)
            assert str(getattr(fault, "status", None)) == "not_in_channel"
        assert _open("not_in_channel") == before + 2
        told.clear(OPS)
        assert _open("not_in_channel") == before + 1
        told.note("not_in_channel", OPS)
    said = [line["what"] for line in lines if line["event"] == "slack.fault"]
    assert ["#ops" in each for each in said] == [True, False, True]
    assert [line["where"] for line in lines if line["event"] == "slack.mended"] == ["C1"]
    told.clear(OPS)
    told.clear(DEV)


def test_reading_a_channel_does_not_show_that_errand_is_back_in_it() -> None:
    told = Faults()
    with capture_logs() as lines:
        told.note("not_in_channel", OPS)
        told.clear(Call("conversations.info", "C1"))
        told.note("not_in_channel", OPS)
        told.clear(OPS)
    assert [line["event"] for line in lines] == ["slack.fault", "slack.mended"]


def test_revoked_token_is_told_once_for_all_channels_until_anything_works() -> None:
    told = Faults()
    with capture_logs() as lines:
        for call in (OPS, DEV, Call("views.open")):
            told.note("token_revoked", call)
        told.clear(Call("users.info"))
        told.note("token_revoked", DEV)
    assert [line["event"] for line in lines] == ["slack.fault", "slack.mended", "slack.fault"]
    told.clear(OPS)


def test_missing_scope_is_told_for_each_method() -> None:
    told = Faults()
    with capture_logs() as lines:
        for channel in ("C1", "C2"):
            told.note("missing_scope", Call("conversations.history", channel), needed="channels:history")
        told.note("missing_scope", Call("usergroups.list"), needed="usergroups:read")
        told.clear(Call("usergroups.list"))
    assert [line["event"] for line in lines] == ["slack.fault", "slack.fault", "slack.mended"]
    assert "channels:history" in lines[0]["what"]
    told.clear(Call("conversations.history"))


def test_what_nobody_can_mend_is_no_fault() -> None:
    assert Faults().note("expired_trigger_id", Call("views.open")) is None


def test_faults_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(faults, "MOST", 3)
    told, before = Faults(), _open("is_archived")
    for number in range(5):
        told.note("is_archived", Call(POST, f"C{number}"))
    assert _open("is_archived") == before + 3
    for number in range(5):
        told.clear(Call(POST, f"C{number}"))
    assert _open("is_archived") == before


def test_every_fault_is_documented() -> None:
    page = (Path(__file__).parents[3] / "docs" / "slack.md").read_text()
    assert [error for error in faults.ERRORS if f"`{error}`" not in page] == []


def test_what_may_be_mended_while_something_waits_to_be_said_is_worth_another_look() -> None:
    told = Faults()
    delays = [getattr(told.note(error, OPS), "delay", None) for error in ("token_revoked", "is_archived")]
    told.clear(OPS)
    assert delays == [faults.MEND_S, None]
