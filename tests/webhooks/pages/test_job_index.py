"""Which jobs an address asks for, and the addresses that ask for others."""

import pytest

from bot.catalog.catalog import Catalog, Job
from bot.catalog.images import Image
from webhooks.pages.job_index import JobIndex, Wish

IMAGES = {
    "shop": Image.model_validate({"name": "shop", "build": {"repository": "Acme/Shop"}}),
    "tools": Image.model_validate({"name": "tools", "build": {"repository": "acme/shop"}}),
}
JOBS = {
    name: Job(name=name, command="true", image=image, description=description)
    for name, image, description in (
        ("migrate", "shop", "Ändert das Schema"),
        ("backup", None, ""),
        ("report", "tools", "Nightly"),
    )
}
INDEX = JobIndex(Catalog(JOBS, IMAGES))


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ({}, ["backup", "migrate", "report"]),
        ({"q": "SHOP"}, ["migrate", "report"]),
        ({"q": "ändert  mig"}, ["migrate"]),
        ({"q": "nothing of it"}, []),
        ({"repository": "ACME/shop"}, ["migrate", "report"]),
        ({"image": "tools"}, ["report"]),
        ({"image": "Tools"}, []),
        ({"by": "image"}, ["migrate", "report", "backup"]),
    ],
)
def test_jobs_are_found_by_words_repository_and_image(query: dict[str, str], names: list[str]) -> None:
    assert [entry.name for entry in INDEX.found(Wish.of(query), None, [])] == names


def test_only_what_is_seen_and_among_all_is_found_and_offered() -> None:
    assert [entry.name for entry in INDEX.found(Wish(), {"backup", "report"}, [{"report", "migrate"}])] == [
        "report"
    ]
    assert INDEX.values_of("repository", None) == ["Acme/Shop"]
    assert INDEX.values_of("image", {"report", "backup"}) == ["tools"]


@pytest.mark.parametrize(
    "query",
    [
        {"result": "excellent"},
        {"by": "colour"},
        {"page": "-1"},
        {"page": "²"},
        {"page": "9" * 40},
        {"paused": "2"},
    ],
)
def test_what_cannot_be_asked_for_counts_for_nothing(query: dict[str, str]) -> None:
    assert Wish.of(query) == Wish()


def test_addresses_keep_what_else_is_asked_for_and_begin_at_the_first_page() -> None:
    wish = Wish.of({"q": "a&b=c", "result": "failed", "paused": "1", "page": "3"})
    assert wish.address(page=4) == "/jobs?q=a%26b%3Dc&result=failed&paused=1&page=4"
    assert wish.address(result="") == "/jobs?q=a%26b%3Dc&paused=1"
    assert wish.toggled("paused") == "/jobs?q=a%26b%3Dc&result=failed"
    assert wish.toggled("locked") == "/jobs?q=a%26b%3Dc&result=failed&paused=1&locked=1"
    assert Wish().address() == Wish.of({"locked": "1"}).toggled("locked") == "/jobs"
