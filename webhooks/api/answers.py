"""What the API's halves answer with, and how they read a number in a path."""

import json
import re
from collections.abc import Mapping

from starlette.requests import Request
from starlette.responses import Response

from webhooks.api.problems import Problem
from webhooks.headers import SECURITY

DIGITS = re.compile(r"[0-9]{1,18}", re.ASCII)


def json_answer(
    document: Mapping[str, object], status: int = 200, headers: Mapping[str, str] | None = None
) -> Response:
    """A JSON document that nobody caches."""
    return Response(json.dumps(document), status, {**SECURITY, **(headers or {})}, "application/json")


def path_number(request: Request) -> int:
    """The number of a run or a build in the path; 404 for what is none."""
    digits = request.path_params["number"]
    if not DIGITS.fullmatch(digits) or digits.startswith("0"):
        raise Problem(404, "Runs and builds have numbers, as in /api/runs/142.")
    return int(digits)
