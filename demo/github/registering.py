"""Making an App of a manifest: the page that a browser is sent to, and the code that it brings back.

https://docs.github.com/apps/sharing-github-apps/registering-a-github-app-from-a-manifest
"""

import html
import json
import secrets
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response
from starlette.routing import Route

from demo.github.access import not_found
from demo.github.accounts import Registered
from demo.github.endpoints import Endpoints, Table
from demo.github.shapes import Json

CODE_SECONDS = 3600.0
_HEAD = '<!doctype html><link rel="icon" href="data:,">'
_KEYS = frozenset(
    (
        "name",
        "url",
        "hook_attributes",
        "redirect_url",
        "callback_urls",
        "setup_url",
        "description",
        "public",
        "default_events",
        "default_permissions",
        "request_oauth_on_install",
        "setup_on_update",
    )
)
_TAKES = {
    "check_run": "checks",
    "check_suite": "checks",
    "create": "contents",
    "deployment": "deployments",
    "deployment_protection_rule": "deployments",
    "deployment_status": "deployments",
    "issue_comment": "issues",
    "merge_group": "merge_queues",
    "pull_request": "pull_requests",
    "pull_request_review": "pull_requests",
    "pull_request_review_comment": "pull_requests",
    "push": "contents",
    "release": "contents",
    "repository": "metadata",
    "repository_dispatch": "contents",
    "workflow_run": "actions",
}
"""Which permission an event takes: https://docs.github.com/webhooks/webhook-events-and-payloads"""


class Registering(Endpoints):
    """The pages and the exchange. What is made is the stand-in's own App, as the manifest wants it."""

    def table(self) -> Table:
        """The endpoints."""
        return [
            ("POST", "/app-manifests/{code}/conversions", self.convert),
            ("GET", "/app/hook/config", self.get_hook),
            ("GET", "/app/installations", self.get_installations),
        ]

    def pages(self) -> list[Route]:
        """What a browser sees; no part of the API."""
        return [
            Route("/settings/apps/new", self.ask, methods=["POST"]),
            Route("/organizations/{owner}/settings/apps/new", self.ask, methods=["POST"]),
            Route("/settings/apps/manifest", self.make, methods=["POST"]),
            Route("/apps/{slug}/installations/new", self.install, methods=["GET"]),
        ]

    async def ask(self, request: Request) -> Response:
        """The manifest in a form, which a person has to agree to."""
        fields = parse_qs((await request.body()).decode(), keep_blank_values=True)
        text = fields.get("manifest", [""])[-1]
        problem = _problem(text)
        if problem is not None:
            return HTMLResponse(
                f"<h1>Invalid GitHub App configuration</h1><p>{html.escape(problem)}</p>", 422
            )
        owner = request.path_params.get("owner", "octocat")
        hidden = {"manifest": text, "owner": owner, "state": request.query_params.get("state", "")}
        inputs = "".join(
            f'<input type="hidden" name="{name}" value="{html.escape(value)}">'
            for name, value in hidden.items()
        )
        button = f"<button>Create GitHub App for {html.escape(owner)}</button>"
        form = f'<form method="post" action="/settings/apps/manifest">{inputs}{button}</form>'
        return HTMLResponse(f"{_HEAD}<title>Create GitHub App</title>{form}")

    async def make(self, request: Request) -> Response:
        """Agreed: back to where the manifest says, with a code."""
        fields = {name: each[-1] for name, each in parse_qs((await request.body()).decode()).items()}
        manifest = json.loads(fields["manifest"])
        code = secrets.token_hex(20)
        self._state.codes[code] = Registered(manifest, fields.get("owner", ""), self._clock())
        query = urlencode({"code": code, "state": fields.get("state", "")})
        return RedirectResponse(f"{manifest['redirect_url']}?{query}", 302)

    async def install(self, request: Request) -> Response:
        """Where somebody chooses repositories."""
        return HTMLResponse(f"{_HEAD}<title>Install</title><h1>Install Errand</h1>")

    async def convert(self, request: Request) -> Response:
        """https://docs.github.com/rest/apps/apps#create-a-github-app-from-a-manifest"""
        made = self._state.codes.pop(request.path_params["code"], None)
        if made is None or made.at + CODE_SECONDS < self._clock():
            raise not_found()
        self._state.registered = made
        hook_secret, manifest, client = secrets.token_hex(20), made.manifest, self._state.client
        client.callbacks = list(manifest.get("callback_urls", []))
        answer: Json = self._shapes.app(manifest.get("default_permissions", {})) | {
            "events": manifest.get("default_events", []),
            "external_url": manifest["url"],
            "client_id": client.id,
            "client_secret": client.secret,
            "webhook_secret": hook_secret,
            "pem": self._state.private_key,
        }
        return JSONResponse(answer, 201)

    async def get_hook(self, request: Request) -> Response:
        """https://docs.github.com/rest/apps/webhooks#get-a-webhook-configuration-for-an-app"""
        self._access.as_app(request)
        made = self._state.registered
        url = (
            made.manifest["hook_attributes"]["url"] if made else "https://errand.example.com/webhooks/github"
        )
        return JSONResponse({"content_type": "json", "insecure_ssl": "0", "secret": "********", "url": url})

    async def get_installations(self, request: Request) -> Response:
        """https://docs.github.com/rest/apps/apps#list-installations-for-the-authenticated-app"""
        self._access.as_app(request)
        found = list(self._state.installations.values())
        return self._page(request, found, lambda some: [self._shapes.installation(each) for each in some])


def _problem(text: str) -> str | None:
    """Why GitHub would not make an App of it; None if it would."""
    try:
        manifest = json.loads(text)
    except ValueError:
        return "The manifest is no JSON."
    if not isinstance(manifest, dict) or set(manifest) - _KEYS:
        return "The manifest has keys that are none of a manifest."
    hook = manifest.get("hook_attributes", {})
    callbacks = manifest.get("callback_urls", [])
    if not isinstance(callbacks, list) or len(callbacks) > 10:
        return "callback_urls must be up to ten addresses."
    addresses = [manifest.get("url"), manifest.get("redirect_url"), hook.get("url"), *callbacks]
    if any(not isinstance(each, str) or urlsplit(each).scheme not in ("http", "https") for each in addresses):
        return "url, redirect_url and hook_attributes.url must be addresses."
    if (urlsplit(hook["url"]).hostname or "") in ("localhost", "127.0.0.1", "::1"):
        return "Hook url is not supported because it isn't reachable over the public Internet (localhost)"
    if len(manifest.get("name") or "") > 34:
        return "Name is too long (maximum is 34 characters)"
    return _events_problem(manifest.get("default_permissions", {}), manifest.get("default_events", []))


def _events_problem(permissions: Any, events: Any) -> str | None:
    if any(level not in ("read", "write", "admin") for level in permissions.values()):
        return "Default permission records are not valid"
    unknown = [event for event in events if event not in _TAKES]
    if unknown:
        return f"Default events unsupported: {', '.join(unknown)}"
    lacking = [event for event in events if _TAKES[event] not in permissions]
    return f"Default events are not supported by permissions: {', '.join(lacking)}" if lacking else None
