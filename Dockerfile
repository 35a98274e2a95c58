# Encore in a container. It listens on the container's loopback only, since nobody is asked to sign in yet:
# run it with the host's network (see compose.yaml), or put a proxy that asks for a password beside it.
FROM python:3.13-slim

ENV PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    PIP_NO_CACHE_DIR=1 \
    PIP_DISABLE_PIP_VERSION_CHECK=1

WORKDIR /encore
COPY requirements.txt .
RUN pip install -r requirements.txt

COPY . .
RUN useradd --create-home --uid 1000 encore && mkdir -p /data && chown encore:encore /data && chmod 700 /data
USER encore
ENV ENCORE_DATA_DIR=/data
VOLUME /data

HEALTHCHECK --interval=30s --start-period=120s \
    CMD ["python", "-c", "import os, urllib.request as r; r.urlopen('http://127.0.0.1:' + os.environ.get('ENCORE_PORT', '8501') + '/health')"]
STOPSIGNAL SIGINT
CMD ["python", "-m", "lib", "run"]
