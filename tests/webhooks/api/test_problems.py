"""Problem documents have the shape of RFC 9457."""

import json

from webhooks.api.problems import Problem, busy, problem, unauthorized, unavailable


def test_problem_is_a_document_of_its_status() -> None:
    answer = problem(404, "There is no run #7.")

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
    assert unavailable().response().headers["retry-after"] == "5"
    assert busy().response().status_code == 503
    assert str(Problem(400, "limit: expected a number.")) == "limit: expected a number."
