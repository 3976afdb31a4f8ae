"""Where the other parts of a GitHub are, by the address of its API.

https://docs.github.com/enterprise-server@latest/rest/using-the-rest-api/getting-started-with-the-rest-api
and, with data residency, https://docs.github.com/enterprise-cloud@latest/admin/data-residency
"""

from urllib.parse import urlsplit

from bot.access import workflows

_RESIDENCY = ".ghe.com"


def web_address(api_url: str) -> str:
    """Where people see it, and git fetches."""
    parts = urlsplit(api_url)
    host = parts.netloc
    if host == "api.github.com" or (host.startswith("api.") and host.endswith(_RESIDENCY)):
        host = host.removeprefix("api.")
    return f"{parts.scheme}://{host}"


def issuer_of(api_url: str) -> str:
    """Who signs for the workflows of its Actions."""
    web = web_address(api_url)
    if web == "https://github.com":
        return workflows.ISSUER
    scheme, _, host = web.partition("://")
    if host.endswith(_RESIDENCY):
        return f"{scheme}://token.actions.{host}"
    return f"{web}/_services/token"
