"""What would tell nobody anything is a mistake, where the job says it itself."""

from pathlib import Path

import pytest

from tests.bot.config.files import Files

SLACK = "slack: {bot_token: xoxb-1, signing_secret: s}\n"


@pytest.mark.parametrize(
    ("job", "what"),
    [
        ("notify: {when: [failed]}", "no channel is told of this job: notify.slack names one"),
        ("notify: {who: ['slack:U012AB3CD']}", "no channel is told of this job"),
        ("notify: {slack: '#ops', when: [missed]}", "missed is about a schedule, and this job has none"),
        ("notify: {slack: '#ops', when: [failed]}, expect: 5m", "notify.when has to list slow"),
        ("expect: 5m", "notify.when has to list slow"),
        ("notify: {slack: '#ops', when: [often]}", "expected one of failed, recovered"),
    ],
)
def test_what_tells_nobody_is_a_mistake(tmp_path: Path, job: str, what: str) -> None:
    text = f"{SLACK}jobs: {{a: {{command: x, {job}}}}}"
    assert any(what in line for line in Files({}).mistakes(tmp_path / "app.yaml", text))


def test_defaults_may_say_it_for_others(tmp_path: Path) -> None:
    text = f"{SLACK}defaults: {{notify: {{when: [missed, failed]}}, expect: 5m}}\njobs: {{a: {{command: x}}}}"
    config = Files({}).read(tmp_path / "app.yaml", text)
    assert config.jobs["a"].notify.when == ("missed", "failed")
