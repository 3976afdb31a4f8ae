"""How pages are made: templates with everything escaped, static files, and headers that let in nothing.

No page loads anything from elsewhere, and the browser is told to refuse it if one tried.
"""

import hashlib
import secrets
from collections.abc import Callable
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup, escape
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route

from bot.text import vocabulary
from webhooks import view
from webhooks.compression import pack, takes_gzip
from webhooks.headers import SECURITY
from webhooks.pages import ansi, summaries

_HERE = Path(__file__).parent
_MEDIA_TYPES = {".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"}
_ICONS = {
    **dict.fromkeys(("waiting", "building", "starting", "running", "stopping"), "state_busy.svg"),
    **dict.fromkeys(("failed", "timed_out", "error"), "state_bad.svg"),
    "succeeded": "state_good.svg",
}
"""The icon of a page by what its run or build comes to; Errand's own for the rest."""

_YEAR_S = 365 * 86400


class PageRenderer:
    """Renders pages. Static files have a hash in their name, so browsers keep them for good."""

    def __init__(self, *, clock: Callable[[], float], command: str = "/job") -> None:
        self._files = dict(_static_files())
        self._packed = {name: pack(content) for name, content in self._files.items()}
        self._environment = Environment(
            loader=FileSystemLoader(_HERE / "templates"),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
            auto_reload=False,
        )
        names = {name.partition(".")[0] + Path(name).suffix: name for name in self._files}
        self._environment.globals["static"] = lambda name: f"/static/{names[name]}"
        self._environment.globals["icon"] = lambda kind: f"/static/{names[_ICONS.get(kind, 'mark.svg')]}"
        self._environment.globals["command"] = command
        self._environment.globals["now"] = clock
        self._environment.globals["form_key"] = lambda: secrets.token_urlsafe(12)
        for function in (
            view.rfc3339,
            view.size,
            vocabulary.moment,
            vocabulary.lead_in,
            vocabulary.who,
            vocabulary.how,
            vocabulary.stopper,
            vocabulary.in_a_row,
        ):
            self._environment.filters[function.__name__] = function
        self._environment.filters["codes"] = _codes
        self._environment.filters["summary_html"] = summaries.html
        self._environment.filters["ago"] = lambda at: vocabulary.ago(at, clock())
        self._environment.filters["clock_time"] = lambda at: f"{vocabulary.moment(at)[11:]}"
        self._environment.filters["duration"] = _duration

    def render(self, template: str, **values: object) -> str:
        """A template as HTML."""
        return self._environment.get_template(template).render(values)

    def page(self, template: str, status: int = 200, **values: object) -> Response:
        """A template as an answer."""
        return HTMLResponse(self.render(template, **values), status, dict(SECURITY))

    def route(self) -> Route:
        """Where the static files are."""
        return Route("/static/{name}", self._static, methods=["GET"])

    async def _static(self, request: Request) -> Response:
        takes_packed = takes_gzip(request)
        content = (self._packed if takes_packed else self._files).get(request.path_params["name"])
        if content is None:
            return Response(status_code=404, headers=dict(SECURITY))
        return Response(
            content,
            headers={
                **SECURITY,
                "Cache-Control": f"public, max-age={_YEAR_S}, immutable",
                "Vary": "Accept-Encoding",
                **({"Content-Encoding": "gzip"} if takes_packed else {}),
            },
            media_type=_MEDIA_TYPES["." + request.path_params["name"].rpartition(".")[2]],
        )


def _duration(value: float | None) -> str:
    """A duration, or a dash where there is none yet."""
    return "–" if value is None else vocabulary.duration(value)


def _codes(text: str) -> Markup:
    """What stands between back-quotes as code; all of it escaped."""
    parts = [escape(part) for part in text.split("`")]
    return Markup("").join(
        Markup("<code>{}</code>").format(part) if number % 2 else part for number, part in enumerate(parts)
    )


def _static_files() -> list[tuple[str, bytes]]:
    """Names with a hash, and contents; the colours that have a formula are added to the style sheet."""
    files: list[tuple[str, bytes]] = []
    for path in sorted((_HERE / "static").iterdir()):
        if path.suffix not in _MEDIA_TYPES:
            continue
        content = path.read_bytes()
        if path.name == "log.css":
            content += ansi.palette().encode()
        digest = hashlib.sha256(content).hexdigest()[:12]
        files.append((f"{path.stem}.{digest}{path.suffix}", content))
    return files
