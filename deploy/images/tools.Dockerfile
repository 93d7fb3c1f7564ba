# What is run beside the services: making users and replica set once, and a mail server that keeps mail (rehearsals).
ARG PYTHON_IMAGE=python:3.11-slim-bookworm
FROM ${PYTHON_IMAGE}

COPY locks/vault.txt /tmp/lock.txt
RUN python3 -m venv /venv && \
    /venv/bin/python -m pip install --quiet --no-cache-dir --disable-pip-version-check --require-hashes -r /tmp/lock.txt && \
    rm /tmp/lock.txt
WORKDIR /app
COPY shared shared
COPY deploy/__init__.py deploy/__init__.py
COPY deploy/compose deploy/compose
COPY deploy/mongodb deploy/mongodb
COPY deploy/witness deploy/witness
COPY deploy/local/__init__.py deploy/local/mailbox.py deploy/local/
ENV PATH=/venv/bin:/usr/local/bin:/usr/bin:/bin PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1
USER 10001:10001
