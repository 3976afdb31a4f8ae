"""The table of routes: nothing is mounted without a row, and no row promises what is not kept."""

import re
from pathlib import Path

import pytest
from starlette.requests import Request
from starlette.responses import Response

from bot import links
from bot.store import Store
from executor.logs import LogStore
from executor.spec import Secret
from webhooks.access import Access, Visitor
from webhooks.guard import guarded
from webhooks.openapi import document, problems
from webhooks.site import Site
from webhooks.surface import OPERATIONS, Needs, operation

DOCS = (Path(__file__).parents[2] / "docs" / "api.md").read_text()
KEYS = links.derive([Secret("s3cret")])


async def test_route_without_a_row_cannot_be_mounted(store: Store) -> None:
    async def answer(request: Request, visitor: Visitor) -> Response:
        return Response()

    access = Access(store, KEYS, url="http://errand", clock=lambda: 0.0)
    with pytest.raises(LookupError, match="nobody may use it"):
        guarded(access, "/api/secrets", answer)
    with pytest.raises(LookupError, match="nobody may use it"):
        guarded(access, "/api/runs", answer, method="PATCH")


def test_every_route_of_the_api_has_a_row(tmp_path: Path, store: Store) -> None:
    site = Site(store, LogStore(tmp_path, 2**20), KEYS, "http://errand", lambda: 0.0)
    pages = {"/api", "/api/"}  # which tell nothing of this installation
    for route in site.routes():
        if route.path.startswith("/api") and route.path not in pages:
            for method in (route.methods or set()) - {"HEAD"}:
                assert operation(method, route.path.replace(":path}", "}"))


def test_what_changes_something_needs_more_than_reading() -> None:
    weak = {Needs.ANY, Needs.READ, Needs.SEE}
    assert [row.id for row in OPERATIONS if row.method != "GET" and row.needs in weak] == []


def test_operations_are_told_apart() -> None:
    ids = [row.id for row in OPERATIONS]
    assert len(set(ids)) == len(ids) == sum(len(methods) for methods in document()["paths"].values())


@pytest.mark.parametrize("row", OPERATIONS, ids=lambda row: row.id)
def test_operation_is_documented_with_what_it_needs(row: object) -> None:
    assert hasattr(row, "path")
    path = re.sub(r"\{(\w+)\}", lambda found: {"number": "N"}.get(found[1], found[1].upper()), row.path)
    method, needs = getattr(row, "method", ""), getattr(row, "needs", Needs.ANY).value
    assert f"| `{method} {path}` | {needs} |" in DOCS


def test_document_says_of_each_operation_who_may_and_what_can_go_wrong() -> None:
    for row in OPERATIONS:
        told = document()["paths"][row.path][row.method.lower()]
        assert told["x-needs"] == row.needs.value
        assert {"401", "403", "503"} <= set(told["responses"])
        assert [int(status) for status in told["responses"] if int(status) >= 400] == problems(row)
        if row.body is not None:
            assert {"400", "413", "415", "422"} <= set(told["responses"])


def test_references_of_the_document_lead_somewhere() -> None:
    text = str(document())
    names = set(re.findall(r"#/components/schemas/(\w+)", text))
    assert names <= set(document()["components"]["schemas"])
