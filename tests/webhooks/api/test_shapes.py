"""Models of answers: where their fields come from, and how times and addresses are written."""

from types import SimpleNamespace

import pytest

from webhooks.api.shapes import Moment, Seconds, Shape, Url, page_url

URL = "https://errand.example.com"


class Visit(Shape):
    """A shape with a field of each kind."""

    number: int
    at: Moment | None
    took_s: Seconds
    url: Url = page_url("visits")


class Visits(Shape):
    """Shapes within one."""

    visits: list[Visit]


def test_fields_are_the_attributes_of_what_is_shown() -> None:
    row = SimpleNamespace(number=7, at=1_700_000_000.0, took_s=0.12345, secret="hidden")
    assert Visit.of(row).model_dump(context=URL) == {
        "number": 7,
        "at": "2023-11-14T22:13:20.000Z",
        "took_s": 0.123,
        "url": f"{URL}/visits/7",
    }


def test_what_is_no_attribute_is_given_and_goes_before_one_that_is() -> None:
    row = SimpleNamespace(number=7, took_s=1.0)
    assert Visit.of(row, at=None, took_s=2.0) == Visit(number=7, at=None, took_s=2.0)


def test_shapes_within_shapes_fill_themselves() -> None:
    row = SimpleNamespace(number=7, at=None, took_s=1.0)
    assert Visits.of(visits=[row]).visits == [Visit.of(row)]


def test_field_that_comes_from_nowhere_is_a_mistake_of_the_program() -> None:
    with pytest.raises(AttributeError, match="took_s"):
        Visit.of(SimpleNamespace(number=7, at=None))
