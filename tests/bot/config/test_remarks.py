"""What `errand check` remarks on, and where."""

from pathlib import Path

import pytest

from bot.config.remarks import inspected
from tests.changing import content, merged

GOOD = "0123456789abcdef0123456789abcdef"


def _remarks(tmp_path: Path, text: str, mode: int = 0o600, **environ: str) -> list[str]:
    file = tmp_path / "app.yaml"
    file.write_text(text)
    file.chmod(mode)
    return [str(each).removeprefix(f"{file}:") for each in inspected(file, environ)[1]]


@pytest.mark.parametrize("text", ["", "\n\n", "# url: http://x\n", "---\n", "null\n"])
def test_empty_file_is_remarked_on(tmp_path: Path, text: str) -> None:
    (told,) = _remarks(tmp_path, text)
    assert "warning: the file is empty" in told


def test_key_with_nothing_below_it_is_remarked_on(tmp_path: Path) -> None:
    text = "url: https://errand.example.com\njobs:\n#  a: {command: x}\nimages:\n"
    told = [
        f"{line}:1: warning: {key}: nothing stands below this key"
        for line, key in ((2, "jobs"), (4, "images"))
    ]
    assert _remarks(tmp_path, text) == told


def test_short_secrets_are_remarked_on_in_their_place_and_not_shown(tmp_path: Path) -> None:
    text = (
        'github: {token: "${T}", webhook_secret: ["${GOOD}", "${W}"]}\n'
        'slack:\n  bot_token: "${B}"\n  signing_secret: "${S}"\n  app_token: "${A}"\n'
    )
    told = _remarks(tmp_path, text, T="ghp", GOOD=GOOD, W="xyz", B="xoxb-7", S="q" * 15, A="xapp-7")
    assert [each.partition(": shorter")[0] for each in told] == [
        "1:17: warning: github.token",
        "1:53: warning: github.webhook_secret[2]",
        "3:14: warning: slack.bot_token",
        "4:19: warning: slack.signing_secret",
        "5:14: warning: slack.app_token",
    ]
    assert not any(value in "".join(told) for value in ("ghp", "xyz", "xoxb-7", "xapp-7", "qqq"))


def test_secret_that_is_one_value_has_its_place_too(tmp_path: Path) -> None:
    (told,) = _remarks(tmp_path, 'github:\n  token: "${T}"\n  webhook_secret: "${W}"\n', T=GOOD, W="xyz")
    assert told.startswith("3:19: warning: github.webhook_secret")


@pytest.mark.parametrize(
    ("secret", "told"),
    [
        (GOOD, None),
        ("abcd" * 8, "made of less than 6 different characters"),
        (GOOD + "\n", "begins or ends with white space"),
        (" " + GOOD, "begins or ends with white space"),
        ("x" * 15, "shorter than 16"),
        (GOOD[:16], None),
    ],
)
def test_secret_that_is_long_may_be_weak_all_the_same(tmp_path: Path, secret: str, told: str | None) -> None:
    found = _remarks(tmp_path, 'github: {token: "${T}", webhook_secret: "${W}"}\n', T=GOOD, W=secret)
    assert len(found) == (told is not None)
    assert told is None or told in found[0]


def test_secret_in_a_file_that_others_may_read_is_remarked_on(tmp_path: Path) -> None:
    text = f'database: "postgresql://me:{GOOD}@h/x"\ngithub: {{token: {GOOD}, webhook_secret: "${{W}}"}}\n'
    assert _remarks(tmp_path, text, W=GOOD) == []
    told = _remarks(tmp_path, text, 0o644, W=GOOD)
    places = ["1:11: warning: database", "2:17: warning: github.token"]
    assert [each.partition(": stands")[0] for each in told] == places


BUILT = """\
github: {token: "${T}"}
images:
  shop: {build: {repository: acme/shop}%(push)s}
  site: {build: {repository: acme/site}%(push)s}
jobs: {}
"""


@pytest.mark.parametrize(
    ("engine", "told"),
    [
        (
            "{kind: container, container: {command: docker}}",
            "1:48: warning: engine.container.command: Docker has",
        ),
        (
            "{kind: container, container: {storage: shared}}",
            "1:48: warning: engine.container.storage: this is",
        ),
        (
            "{kind: container, container: {arguments: [--url=x]}}",
            "arguments: Podman elsewhere (--url) has one",
        ),
        ("{kind: container}", None),
        (
            "{kind: process}",
            "1:16: warning: engine.kind: jobs and builds of acme/shop and acme/site run as one",
        ),
    ],
)
def test_builds_that_are_not_kept_apart_are_remarked_on(
    tmp_path: Path, engine: str, told: str | None
) -> None:
    text = f"engine: {engine}\n" + BUILT % {"push": ""}
    found = _remarks(tmp_path, text, T=GOOD)
    assert len(found) == (told is not None)
    assert told is None or told in found[0]
    images = content(text)["images"]
    alone = merged(text, images=dict.fromkeys(images, images["shop"]))
    assert _remarks(tmp_path, alone, T=GOOD) == []


def test_podman_elsewhere_keeps_nothing_apart(tmp_path: Path) -> None:
    text = "engine: {kind: container}\n" + BUILT % {"push": ""}
    (told,) = _remarks(tmp_path, text, T=GOOD, CONTAINER_HOST="ssh://build@host/run/podman.sock")
    assert "Podman elsewhere (CONTAINER_HOST) has one storage" in told


def test_builder_by_tag_is_remarked_on_with_what_prints_its_digest(tmp_path: Path) -> None:
    pushed = BUILT % {"push": ", push: ghcr.io/acme/shop"}
    (told,) = _remarks(tmp_path, "engine: {kind: kubernetes}\n" + pushed, T=GOOD)
    assert told.startswith("1:9: warning: engine: moby/buildkit:rootless is named by tag")
    assert "`skopeo inspect --format '{{.Digest}}' docker://moby/buildkit:rootless`" in told
    image = "ghcr.io/acme/buildkit:1"
    kind = 'engine: {kind: kubernetes, kubernetes: {builder: {image: "%s"}}}\n'
    (told,) = _remarks(tmp_path, kind % image + pushed, T=GOOD)
    assert "builder.image: ghcr.io/acme/buildkit:1 is named by tag" in told
    assert _remarks(tmp_path, kind % f"{image}@sha256:{'0' * 64}" + pushed, T=GOOD) == []
    assert _remarks(tmp_path, "engine: {kind: kubernetes}\njobs: {}\n", T=GOOD) == []  # which builds nothing
