"""The table of routes: nothing is mounted without a row, and no row promises what is not kept."""

import re
import sys
from pathlib import Path

import jsonschema_rs
import pytest
from starlette.routing import Route

import service
from bot.access import links
from bot.catalog.catalog import Job
from bot.github import Keys, Oidc
from bot.handlers.refusals import RefusalJournal
from bot.store import Store
from executor.logs.store import LogStore
from executor.spec import Secret
from tests.bot.house import house
from tests.webhooks import sites
from tests.webhooks.whole import served
from webhooks.api.guard import TokenGuard
from webhooks.api.openapi import problems
from webhooks.api.operation import ApiRequest, Needs
from webhooks.api.operations import OPERATIONS, DocumentHandlers, document, routes
from webhooks.streams import Streams

DOCS = (Path(__file__).parents[3] / "docs" / "api.md").read_text()
KEYS = links.derive([Secret("s3cret")])


class Intruder(DocumentHandlers):
    """Handlers of which one has a row, one has none, and one has the name of another class's."""

    async def list_tokens(self, request: ApiRequest) -> None:
        """All secrets."""

    async def list_secrets(self, request: ApiRequest) -> None:
        """All secrets."""


async def _nobody(login: str) -> bool:
    return False


def test_handler_without_a_row_cannot_be_mounted(store: Store, tmp_path: Path) -> None:
    access = sites.site(store, LogStore(tmp_path, 1), KEYS, "http://errand", lambda: 0.0)._access()
    guard = TokenGuard(access, _nobody, RefusalJournal(store, lambda: 0.0))
    mounted = routes([Intruder()], guard, "http://errand")
    assert [each.path for each in mounted] == ["/api/openapi.json"]


def test_every_handler_has_a_row() -> None:
    """One without would be closed, and nobody would hear of it."""
    handlers = [row.handler for row in OPERATIONS]
    classes = {getattr(sys.modules[each.__module__], each.__qualname__.split(".")[0]) for each in handlers}
    methods = {
        method
        for each in classes
        for name, method in vars(each).items()
        if not name.startswith("_") and callable(method)
    }
    assert methods == set(handlers)


async def test_service_serves_every_row_and_nothing_else(tmp_path: Path) -> None:
    """All that is mounted below `/api` and `/hooks`, as the service mounts it."""
    async with house(tmp_path) as home:
        clock = home.tools.clock
        oidc = Oidc(Keys("https://issuer.example.com", clock=clock), audience="http://errand", clock=clock)
        app = service._application(home.bot, Streams(), oidc, None, clock, "")
        assert {type(each) for each in app.routes} == {Route}  # one that has routes within would hide them
        mounted = [
            (method, each.path.replace(":path}", "}"))
            for each in app.routes
            for method in each.methods - {"HEAD"}
            if re.match(r"/+(api|hooks)\b", each.path)
        ]
    pages = [("GET", "/api"), ("GET", "/api/")]  # which tell nothing of this installation
    assert sorted(mounted) == sorted([*pages, *((row.method, row.path) for row in OPERATIONS)])


async def test_nothing_is_open_to_who_brings_no_token(tmp_path: Path) -> None:
    async with house(tmp_path) as home, served(home) as client:
        del client.headers["authorization"]
        for row in (row for row in OPERATIONS if row.needs is not Needs.NOTHING):
            path = re.sub(r"\{\w+\}", "1", row.path)
            answer = await client.request(row.method, path, json={})
            assert (answer.status_code, row) == (401, row)
            assert answer.headers["content-type"] == "application/problem+json"


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


DEFINITION = {
    "command": "./migrate",
    "timeout": "15m",
    "grace": 5,
    "expire": "30d",
    "env": {"WORKERS": 2, "MODE": "fast", "DB": {"secret": "shop-db", "key": "url"}},
    "resources": {"cpu": "250m", "memory": "256Mi"},
    "parameters": {"COUNT": {"type": "integer", "default": 3}, "SIZE": {"choices": [1, 2.5, "x"]}},
    "schedule": {"cron": "@daily", "jitter": "1m"},
    "on": ["push"],
    "setup": None,
}


def test_document_takes_definitions_as_they_are_written() -> None:
    Job.model_validate({"name": "migrate", **DEFINITION})
    schema = {"$ref": "#/components/schemas/Definition", "components": document()["components"]}
    validator = jsonschema_rs.validator_for(schema)
    assert [each.message for each in validator.iter_errors(DEFINITION)] == []
    assert not validator.is_valid({**DEFINITION, "timeout": ["15m"]})


def test_words_that_stand_in_several_places_are_one_type() -> None:
    schemas = document()["components"]["schemas"]
    for shape in ("Run", "Build", "Attempt"):
        assert {"$ref": "#/components/schemas/Result"} in schemas[shape]["properties"]["result"]["anyOf"]
    assert schemas["Holder"]["properties"]["state"] == {"$ref": "#/components/schemas/State"}


def test_what_may_be_left_out_has_no_null_as_a_default() -> None:
    assert "'default': None" not in str(document())


def test_functions_that_are_made_of_the_document_have_names_that_say_what_they_do() -> None:
    for row in OPERATIONS:
        told = document()["paths"][row.path][row.method.lower()]
        assert re.fullmatch(r"[a-z]+(_[a-z]+){0,2}", told["operationId"])
        assert told["tags"] == [row.path.split("/")[2 if row.path.startswith("/api") else 1].split(".")[0]]
