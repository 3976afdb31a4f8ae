"""Jobs and images: what they may look like, what is said of mistakes, which pushes rebuild."""

import json
from typing import Any

import pytest
from pydantic import ValidationError

from bot import messages
from bot.catalog.catalog import Catalog, Job
from bot.catalog.images import BuildFrom, Image
from bot.errors import AskerError


def _job(**keys: Any) -> Job:
    return Job.model_validate({"name": "migrate", "command": "true"} | keys)


def _image(name: str = "shop", **keys: Any) -> Image:
    return Image(name=name, build=BuildFrom.model_validate({"repository": "acme/shop"} | keys))


JOB = _job(
    parameters={
        "SINCE": {"default": "2024-01-01", "pattern": r"\d{4}-\d{2}-\d{2}"},
        "BATCH": {"type": "integer", "minimum": 1, "maximum": 10000, "default": 500},
        "REGION": {"choices": ["eu", "us"], "required": True},
        "NOTE": {},
    }
)


def test_defaults_complete_what_is_given() -> None:
    assert JOB.resolve({"REGION": "eu", "BATCH": "007"}) == {
        "SINCE": "2024-01-01",
        "BATCH": "7",
        "REGION": "eu",
    }


def test_all_mistakes_are_told_in_one_answer_with_what_is_allowed() -> None:
    with pytest.raises(AskerError) as refused:
        JOB.resolve({"SINCE": "soon", "BATCH": "0", "REGON": "eu"})
    assert str(refused.value).split("\n") == [
        "`migrate` cannot start:",
        "- `REGON` is no parameter of this job. Did you mean `REGION`?",
        r"- `SINCE`: expected text that matches `\d{4}-\d{2}-\d{2}`, not `soon`.",
        "- `BATCH`: expected an integer from 1 up to 10000, not `0`.",
        "- `REGION` is required: one of `eu`, `us`",
        "Parameters of `migrate`: `SINCE`, `BATCH`, `REGION`, `NOTE`.",
    ]


def test_near_choice_is_named() -> None:
    with pytest.raises(AskerError, match="Did you mean `eu`"):
        JOB.resolve({"REGION": "EU"})


def test_text_command_runs_in_a_shell_and_a_list_as_it_is() -> None:
    assert _job(command="a && b").argv() == ("sh", "-c", "a && b")
    assert _job(command=["a", "b c"]).argv() == ("a", "b c")


def test_arguments_follow_a_list_and_reach_a_text_as_its_own() -> None:
    assert _job(command=["a"], arguments=True).argv(("x; y",)) == ("a", "x; y")
    assert _job(command='a "$@"').argv(("x; y",)) == ("sh", "-c", 'a "$@"', "sh", "x; y")


def test_arguments_that_a_text_does_not_use_are_refused() -> None:
    with pytest.raises(AskerError, match="takes no arguments"):
        _job(command="a $HOME").argv(("x",))


def test_frozen_job_is_read_back_as_it_was() -> None:
    job = _job(command=["a", "b"], env={"A": "${B}"}, timeout="1h", mask=["A"], parameters=JOB.parameters)
    stored = json.loads(json.dumps(job.model_dump(mode="json")))
    assert Job.model_validate(stored) == job
    assert stored["env"] == {"A": "${B}"}


@pytest.mark.parametrize("name", ["a", "nightly-backfill", "a1", "1a", "a" * 40])
def test_job_may_be_called(name: str) -> None:
    assert _job(name=name).name == name


@pytest.mark.parametrize("name", ["", "A", "a_b", "-a", "a-", "a.b", "142", "a" * 41, "a/b", "a\n", "ä"])
def test_job_may_not_be_called(name: str) -> None:
    with pytest.raises(ValidationError, match="expected a name of small letters"):
        _job(name=name)


@pytest.mark.parametrize(
    "keys",
    [
        {"command": ""},
        {"command": " \n"},
        {"command": []},
        {"command": [""]},
        {"command": ["a", 1]},
        {"command": {"a": "b"}},
        {"command": "a\0"},
        {"command": ["a", "b\0"]},
        {"command": "a" * 70_000},
        {"timeout": 0},
        {"timeout": "8d"},
        {"timeout": True},
        {"timeout": -1},
        {"timeout": float("nan")},
        {"timeout": None},
        {"grace": "2h"},
        {"workdir": "../x"},
        {"workdir": ""},
        {"env": {"PATH": "x"}},
        {"env": {"A": True}},
        {"env": {"A": 1.1}},
        {"env": {"A": {"secret": "s"}}},
        {"env": {"A": "\0"}},
        {"parameters": {"LD_PRELOAD": {}}},
        {"notify": {"slack": "ops"}},
        {"notify": {"slack": "#a <!channel>"}},
        {"notify": {"when": ["failing"]}},
        {"notify": {"when": ["failed_1"]}},
        {"notify": {"when": ["failed_1001"]}},
        {"notify": {"who": ["slack:<!channel>"]}},
        {"notify": {"who": ["octocat"]}},
        {"notify": {"who": ["slack:@ops> <!channel"]}},
        {"expect": "8d"},
        {"unknown": 1},
    ],
)
def test_definition_that_could_not_run_is_refused(keys: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        _job(**keys)


def test_whole_numbers_in_env_become_text() -> None:
    assert _job(env={"PORT": 8080}).env == {"PORT": "8080"}


def test_help_of_a_job_shows_its_parameters() -> None:
    job = _job(
        description="Apply it",
        parameters={"BATCH": {"type": "integer", "default": 5}, "R": {"required": True}},
    )
    assert messages.job_help(job).split("\n") == [
        "`/job run migrate`: Apply it",
        "",
        "- `BATCH`: an integer, default `5`",
        "- `R`: text, required",
    ]


def test_help_of_a_job_shows_descriptions_as_they_are_written() -> None:
    job = _job(description="Ask @acme/ops", parameters={"A": {"description": "see **#1** <b>"}})
    text = messages.job_help(job)
    assert "@acme" not in text
    assert "**#1**" not in text
    assert " <b>" not in text


def test_unknown_job_and_image_get_the_nearest_name() -> None:
    catalog = Catalog({"migrate": JOB}, {"shop": _image()})
    assert catalog.job("migrate") is JOB
    with pytest.raises(AskerError, match=r"There is no job `migraet`. Did you mean `migrate`\?"):
        catalog.job("migraet")
    with pytest.raises(AskerError, match=r"There is no image `shopp`. Did you mean `shop`\?"):
        catalog.image("shopp")


@pytest.mark.parametrize(
    "repository", ["acme", "acme/", "/shop", "acme/shop/x", "acme/..", "a b/c", "acme/shop\n", "-a/b"]
)
def test_image_is_built_only_from_a_repository(repository: str) -> None:
    with pytest.raises(ValidationError, match="expected a repository"):
        _image(repository=repository)


def test_recipe_of_an_image_is_the_same_whenever_it_is_built() -> None:
    assert _image(branches=[], tags=["v*"], paths=["src/**"]).recipe == _image().recipe
    assert _image(setup="make").recipe != _image().recipe
    assert Image.model_validate(_image(branches=[]).recipe) == _image()


def test_images_of_a_repository_are_found_whatever_the_case() -> None:
    shop, docs = _image(), _image("docs", branches=["docs"])
    other = _image("other", repository="acme/other")
    catalog = Catalog({}, {image.name: image for image in (shop, docs, other)})
    assert catalog.images_of("Acme/Shop") == [shop, docs]


def test_jobs_that_share_an_image_are_known() -> None:
    one, two = _job(image="shop"), _job(name="other")
    assert Catalog({"migrate": one, "other": two}, {"shop": _image()}).jobs_of_image("shop") == [one]


def test_list_takes_arguments_only_where_it_says_so() -> None:
    with pytest.raises(AskerError, match="takes no arguments after `--`; it would with `arguments: true`"):
        _job(command=["pg_dump"]).argv(("--file=/etc/x",))
    assert _job(command=["pg_dump"]).argv() == ("pg_dump",)


def test_text_that_uses_no_arguments_cannot_say_that_it_takes_them() -> None:
    with pytest.raises(ValueError, match="takes arguments by using them"):
        _job(command="a $HOME", arguments=True)
    assert _job(command='a "$@"', arguments=True).argv(("x",))[-1] == "x"


def test_list_that_was_stored_before_that_takes_them_as_it_did() -> None:
    stored = _job(command=["a"]).model_dump(mode="json")
    with pytest.raises(AskerError, match="takes no arguments"):
        Job.frozen(stored).argv(("x",))
    del stored["arguments"]
    assert Job.frozen(stored).argv(("x",)) == ("a", "x")
