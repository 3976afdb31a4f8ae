"""What somebody filled in is checked as a whole: all that is wrong, each at its field."""

from bot.catalog.catalog import Job
from bot.catalog.images import Image
from bot.catalog.parameters import Parameter
from bot.handlers.entries import FormText, check_entry

JOB = Job(
    name="report",
    image="tools",
    command="true",
    parameters={"COUNT": Parameter(type="integer", maximum=5), "NAME": Parameter(required=True)},
)
TOOLS = Image(name="tools", reference="ghcr.io/acme/tools:1")


def test_everything_that_is_wrong_is_told_at_its_field() -> None:
    entry = check_entry(JOB, TOOLS, FormText({"COUNT": "9", "OTHER": "x"}, "a..b", "no tag", "one 'two"))
    assert entry.mistakes["parameter.COUNT"] == "Expected an integer up to 5."
    assert entry.mistakes["parameter.NAME"] == "Required: text."
    assert "is no parameter of this job" in entry.mistakes["parameter.OTHER"]
    assert entry.mistakes.keys() - {"parameter.COUNT", "parameter.NAME", "parameter.OTHER"} == {
        "ref",
        "image_tag",
        "arguments",
    }


def test_arguments_that_the_job_does_not_take_are_told_beside_wrong_parameters() -> None:
    entry = check_entry(JOB, None, FormText({"COUNT": "x"}, arguments="one"))
    assert set(entry.mistakes) == {"parameter.COUNT", "parameter.NAME", "arguments"}


def test_what_fits_is_asked_for_as_it_was_written() -> None:
    entry = check_entry(JOB, TOOLS, FormText({"COUNT": "05", "NAME": "ada"}, image_tag="2"))
    assert not entry.mistakes
    assert (entry.request.parameters, entry.request.image_tag) == ({"COUNT": "05", "NAME": "ada"}, "2")
