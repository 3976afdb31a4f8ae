"""What a service says of a definition is told where it stands in the text that it was sent from."""

import json
from pathlib import Path

import pytest

from bot.config import Wrong, definitions_of, job_of, load
from bot.config.findings import Invalid
from terminal import places


def _sent(text: bytes, tmp_path: Path) -> list[str]:
    """What is told of every mistake that the service finds in the definitions of a text."""
    sound = tmp_path / "sound.yaml"
    sound.write_text("jobs: {sound: {command: x}}")
    config, told = load(sound, {}), []
    written = definitions_of("jobs.yaml", text)
    for name, definition in written.jobs.items():
        try:
            job_of(json.dumps(definition).encode(), name, config)
        except Wrong as error:
            for pointer, what in error.mistakes:
                told.append(str(written.finding(name, places.place(f"#{pointer}"), what)))
    return told


BAD = {
    "a value": "jobs:\n  one:\n    command: x\n    timeout: 0\n",
    "a key": "jobs:\n  one:\n    command: x\n    timeuot: 5m\n",
    "in braces": "jobs: {one: {command: x, keep: 0}, two: {command: y, retries: 99}}\n",
    "in quotes": 'jobs:\n  "one":\n    "command": x\n    "timeout" :   "soon"\n',
    "in a list": "jobs:\n  one:\n    command: [x, 1]\n",
    "in a mapping": "jobs:\n  one:\n    command: x\n    parameters:\n      A: {type: intger}\n",
    "in a schedule": "jobs:\n  one:\n    command: x\n    schedule:\n     cron: 61 * * * *\n     zone: UTC\n",
    "nothing that it needs": "jobs:\n  one: {timeout: 5m}\n",
    "behind an anchor": "jobs:\n  one: {command: x, env: &e {A: [1]}}\n  two: {command: y, env: *e}\n",
    "with other ends of lines": "jobs:\r\n  one:\r\n    command: x\r\n    grace: long\r\n",
    "as JSON": '{"jobs": {"one": {"command": "x",\n  "timeout": "soon"}}}',
    "behind what is not ASCII": "jobs:\n  one: {description: größe 🚀, command: x, keep: 0}\n",
    "an image": "jobs:\n  one: {image: nowhere, command: x}\n",
}


@pytest.mark.parametrize("text", BAD.values(), ids=BAD.keys())
def test_mistake_is_told_where_the_file_of_an_installation_would_have_it(text: str, tmp_path: Path) -> None:
    own = tmp_path / "app.yaml"
    own.write_bytes(text.encode())
    with pytest.raises(Invalid) as error:
        load(own, {})
    expected = [str(each).removeprefix(f"{own}:") for each in error.value.findings]
    assert sorted(_sent(text.encode(), tmp_path)) == sorted(f"jobs.yaml:{each}" for each in expected)


def test_job_that_stands_alone_is_told_by_its_own_keys(tmp_path: Path) -> None:
    assert _sent(b"name: one\ncommand: x\nenv:\n  A: [1]\nkeep: 0\n", tmp_path) == [
        'jobs.yaml:4:6: env.A: expected a text; put it in quotes, such as "true" or "1.10", not a list',
        "jobs.yaml:5:7: keep: expected at least 1, not 0",
    ]


def test_what_was_left_out_is_told_at_the_nearest_thing_that_was_written() -> None:
    written = definitions_of("-", b"jobs:\n  one:\n    schedule: {timezone: UTC}\n")
    assert (
        str(written.finding("one", ("schedule", "cron"), "required"))
        == "-:3:5: jobs.one.schedule.cron: required"
    )
    assert str(written.finding("one", (), "not now")) == "-:2:3: jobs.one: not now"
    assert str(written.finding("one", ("schedule", "9", "x"), "odd")) == "-:3:5: jobs.one.schedule.9.x: odd"
