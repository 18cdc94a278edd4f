# The gateway, its first-party plugins and nothing else. State lives in /data, the config in /config:
#
#   docker run -p 8080:8080 -v paywall-data:/data -v "$PWD/config:/config:ro" paywall-gateway
#
# Inside a container the config has to say `listen: 0.0.0.0:8080`; loopback would be the container's own.
# Debian, not Alpine: the embedded store comes as a wheel for glibc.
FROM python:3.11-slim-bookworm AS build

SHELL ["/bin/bash", "-euo", "pipefail", "-c"]
WORKDIR /build

# Lists before code, so that a change of code does not fetch the libraries again. The environment gets no pip of its
# own: what is not there can't be used to install something else later.
COPY requirements/build.txt requirements/run.txt requirements/
RUN python -m pip install --no-cache-dir --require-hashes --no-deps -r requirements/build.txt \
 && python -m venv --without-pip /opt/paywall \
 && python -m pip --python /opt/paywall/bin/python install --no-cache-dir --no-compile \
      --require-hashes --no-deps --only-binary :all: -r requirements/run.txt

COPY pyproject.toml README.md LICENSE ./
COPY gateway gateway
COPY plugins plugins
RUN python -m pip wheel --no-cache-dir --no-deps --no-build-isolation --wheel-dir dist . \
 && python -m pip --python /opt/paywall/bin/python install --no-cache-dir --no-compile --no-index --no-deps dist/*.whl \
 && /opt/paywall/bin/python -m compileall -q /opt/paywall/lib


FROM python:3.11-slim-bookworm

# A fixed number, so that volumes keep their owner from image to image and a cluster can demand it.
RUN groupadd --gid 10001 paywall \
 && useradd --uid 10001 --gid 10001 --home-dir /data --no-create-home --shell /usr/sbin/nologin paywall \
 && install --directory --owner 10001 --group 10001 --mode 0700 /data \
 && install --directory /config

COPY --from=build /opt/paywall /opt/paywall
ENV PATH=/opt/paywall/bin:$PATH \
    PYTHONUNBUFFERED=1

USER 10001:10001
WORKDIR /data
VOLUME /data
EXPOSE 8080
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=15s --timeout=5s --start-period=20s --retries=3 CMD ["paywall", "health"]
ENTRYPOINT ["paywall"]
CMD ["run", "--config", "/config/paywall.yaml"]
