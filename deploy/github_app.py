"""Print the link that opens GitHub's form for a new App, filled in from `github-app.json`.

    python3 deploy/github_app.py https://errand.example.com [ORGANIZATION]

https://docs.github.com/apps/sharing-github-apps/registering-a-github-app-using-url-parameters
"""

import json
import sys
from pathlib import Path
from urllib.parse import urlencode, urlsplit

MANIFEST = Path(__file__).with_name("github-app.json")


def link(url: str, organization: str | None = None) -> str:
    """The address of the form; `url` is where Errand is reached, without an owner it is a person's App."""
    manifest = json.loads(MANIFEST.read_text(encoding="utf-8"))
    owner = f"organizations/{organization}/" if organization else ""
    fields = {
        "name": f"errand-{urlsplit(url).hostname}".replace(".", "-")[:34],
        "description": manifest["description"],
        "url": url,
        "public": "false",
        "webhook_active": "true",
        "webhook_url": url + urlsplit(manifest["hook_attributes"]["url"]).path,
        **manifest["default_permissions"],
    }
    events = [("events[]", event) for event in manifest["default_events"]]
    return f"https://github.com/{owner}settings/apps/new?{urlencode([*fields.items(), *events])}"


def main(arguments: list[str]) -> int:
    """The command; gives its exit code."""
    url = arguments[0].rstrip("/") if arguments else ""
    if len(arguments) > 2 or urlsplit(url).scheme not in ("http", "https") or urlsplit(url).path:
        print(
            "usage: python3 deploy/github_app.py https://errand.example.com [ORGANIZATION]", file=sys.stderr
        )
        return 2
    print(link(url, *arguments[1:]))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
