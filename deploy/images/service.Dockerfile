# One service, and nothing but what it needs: its own lock file, its own code, shared/.
#   docker build --build-arg SERVICE=intake -f deploy/images/service.Dockerfile .
ARG PYTHON_IMAGE=python:3.11-slim-bookworm
FROM ${PYTHON_IMAGE}

ARG SERVICE
# The vault prints names, intake the application sheet: they need the fonts that have every character of them.
RUN if [ "$SERVICE" = vault ] || [ "$SERVICE" = intake ]; then \
        apt-get update && apt-get install -y --no-install-recommends fonts-ipamj-mincho fonts-ipaexfont && \
        rm -rf /var/lib/apt/lists/*; \
    fi

COPY locks/${SERVICE}.txt /tmp/lock.txt
RUN python3 -m venv /venv && \
    /venv/bin/python -m pip install --quiet --no-cache-dir --disable-pip-version-check --require-hashes -r /tmp/lock.txt && \
    rm /tmp/lock.txt

# Volumes take their owner from here at first use.
RUN mkdir -p /state /keystore && chown 10001:10001 /state /keystore && chmod 700 /state /keystore
WORKDIR /app
COPY shared shared
COPY services/__init__.py services/__init__.py
COPY services/${SERVICE} services/${SERVICE}

ENV PATH=/venv/bin:/usr/local/bin:/usr/bin:/bin PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 KUJI_SERVICE=${SERVICE} \
    KUJI_HTTP_HOST=0.0.0.0 KUJI_HTTP_PORT=8100 KUJI_STATE_DIR=/state KUJI_CAMPAIGNS_DIR=/campaigns
USER 10001:10001
EXPOSE 8100
CMD ["sh", "-c", "exec python -m services.${KUJI_SERVICE}"]
