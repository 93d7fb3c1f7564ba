# Stands in for python:3.11-slim-bookworm: Debian's own Python 3.11.
FROM local/debian:12
RUN apt-get update && apt-get install -y --no-install-recommends python3 python3-venv && \
    rm -rf /var/lib/apt/lists/* && ln -s python3 /usr/bin/python
CMD ["python3"]
