# docker build -t gradwire .                          PyTorch's CPU build
# docker build -t gradwire --build-arg TORCH=cu130 .  a CUDA build, by the name that PyTorch's install page gives it
# docker run --rm -p 8000:8000 --read-only --tmpfs /tmp gradwire
ARG PYTHON=3.11

FROM python:${PYTHON}-slim AS build
# Where torch alone comes from: TORCH_INDEX, a package index, if given; else PyTorch's own index of the build TORCH;
# with both empty, pip's own configuration decides.
ARG TORCH_INDEX=
ARG TORCH=cpu
ENV PIP_NO_CACHE_DIR=1 \
    PIP_DISABLE_PIP_VERSION_CHECK=1
RUN python -m venv /opt/gradwire
WORKDIR /src
COPY constraints.txt ./
# A layer of its own: PyTorch is hundreds of megabytes and changes less often than the rest.
RUN index="${TORCH_INDEX:-${TORCH:+https://download.pytorch.org/whl/${TORCH}}}" \
    && if [ -n "$index" ]; then export PIP_INDEX_URL="$index"; fi \
    && /opt/gradwire/bin/pip install --no-deps --constraint constraints.txt torch
COPY pyproject.toml README.md LICENSE ./
COPY app app
RUN /opt/gradwire/bin/pip install --constraint constraints.txt .

FROM python:${PYTHON}-slim
RUN useradd --system --uid 10001 --no-create-home --shell /usr/sbin/nologin gradwire
COPY --from=build /opt/gradwire /opt/gradwire
# The root file system may be read-only: byte code was compiled above, and HOME is where scratch files may go.
ENV PATH=/opt/gradwire/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    HOME=/tmp \
    GRADWIRE_HOST=0.0.0.0 \
    GRADWIRE_PORT=8000
USER 10001:10001
EXPOSE 8000
HEALTHCHECK --interval=10s --timeout=5s --start-period=30s --retries=3 \
    CMD ["python", "-c", "import http.client, os, sys; c = http.client.HTTPConnection('127.0.0.1', int(os.environ['GRADWIRE_PORT']), timeout=4); c.request('GET', '/healthz'); sys.exit(c.getresponse().status != 200)"]
ENTRYPOINT ["gradwire"]
CMD ["serve"]
