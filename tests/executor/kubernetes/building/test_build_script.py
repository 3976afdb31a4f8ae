"""The script of a build in the pod of its Job, with a real git, Buildah and registry."""

import json
import shutil
import threading
import urllib.request
from collections.abc import Awaitable, Callable
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from executor.kubernetes.building import buildjobs
from executor.kubernetes.settings import Builder, Settings
from executor.kubernetes.settings import Registry as Access
from executor.spec import BuildSpec, Recipe, Secret, Source
from tests.executor.checkout.test_builder import Repository
from tests.executor.checkout.test_git_over_http import TOKEN, Host, host
from tests.executor.kubernetes.builderpods import Ended, Pod, need, path_with, shells
from tests.registry import Registry, certified, closed_registry, registry

__all__ = ["closed_registry", "host", "registry"]

pytestmark = pytest.mark.container

FROM = "FROM scratch AS base\nCOPY bin /bin\n"
APPLETS = ("sh", "cat", "sleep", "wc", "ls")

Build = Callable[..., Awaitable[Ended]]


class Quiet(SimpleHTTPRequestHandler):
    """Serves the files of a repository as they are."""

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def shop(tmp_path: Path) -> Repository:
    """A repository on the host, whose image has busybox only."""
    (tmp_path / "served" / "acme").mkdir(parents=True)
    made = Repository(tmp_path / "served" / "acme" / "shop")
    (made.path / "bin").mkdir()
    shutil.copy("/bin/busybox", made.path / "bin" / "busybox")
    for name in APPLETS:
        (made.path / "bin" / name).symlink_to("busybox")
    return made


@pytest.fixture
def build(tmp_path: Path, host: Host) -> Build:
    """Build a commit with Buildah: what of the recipe is named."""
    need("git", "buildah", "busybox")
    count = 0

    async def build(
        commit: str,
        at: Registry,
        token: str | None = TOKEN,
        shell: str = "/bin/sh",
        access: Access | None = None,
        cache: str | None = None,
        url: str = f"{host.url}/acme/shop",
        **recipe: Any,
    ) -> Ended:
        nonlocal count
        count += 1
        directory = tmp_path / f"pod-{count}"
        directory.mkdir()
        source = Source("acme/shop", url, commit, Secret(token) if token else None)
        spec = BuildSpec("build-1", "shop", source, recipe=Recipe(push=f"{at.host}/acme/shop", **recipe))
        builder = Builder("buildah", "quay.io/buildah/stable", cache=cache)
        known = {at.host: access} if access else {}
        settings = Settings("jobs", "errand", builder=builder, registries=known)
        (none := directory / "registries.conf").write_text("")
        env = {
            "PATH": path_with(directory / "bin", sh=shell),
            "HOME": str(directory),
            "CONTAINERS_REGISTRIES_CONF": str(none if access else at.conf),
            "REGISTRY_AUTH_FILE": str(at.auth),
        }
        return await Pod(buildjobs.made(spec, settings), directory, env).run()

    return build


def pushed(at: Registry, reference: str) -> tuple[str, dict[str, Any]]:
    """Give the digest of what the registry has, and its configuration."""
    accept = (
        "application/vnd.oci.image.manifest.v1+json, application/vnd.docker.distribution.manifest.v2+json"
    )
    url = f"http://{at.host}/v2/acme/shop"
    request = urllib.request.Request(f"{url}/manifests/{reference}", headers={"Accept": accept})
    with urllib.request.urlopen(request, timeout=10) as answer:
        digest, manifest = answer.headers["Docker-Content-Digest"], json.load(answer)
    with urllib.request.urlopen(f"{url}/blobs/{manifest['config']['digest']}", timeout=10) as answer:
        return digest, json.load(answer)


def tags(at: Registry, repository: str) -> list[str]:
    """Give the tags of a repository."""
    with urllib.request.urlopen(f"http://{at.host}/v2/{repository}/tags/list", timeout=10) as answer:
        return list(json.load(answer)["tags"])


@pytest.mark.parametrize("shell", shells())
async def test_commit_is_built_and_pushed_with_its_tag_and_the_digest_is_told(
    build: Build, shop: Repository, registry: Registry, shell: str
) -> None:
    commit = shop.commit(Dockerfile=FROM + 'ARG WORD\nRUN echo "got $WORD"\n')
    word = "a, b $HOME; $(id) 'x\" \\"
    ended = await build(commit, registry, shell=shell, arguments={"WORD": word})
    assert ended.code == 0, ended.log
    digest, config = pushed(registry, commit)
    assert ended.message == f"Built\n{digest}\n"
    assert f"got {word}" in ended.log
    assert config["config"]["Labels"]["errand.image"] == "shop"


async def test_next_build_finds_the_layers_in_the_registry(
    build: Build, shop: Repository, registry: Registry
) -> None:
    dockerfile = FROM + "RUN echo made-$((1 + 1))\nFROM base AS other\nRUN echo of-no-use-$((1 + 1))\n"
    commits = [shop.commit(Dockerfile=dockerfile), shop.commit(Dockerfile=dockerfile)]
    cache = f"{registry.host}/cache"
    first, second = [await build(commit, registry, target="base", cache=cache) for commit in commits]
    assert "made-2" in first.log
    assert sorted(tags(registry, "acme/shop")) == sorted(commits)
    assert tags(registry, "cache/shop")
    assert "made-2" not in second.log
    assert "of-no-use-2" not in first.log
    assert first.message == second.message
    assert pushed(registry, commits[0])[0] == pushed(registry, commits[1])[0]


@pytest.mark.parametrize("shell", shells())
async def test_registry_may_speak_http_or_have_an_authority_of_its_own(
    build: Build, shop: Repository, tmp_path: Path, shell: str
) -> None:
    commit, ca = shop.commit(Dockerfile=FROM), certified(tmp_path / "tls")
    files = (tmp_path / "tls" / "crt.pem", tmp_path / "tls" / "key.pem")
    (tmp_path / "open").mkdir()
    for at, access in (
        (Registry(tmp_path / "open", address="127.0.0.2"), Access(http=True)),
        (Registry(tmp_path / "tls", tls=files), Access(ca=ca)),
    ):
        at.start()
        try:
            ended = await build(commit, at, shell=shell, access=access)
            assert ended.message.startswith("Built\n"), ended.log
            refused = await build(commit, at, shell=shell, access=Access(ca=certified(tmp_path / "other")))
            assert refused.message.startswith("PushFailed\n"), refused.log
        finally:
            at.stop()


async def test_secret_is_seen_by_the_step_that_mounts_it_and_by_nobody_else(
    build: Build, shop: Repository, registry: Registry
) -> None:
    value = "npm_0123456789SECRET"
    step = "RUN --mount=type=secret,id=NPM_TOKEN wc -c </run/secrets/NPM_TOKEN >/size"
    commit = shop.commit(Dockerfile=f"{FROM}{step}\nRUN wc -c </size; ls /run\n")
    ended = await build(commit, registry, secrets={"NPM_TOKEN": Secret(value)})
    assert ended.code == 0, ended.log
    assert "\n3\n" in ended.log  # two digits and a line end
    assert "NPM_TOKEN\n" not in ended.log
    config = json.dumps(pushed(registry, commit)[1])
    assert not [text for text in (ended.log, ended.message, config) if value in text]


async def test_token_is_given_to_git_s_host_and_seen_nowhere(
    build: Build, shop: Repository, registry: Registry, host: Host
) -> None:
    ended = await build(shop.commit(Dockerfile=FROM), registry)
    assert ended.code == 0, ended.log
    assert host.authorizations[-1]
    assert any("git-remote-http" in line for line in host.arguments)
    assert not [line for line in host.arguments if TOKEN in line]
    assert TOKEN not in ended.log


async def test_failing_step_is_told_with_its_exit_code(
    build: Build, shop: Repository, registry: Registry
) -> None:
    ended = await build(shop.commit(Dockerfile=FROM + "RUN echo first; exit 9\n"), registry)
    assert (ended.code, ended.message) == (9, "ImageFailed\nThe build ended with exit code 9.\n")
    assert "first\n" in ended.log


@pytest.mark.parametrize(
    "said",
    [
        r"Error running newuidmap: exit status 1: newuidmap: open of uid_map failed: Permission denied\n",
        "Using rootless single mapping into the namespace. This might break some images.",
    ],
)
async def test_builder_that_may_not_map_users_is_told_and_not_the_dockerfile(
    shop: Repository, tmp_path: Path, said: str
) -> None:
    """As Buildah says it in a pod that lets no program gain what it needs, or of a user without a range."""
    need("git", "busybox")
    fake = tmp_path / "buildah"
    fake.write_text(
        "#!/bin/sh\n"
        f"printf '%s\\n' 'time=\"x\" level=warning msg=\"{said}\"' >&2\n"
        'case "$*" in *" build "*) echo "error setting supplemental groups list"; exit 1 ;; esac\n'
    )
    fake.chmod(0o755)
    spec = BuildSpec(
        "build-1",
        "shop",
        Source("acme/shop", str(shop.path), shop.commit(Dockerfile=FROM)),
        recipe=Recipe(push="registry.example.com/acme/shop"),
    )
    made = buildjobs.made(
        spec, Settings("jobs", "errand", builder=Builder("buildah", "quay.io/buildah/stable"))
    )
    (tmp_path / "pod").mkdir()
    env = {"PATH": path_with(tmp_path / "bin", buildah=str(fake)), "HOME": str(tmp_path)}
    ended = await Pod(made, tmp_path / "pod", env).run()
    assert ended.code == 1
    word, _, sentence = ended.message.partition("\n")
    assert word == "BuilderUnfit"
    cause = said.removesuffix(r"\n")
    assert sentence == f"The builder may not map users, so no step can run: {cause}\n"


async def test_push_that_the_registry_refuses_is_told_with_its_words(
    build: Build, shop: Repository, closed_registry: Registry
) -> None:
    ended = await build(shop.commit(Dockerfile=FROM), closed_registry)
    word, _, sentence = ended.message.partition("\n")
    assert word == "PushFailed"
    assert "authentication required" in sentence


async def test_wrong_token_is_told_in_git_s_words(build: Build, shop: Repository, registry: Registry) -> None:
    ended = await build(shop.commit(Dockerfile=FROM), registry, token="ghs_wrong")
    assert ended.message.startswith("FetchFailed\ngit: fatal: Authentication failed for ")
    assert "ghs_wrong" not in ended.log + ended.message


async def test_token_does_not_follow_a_redirect_to_another_host(
    build: Build, shop: Repository, registry: Registry, host: Host, tmp_path: Path
) -> None:
    other = Host(tmp_path / "served")
    try:
        host.redirect_to = other.url
        ended = await build(shop.commit(Dockerfile=FROM), registry)
    finally:
        other.stop()
    assert ended.message.startswith("FetchFailed\n")
    assert set(other.authorizations) == {None}


async def test_host_that_cannot_be_reached_is_told_in_git_s_words(
    build: Build, shop: Repository, registry: Registry
) -> None:
    ended = await build(shop.commit(Dockerfile=FROM), registry, url="http://127.0.0.1:1/acme/shop")
    assert ended.message.startswith(
        "FetchFailed\ngit: fatal: unable to access 'http://127.0.0.1:1/acme/shop/'"
    )


async def test_commit_that_is_not_there_is_told_in_git_s_words(
    build: Build, shop: Repository, registry: Registry
) -> None:
    shop.commit(Dockerfile=FROM)
    ended = await build("1" * 40, registry, url=str(shop.path))
    assert ended.message.startswith("FetchFailed\ngit: fatal: ")


async def test_server_that_gives_no_single_commits_is_asked_for_all(
    build: Build, shop: Repository, registry: Registry, tmp_path: Path
) -> None:
    commit = shop.commit(Dockerfile=FROM)
    shop.commit(later="x")
    shop.git("update-server-info")
    handler = partial(Quiet, directory=str(shop.path / ".git"))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as files:
        serving = threading.Thread(target=files.serve_forever, args=(0.02,))
        serving.start()
        ended = await build(commit, registry, url=f"http://127.0.0.1:{files.server_port}")
        files.shutdown()
        serving.join()
    assert ended.message.startswith("Built\n"), ended.log


async def test_public_repository_needs_no_token(
    build: Build, shop: Repository, registry: Registry, host: Host
) -> None:
    host.open = True
    ended = await build(shop.commit(Dockerfile=FROM), registry, token=None)
    assert ended.message.startswith("Built\n")
    assert set(host.authorizations) == {None}


@pytest.mark.parametrize("shell", shells())
@pytest.mark.parametrize(
    ("recipe", "said"),
    [
        ({"dockerfile": "/etc/passwd"}, "outside"),
        ({"dockerfile": "../../../../../../../../../../etc/passwd"}, "outside"),
        ({"dockerfile": "leads-out"}, "outside"),
        ({"dockerfile": "out/passwd"}, "outside"),
        ({"dockerfile": "missing"}, "not in this commit"),
        ({"dockerfile": "sub"}, "no file"),
        ({"dockerfile": "Dockerfile.in"}, "must not end in .in"),
        ({"dockerfile": "looks-good"}, "must not end in .in"),
        ({"context": "/"}, "outside"),
        ({"context": ".."}, "outside"),
        ({"context": "out"}, "outside"),
        ({"context": "line-end"}, "no directory"),
        ({"context": "missing"}, "not in this commit"),
        ({"context": "file"}, "no directory"),
        ({"context": "$(id)"}, "The context $(id) is not in this commit."),
    ],
)
async def test_paths_that_could_do_harm_are_refused(
    build: Build, shop: Repository, registry: Registry, recipe: dict[str, Any], said: str, shell: str
) -> None:
    (shop.path / "sub").mkdir()
    (shop.path / "out").symlink_to("/etc")
    (shop.path / "leads-out").symlink_to("/etc/passwd")
    (shop.path / "looks-good").symlink_to("Dockerfile.in")
    (shop.path / "line-end").symlink_to("out\n")  # to the file, not to what its name begins with
    files = {"Dockerfile": FROM, "Dockerfile.in": '#include "/etc/passwd"\n', "sub/x": "", "file": ""}
    commit = shop.commit(**files, **{"out\n": ""})
    ended = await build(commit, registry, shell=shell, **recipe)
    word, _, sentence = ended.message.partition("\n")
    assert word == "SpecInvalid"
    assert said in sentence
    assert sentence in ended.log


async def test_link_that_stays_inside_is_followed_and_the_checkout_is_as_git_makes_it(
    build: Build, shop: Repository, registry: Registry
) -> None:
    (shop.path / "sub").mkdir()
    (shop.path / "here").symlink_to("sub")
    (shop.path / "sub" / "link").symlink_to("crlf")
    look = "RUN ls /app; wc -c </app/crlf; wc -c </app/link\n"
    dockerfile = f"FROM scratch\nCOPY bin /bin\nCOPY . /app\n{look}"
    shutil.copytree(shop.path / "bin", shop.path / "sub" / "bin", symlinks=True)
    attributes = "crlf text eol=crlf\n* filter=unknown\n"
    files = {"sub/Dockerfile": dockerfile, "sub/crlf": "one\n", ".gitattributes": attributes}
    ended = await build(shop.commit(**files), registry, context="here", dockerfile="here/Dockerfile")
    assert "Dockerfile\nbin\ncrlf\nlink\n5\n5\n" in ended.log, ended.log
