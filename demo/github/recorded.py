"""What was delivered, or could not be: GitHub keeps it for the App to ask about.

https://docs.github.com/rest/apps/webhooks
"""

from collections.abc import Sequence
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from demo.github.access import ApiError, not_found
from demo.github.endpoints import LARGEST_PAGE, PAGE, Endpoints, Table
from demo.github.shapes import Json, iso
from demo.github.state import Recorded

_VERSION = "v1_"
_TEXTS = {0: "failed to connect to host", 202: "Accepted", 200: "OK"}


class RecordedDeliveries(Endpoints):
    """The newest first, by cursors and not by pages."""

    def table(self) -> Table:
        """The endpoints."""
        return [
            ("GET", "/app/hook/deliveries", self.list_deliveries),
            ("GET", "/app/hook/deliveries/{id:int}", self.get_delivery),
        ]

    async def list_deliveries(self, request: Request) -> Response:
        """https://docs.github.com/rest/apps/webhooks#list-deliveries-for-an-app-webhook"""
        self._access.as_app(request)
        query = request.query_params
        size = min(max(int(query.get("per_page", PAGE)), 1), LARGEST_PAGE)
        below = _number(query["cursor"]) if "cursor" in query else None
        found = [each for each in reversed(self._state.recorded) if below is None or each.id < below]
        if "status" in query:
            failed = query["status"] == "failure"
            found = [each for each in found if (not 200 <= each.status_code < 400) is failed]
        some: Sequence[Recorded] = found[:size]
        response = JSONResponse([self._item(each) for each in some])
        if len(found) > size:
            target = f"{self._shapes.api}/app/hook/deliveries?per_page={size}&cursor={_VERSION}{some[-1].id}"
            response.headers["link"] = f'<{target}>; rel="next"'
        return response

    async def get_delivery(self, request: Request) -> Response:
        """https://docs.github.com/rest/apps/webhooks#get-a-delivery-for-an-app-webhook"""
        self._access.as_app(request)
        number = request.path_params["id"]
        found = next((each for each in self._state.recorded if each.id == number), None)
        if found is None:
            raise not_found()
        headers = {
            "X-GitHub-Delivery": found.guid,
            "X-GitHub-Event": found.event,
            "content-type": "application/json",
        }
        sent = {"headers": headers, "payload": found.payload}
        answer: Json = {"headers": {}, "payload": None}
        return JSONResponse({**self._item(found), "url": "", "request": sent, "response": answer})

    def _item(self, each: Recorded) -> Json:
        repository: Any = each.payload.get("repository") or {}
        return {
            "id": each.id,
            "guid": each.guid,
            "delivered_at": iso(each.at),
            "redelivery": each.redelivery,
            "duration": 0.1,
            "status": _TEXTS.get(each.status_code, f"Invalid HTTP Response: {each.status_code}"),
            "status_code": each.status_code,
            "event": each.event,
            "action": each.payload.get("action"),
            "installation_id": None,
            "repository_id": repository.get("id"),
            "throttled_at": None,
        }


def _number(cursor: str) -> int:
    number = cursor.removeprefix(_VERSION)
    if not cursor.startswith(_VERSION) or not number.isdecimal():
        raise ApiError(422, "Invalid cursor")
    return int(number)
