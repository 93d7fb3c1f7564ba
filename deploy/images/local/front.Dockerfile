# Stands in for caddy:2: Debian's Caddy, with the program that the health check calls.
FROM local/debian:12
RUN apt-get update && apt-get install -y --no-install-recommends caddy wget && rm -rf /var/lib/apt/lists/*
CMD ["caddy", "run", "--config", "/etc/caddy/Caddyfile", "--adapter", "caddyfile"]
