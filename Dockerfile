# For CPUs. Build and run it from the repository's root:
#
#   docker build --tag clrs-text-bench .
#   docker run --rm --user "$(id -u):$(id -g)" --volume "$PWD:/work" clrs-text-bench quickstart

FROM python:3.11-slim AS wheel
WORKDIR /source
COPY pyproject.toml README.md LICENSE ./
COPY clrs_text_bench clrs_text_bench
COPY generators generators
COPY evaluators evaluators
COPY models models
RUN pip wheel --no-cache-dir --no-deps --wheel-dir /wheels .

FROM python:3.11-slim
COPY --from=wheel /wheels /wheels
RUN pip install --no-cache-dir /wheels/*.whl && rm -r /wheels
# Whoever runs it: compiled kernels and settings of libraries are kept in the home folder.
ENV HOME=/tmp
USER 1000:1000
WORKDIR /work
ENTRYPOINT ["clrs-text-bench"]
CMD ["--help"]
