# Errand. With the process engine jobs run inside this container, so what they need has to be in it too: build your
# own image FROM this one and add that. On Kubernetes it is used as it is: docs/kubernetes.md. The container engine is
# not meant to run in here: it reads logs and mounts files by their paths on its own machine. How to run it:
# docs/operations.md.

# The base is named by digest, so that two builds have the same one and nobody can put another in its place:
# docs/operations.md says how. A build without a digest stops at its first step.
ARG PYTHON=python:3.13-slim
FROM ${PYTHON} AS build
ARG PYTHON
RUN case "$PYTHON" in *@sha256:*) ;; *) echo "Name the base by digest: --build-arg PYTHON=python@sha256:..." >&2; exit 1;; esac
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1 PIP_ROOT_USER_ACTION=ignore
WORKDIR /src
COPY requirements.lock requirements-dev.lock ./
# Locked with hashes, the build tool too; pip compiles what it installs to bytecode.
RUN python -m venv /opt/errand \
    && /opt/errand/bin/pip install --require-hashes --only-binary :all: -r requirements.lock \
    && awk '/^[a-z]/ {on = /^setuptools==/} on' requirements-dev.lock > build.lock \
    && pip install --require-hashes --only-binary :all: -r build.lock
COPY pyproject.toml README.md LICENSE errand.py service.py ./
COPY bot bot
COPY demo demo
COPY executor executor
COPY terminal terminal
COPY webhooks webhooks
RUN pip wheel --no-deps --no-build-isolation --wheel-dir dist . \
    && /opt/errand/bin/pip install --no-deps --no-index dist/*.whl \
    && /opt/errand/bin/pip uninstall --yes pip

FROM ${PYTHON}
LABEL org.opencontainers.image.title="Errand" \
      org.opencontainers.image.description="A ChatOps job runner: pull requests and Slack start jobs, pushes build images" \
      org.opencontainers.image.licenses="MIT"
# git fetches what jobs run in, bash runs their setup. tini is process 1: supervisors of jobs outlive whoever
# started them, so somebody has to reap what they leave, and pass SIGTERM on to Errand.
RUN apt-get update \
    && apt-get install --yes --no-install-recommends bash ca-certificates git tini \
    && rm -rf /var/lib/apt/lists/* \
    && useradd --system --uid 10001 --home-dir /var/lib/errand --create-home errand \
    && install -d /etc/errand
COPY --from=build /opt/errand /opt/errand
ENV PATH=/opt/errand/bin:$PATH PYTHONDONTWRITEBYTECODE=1
USER errand
WORKDIR /var/lib/errand
# The database, the logs and the work directory; app.yaml is mounted at /etc/errand/app.yaml.
VOLUME /var/lib/errand
EXPOSE 8000
# http.client rather than urllib, which would ask a proxy of the environment.
HEALTHCHECK --interval=30s --timeout=5s --start-period=30s --retries=3 \
    CMD ["python", "-c", "import http.client as h; c = h.HTTPConnection('127.0.0.1', 8000, timeout=4); c.request('GET', '/healthz'); raise SystemExit(c.getresponse().status != 200)"]
ENTRYPOINT ["tini", "--", "errand"]
CMD ["serve", "--host", "0.0.0.0", "--config", "/etc/errand/app.yaml"]
