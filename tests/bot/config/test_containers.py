"""What the file says of containers: images of every form, and what means nothing on the configured engine."""

from pathlib import Path

import pytest

from bot.errors import ConfigError
from executor.spec import Secret
from tests.bot.config.files import Files, one

ENVIRON = {"TOKEN": "t0ken-value", "NPM_TOKEN": "npm-value", "REGISTRY": "registry.example.com"}
read, mistakes = Files(ENVIRON).read, Files(ENVIRON).mistakes
GITHUB = "github: {token: x}\n"
CONTAINER = "engine: {kind: container}\n"
SHA = "sha256:" + "0" * 64


def test_whole_of_a_container_installation(file: Path) -> None:
    config = read(
        file,
        f"""{GITHUB}
engine:
  kind: container
  container: {{command: docker, socket: unix:///run/docker.sock, arguments: [--root, /srv], directory: work}}
images:
  shop:
    build:
      repository: acme/shop
      context: services/web
      dockerfile: services/web/Dockerfile
      target: runtime
      arguments: {{PYTHON: "3.13", JOBS: 4}}
      secrets: [NPM_TOKEN]
    push: ${{REGISTRY}}:5000/acme/shop
  tools: {{reference: "ghcr.io/acme/tools:1.4"}}
  live: {{workload: container/web}}
sizes: {{small: {{cpu: 250m, memory: 256Mi}}}}
jobs:
  migrate: {{image: shop, command: x, size: small, read_only: true, files: {{/etc/shop.ini: x}}}}
  tool: {{image: tools, command: x}}
  look: {{image: live, command: x}}
""",
    )
    container = config.engine.container
    assert (container.command, container.socket) == ("docker", "/run/docker.sock")
    assert (container.arguments, container.directory) == (("--root", "/srv"), Path("work"))
    shop = config.images["shop"]
    assert shop.build is not None
    assert shop.build.arguments == {"PYTHON": "3.13", "JOBS": "4"}
    assert (shop.push, shop.origin) == ("registry.example.com:5000/acme/shop", "acme/shop")
    assert config.build_secrets(shop) == {"NPM_TOKEN": Secret("npm-value")}
    assert config.jobs["migrate"].read_only
    assert config.jobs["migrate"].resources is not None
    assert config.jobs["migrate"].resources.cpu == 0.25
    summary = dict(config.summary())
    assert summary["engine"] == "container, docker at /run/docker.sock, work"
    assert summary["image shop"] == "acme/shop, pushed to registry.example.com:5000/acme/shop"
    assert (summary["image tools"], summary["image live"]) == ("ghcr.io/acme/tools:1.4", "container/web")
    assert "npm-value" not in str(shop.recipe) + str(summary)


def test_installation_without_built_images_needs_no_github(file: Path) -> None:
    config = read(
        file, f"{CONTAINER}images: {{t: {{reference: tools}}}}\njobs: {{a: {{image: t, command: x}}}}"
    )
    assert config.images["t"].repository is None


@pytest.mark.parametrize(
    "reference",
    [
        "tools",
        "localhost/errand-test:base",
        "ghcr.io/acme/tools:1.4",
        "registry.example.com:5000/a/b/c",
        f"docker.io/library/alpine@{SHA}",
        f"127.0.0.1:5000/alpine:3@{SHA}",
        "[::1]:5000/a__b/c.d-e:v1_2",
    ],
)
def test_reference_of_a_registry_is_taken(file: Path, reference: str) -> None:
    config = read(file, f"{CONTAINER}images: {{t: {{reference: '{reference}'}}}}")
    assert config.images["t"].reference == reference


@pytest.mark.parametrize(
    "reference",
    [
        "",
        "-tools",
        "Acme/tools",
        "-x.example.com/tools",
        "--all",
        "Tools",
        "https://ghcr.io/acme/tools",
        "user:password@ghcr.io/acme/tools",
        "ghcr.io/acme/tools:",
        "ghcr.io/acme/tools:1 4",
        "ghcr.io/acme/tools@sha256:12",
        f"ghcr.io/acme/tools@sha512:{'0' * 64}",
        "ghcr.io/../tools",
        "ghcr.io//tools",
        "a" * 300,
        "tools\\n",
    ],
)
def test_what_is_no_reference_is_refused(file: Path, reference: str) -> None:
    (mistake,) = mistakes(file, f'{CONTAINER}images: {{t: {{reference: "{reference}"}}}}')
    assert mistake.startswith("2:25: images.t.reference: expected an image of a registry")


def _build(keys: str) -> str:
    return f"{GITHUB}{CONTAINER}images: {{shop: {{build: {{repository: a/b, {keys}}}}}}}"


@pytest.mark.parametrize(
    ("text", "mistake"),
    [
        one("engine: {kind: dokcer}", "1:16: engine.kind: expected process, container or kubernetes"),
        one("engine: {container: {command: nerdctl}}", "container.command: expected podman or docker"),
        one(
            "engine: {container: {socket: podman.sock}}",
            "1:30: engine.container.socket: expected the whole path of a socket, such as"
            ' /run/podman/podman.sock, not "podman.sock"',
        ),
        one("engine: {container: {socket: 'tcp://h:1'}}", "expected the whole path of a socket"),
        one("engine: {container: {arguments: --root}}", "engine.container.arguments: expected a list"),
        one("engine: {container: {arguments: ['']}}", "arguments[1]: expected a word of a command"),
        one("engine: {container: {comand: podman}}", "unknown key; did you mean command?"),
        one(CONTAINER + "images: {t: {}}", "2:13: images.t: build, reference or workload is required"),
        one(
            CONTAINER + "images: {t: {reference: a, workload: container/b}}",
            "images.t: either reference or workload; an image comes from one place",
        ),
        one(CONTAINER + "images: {t: {reference: a, push: ghcr.io/b}}", "push is for an image that is built"),
        one(CONTAINER + "images: {t: {workload: deployment/web}}", "expected container/NAME, a container"),
        one(CONTAINER + "images: {t: {workload: container/../x}}", "expected container/NAME, a container"),
        one(CONTAINER + "images: {t: {refrence: a}}", "unknown key; did you mean reference?"),
        one(CONTAINER + "images: {t: {reference: a, namespace: b}}", "namespace is for an image that comes"),
        one(
            f"{GITHUB}{CONTAINER}images: {{s: {{build: {{repository: a/b}}, push: 'ghcr.io/a/b:1'}}}}",
            "3:46: images.s.push: expected a repository with the host of its registry, without a tag, such as"
            ' ghcr.io/acme/shop, not "ghcr.io/a/b:1"',
        ),
        *(
            one(
                f"{GITHUB}{CONTAINER}images: {{s: {{build: {{repository: a/b}}, push: '{place}'}}}}",
                "images.s.push: expected a repository with the host of its registry",
            )
            for place in ("acme/shop", "shop", "localhost/shop", f"ghcr.io/a/b@{SHA}", "https://ghcr.io/a/b")
        ),
        one(_build("context: ../other"), "images.shop.build.context: expected a path within the checkout"),
        one(_build("context: /etc"), "images.shop.build.context: expected a path within the checkout"),
        one(_build("dockerfile: a/../../b"), "build.dockerfile: expected a path within the checkout"),
        one(_build("target: -f"), "build.target: expected the name of a stage of the Dockerfile"),
        one(_build("arguments: {1A: x}"), "build.arguments.1A: expected a name of letters, digits and _"),
        one(_build("arguments: {A: true}"), "build.arguments.A: expected a text; put it in quotes"),
        one(
            _build("arguments: {A: 'x${TOKEN}'}"),
            "build.arguments.A: ${…} is not replaced in arguments, which stay in the image; use secrets",
        ),
        one(_build("arguments: {command: '${TOKEN}'}"), "arguments, which stay in the image"),
        one(_build("secrets: [TOKEN, TOKEN]"), "build.secrets: expected every name once"),
        one(_build("secrets: ['a b']"), "build.secrets[1]: expected a name of letters, digits and _"),
        one(
            _build("secrets: [TOKEN, NOPE]"),
            "3:59: images.shop.build.secrets[2]: the environment variable NOPE is not set",
        ),
        one(
            CONTAINER + "images: {t: {reference: a}}\njobs: {a: {image: t, command: x, on: [push]}}",
            "jobs.a.on: a push rebuilds an image first, and t is not built",
        ),
        # What means nothing on the container engine.
        one(_build("setup: make"), "3:42: images.shop.build.setup: images are built by the Dockerfile"),
        one(
            CONTAINER + "jobs: {a: {command: x}}",
            "2:8: jobs.a: image is required: the container engine runs every job in one",
        ),
        one(CONTAINER + "sizes: {s: {gpu: 1}}", "sizes.s.gpu: gpu cannot be given by the container engine"),
        one(
            CONTAINER + "images: {t: {reference: a}}\njobs: {a: {image: t, command: x, files: {etc/a: b}}}",
            "3:42: jobs.a.files.etc/a: expected a whole path such as /etc/shop.ini",
        ),
        # What means nothing on the process engine.
        one("images: {t: {reference: a}}", "1:14: images.t.reference: the process engine runs checkouts"),
        one("images: {t: {workload: container/a}}", "images.t.workload: the process engine runs checkouts"),
        one(
            GITHUB + "images: {t: {build: {repository: a/b}, push: ghcr.io/a/b}}",
            "images.t.push: the process engine runs checkouts",
        ),
        *(
            one(
                GITHUB + f"images: {{t: {{build: {{repository: a/b, {key}: {value}}}}}}}",
                f"2:39: images.t.build.{key}: the process engine runs checkouts",
            )
            for key, value in {
                "context": ".",
                "dockerfile": "Dockerfile",
                "target": "x",
                "arguments": "{A: b}",
                "secrets": "[TOKEN]",
            }.items()
        ),
        one(
            "jobs: {a: {command: x, read_only: true}}",
            "1:24: jobs.a.read_only: the process engine has no root of its own to protect; containers have",
        ),
        one("defaults: {read_only: true}\njobs: {a: {command: x}}", "1:12: defaults.read_only: the process"),
        one("jobs: {a: {command: x, resources: {cpu: 1}}}", "cpu cannot be limited by the process engine"),
    ],
)
def test_mistake_about_containers_is_told_in_its_place(file: Path, text: str, mistake: str) -> None:
    assert mistake in "\n".join(mistakes(file, text))


def test_what_says_the_same_as_nothing_is_no_mistake(file: Path) -> None:
    config = read(file, "jobs: {a: {command: x, read_only: false}}")
    assert not config.jobs["a"].read_only


def test_secret_of_a_build_that_went_away_is_told_when_it_is_needed(file: Path) -> None:
    config = read(file, _build("secrets: [TOKEN]"))
    config._environ = {}
    with pytest.raises(ConfigError, match=r"images\.shop\.build\.secrets: the environment variable TOKEN is"):
        config.build_secrets(config.images["shop"])
