"""Problem documents have the shape of RFC 9457."""

import json
from pathlib import Path

import pytest

from bot.errors import AskerError, Elsewhere, Missing, NotAllowed, NotAlone, ProblemType, Unfit, Unmet
from webhooks.api.problems import Problem, away, missing, of_asker, unauthorized, wrong


def test_problem_is_a_document_of_its_status() -> None:
    answer = Problem(404, "There is no run #7.").response()

    assert answer.status_code == 404
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.headers["cache-control"] == "no-store"
    assert json.loads(bytes(answer.body)) == {
        "type": "about:blank",
        "title": "Not Found",
        "status": 404,
        "detail": "There is no run #7.",
    }


def test_problem_carries_its_headers() -> None:
    assert unauthorized().response().headers["www-authenticate"].startswith("Bearer ")
    assert away().response().headers["retry-after"] == "5"
    assert str(Problem(400, "limit: expected a number.")) == "limit: expected a number."


@pytest.mark.parametrize(
    ("answer", "status", "kind"),
    [
        (of_asker(AskerError("no")), 409, ProblemType.NOT_POSSIBLE),
        (of_asker(NotAllowed("no")), 409, ProblemType.NOT_ALLOWED),
        (of_asker(NotAlone("no", {})), 409, ProblemType.NOT_ALONE),
        (of_asker(Missing("no", ProblemType.NO_SUCH_IMAGE)), 404, ProblemType.NO_SUCH_IMAGE),
        (of_asker(Unfit("no", [(("parameters", "A"), "no")])), 422, ProblemType.UNFIT),
        (of_asker(Unmet("no")), 412, ProblemType.UNTYPED),
        (of_asker(Elsewhere("no")), 503, ProblemType.UNTYPED),
        (wrong([("/a", "no")]), 422, ProblemType.INVALID),
        (missing("builds", 1), 404, ProblemType.NO_SUCH_BUILD),
        (missing("runs", 1), 404, ProblemType.NO_SUCH_RUN),
        (unauthorized(), 401, ProblemType.UNTYPED),
    ],
)
def test_programs_tell_problems_by_type(answer: Problem, status: int, kind: ProblemType) -> None:
    document = json.loads(bytes(answer.response().body))
    assert (document["status"], document["type"]) == (status, kind)


def test_every_type_is_documented() -> None:
    documented = (Path(__file__).parents[3] / "docs/api.md").read_text()
    assert [kind for kind in ProblemType if f"`{kind}`" not in documented] == []
