"""What the engine is asked to do: a stored build or run, with its secrets as they are now, as a spec.

Secrets are looked up here, right before the engine gets them, and masked in Errand's own log; none is stored.
"""

import hashlib
from dataclasses import replace

from bot.catalog.catalog import Job
from bot.catalog.images import Image
from bot.config import Config
from bot.errors import ConfigError
from bot.tables import Build, Run
from bot.telemetry.logging import mask
from bot.text.refs import OF_FORK, is_of_fork
from bot.workers import run_context
from executor.spec import About, BuildSpec, Live, Recipe, RunSpec, Source


def of_build(build: Build, source: Source, config: Config) -> BuildSpec:
    """How `build` is made; ConfigError where a secret of it is not set any more."""
    image = Image.model_validate(build.definition)
    how = image.build
    if how is None:
        raise ConfigError(f"images.{image.name}: there is nothing to build")
    fork = _of_fork(build, config)
    secrets = {} if fork else config.build_secrets(image)
    mask(secrets.values())
    recipe = Recipe(
        context=how.context,
        dockerfile=how.dockerfile,
        target=how.target,
        arguments=how.arguments,
        secrets=secrets,
        push=image.push,
    )
    return BuildSpec(
        key=build.name,
        image=build.image,
        source=replace(source, repository=_apart(source.repository, build.ref)) if fork else source,
        setup=how.setup,
        recipe=recipe,
        timeout=how.timeout,
        untrusted=fork,
        about=About(
            labels={"image": build.image, "build": str(build.number), "cause": build.cause} | _mark(fork),
            annotations={
                "actor": build.actor,
                "commit": build.commit,
                "repository": build.repository,
                "url": f"{config.url}/builds/{build.number}",
            },
        ),
    )


def of_run(run: Run, key: str, config: Config, payload: str | None = None) -> RunSpec:
    """What the attempt called `key` of `run` is, and what it is given as a file.

    ConfigError where a secret of it is not set any more, AskerError where its arguments do not fit.
    """
    job = Job.frozen(run.definition)
    fork = _of_fork(run, config)
    environment, secrets = (config.plain_environment(job), ()) if fork else config.environment(job)
    mask(secrets)
    source = image_to_pin(run)
    return RunSpec(
        key=key,
        command=job.argv(tuple(run.arguments)),
        image=run.digest,
        setup=job.engine_setup,
        workdir=job.workdir,
        env=environment | run.parameters | run_context.variables(run, config.url),
        secrets=secrets,
        files=job.files,
        payload=payload,
        memory=job.resources.memory if job.resources else None,
        cpu=job.resources.cpu if job.resources else None,
        gpu=job.resources.gpu if job.resources else 0,
        read_only=job.read_only or fork,
        service_account="" if fork else job.service_account,
        live=source if isinstance(source, Live) else None,
        references={} if fork else config.references(job),
        about=_about(run, config.url, fork),
        timeout=job.timeout,
        grace=job.grace,
        signal_children=job.signal_children,
        untrusted=fork,
    )


def _of_fork(row: Build | Run, config: Config) -> bool:
    """Whether its code is a fork's, of which it gets no secret; ConfigError where that is not run at all."""
    if not is_of_fork(row.ref):
        return False
    if not config.forks or config.engine.kind == "process":
        raise ConfigError("This is the code of a fork, and code of forks is not run here.")
    return True


def _apart(repository: str, ref: str | None) -> str:
    """Where builds of one fork keep what they share; no owner on GitHub has a dot in its name."""
    owner, _, name = repository.partition("/")
    fork = f"{name}:{(ref or '').partition(OF_FORK)[0]}".lower()
    return f"{owner}.fork/{name[:80]}.{hashlib.sha256(fork.encode()).hexdigest()[:12]}"


def _mark(fork: bool) -> dict[str, str]:
    """The label by which a cluster's policies know the code of forks."""
    return {"fork": "true"} if fork else {}


def image_to_pin(run: Run) -> str | Live | None:
    """Where the image of `run` comes from if it is not built: what the engine is to look up."""
    if run.image_definition is None:
        return None
    image = Image.model_validate(run.image_definition)
    return image.live or image.origin


def _about(run: Run, url: str, fork: bool) -> About:
    """What people see of a run where the engine lists it."""
    facts = {"actor": run.actor, "commit": run.commit, "url": f"{url}/runs/{run.number}"}
    return About(
        labels={"job": run.job, "run": str(run.number), "cause": run.cause} | _mark(fork),
        annotations={name: text for name, text in facts.items() if text is not None},
    )
