"""A job that a repository defines, on its pages: where it stands, and that nothing else changes it."""

from pathlib import Path

from tests.bot.handlers.test_repository_reading import GOOD, NEXT, RULES, pushed, read
from tests.bot.house import SHOP, house
from tests.webhooks.pages import browsers

HOSTILE = (
    b"jobs:\n  greet:\n    description: '<img src=x onerror=alert(1)>'\n    command: echo '</pre><script>'\n"
)


async def test_pages_lead_to_the_line_of_the_file_and_change_nothing(tmp_path: Path) -> None:
    async with house(tmp_path, changes={"repository_jobs": RULES}) as home:
        await pushed(home, NEXT, GOOD)
        await read(home)
        link = f'href="{home.beside.github_url}/Acme/Shop/blob/{NEXT}/.errand.yaml#L3"'
        browser = await browsers.of_token(home, "admin")
        async with browser:
            definition = (await browser.get("/jobs/shop-greet/definition")).text
            assert link in definition
            assert "line 3, at commit <code>111111111111</code>, by octocat" in definition
            assert "/jobs/shop-greet/edit" not in definition
            assert "/jobs/shop-greet/delete" not in definition
            shown = (await browser.get("/jobs/shop-greet/edit")).text
            assert "is a job of a repository" in shown
            assert link in shown
            removal = await browser.get("/jobs/shop-greet/delete")
            assert link in removal.text
            assert "<form" not in removal.text.partition("<main")[2]
            fields = {"version": "1"}
            refused = await browser.post("/jobs/shop-greet/delete", data=fields, headers=browsers.OWN)
            assert (refused.status_code, "defined in .errand.yaml of Acme/Shop" in refused.text) == (
                409,
                True,
            )
        assert home.tools.registry.entry("shop-greet") is not None


async def test_what_a_repository_writes_is_shown_as_it_is(tmp_path: Path) -> None:
    async with house(tmp_path, changes={"repository_jobs": RULES}) as home:
        await pushed(home, NEXT, HOSTILE, SHOP)
        await read(home)
        browser = await browsers.of_token(home, "admin")
        async with browser:
            for path in ("/jobs", "/jobs/shop-greet", "/jobs/shop-greet/definition"):
                page = (await browser.get(path)).text
                assert "<img src=x" not in page
                assert "</pre><script>" not in page
