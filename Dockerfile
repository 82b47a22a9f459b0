# The command line in a container, as a user who is not root:
#   docker build --tag touchline:0.1.0.dev0 .
#   docker run --rm --user "$(id -u)" --volume "$PWD:/srv/touchline" touchline:0.1.0.dev0 playbook check playbook.toml
# pip finds its index as it does on the machine that builds; every package is held to its hash.

FROM python:3.13-slim AS build
RUN python -m venv /opt/touchline
ENV PATH=/opt/touchline/bin:$PATH
WORKDIR /source
# What is locked changes less often than the source: this layer is made once.
COPY requirements/run.txt requirements/run.txt
RUN pip install --no-cache-dir --disable-pip-version-check --require-hashes -r requirements/run.txt
COPY pyproject.toml README.md LICENSE ./
COPY playbook playbook
COPY features features
COPY models models
COPY serve serve
COPY pipelines pipelines
COPY src src
RUN pip install --no-cache-dir --disable-pip-version-check --no-build-isolation --no-deps .

FROM python:3.13-slim
# LightGBM's wheel expects OpenMP on the machine, and the slim image has none.
RUN apt-get update \
    && apt-get install --yes --no-install-recommends libgomp1 \
    && rm -rf /var/lib/apt/lists/* \
    && useradd --uid 10001 --no-create-home --home-dir /tmp touchline
COPY --from=build /opt/touchline /opt/touchline
# The kernels are compiled for the machine they run on, into the home folder: nobody but root may write beside the code.
ENV PATH=/opt/touchline/bin:$PATH HOME=/tmp
WORKDIR /srv/touchline
USER 10001
ENTRYPOINT ["touchline"]
