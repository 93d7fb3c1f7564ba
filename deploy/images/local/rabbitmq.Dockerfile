# Stands in for rabbitmq:4 as far as docker-compose.yml and testcontainers use it: the user's number, the folders, the
# variables RABBITMQ_DEFAULT_USER and RABBITMQ_DEFAULT_PASS (RabbitMQ reads them itself), logs on the console.
FROM local/debian:12
RUN groupadd --system --gid 999 rabbitmq && \
    useradd --system --uid 999 --gid rabbitmq --home-dir /var/lib/rabbitmq rabbitmq && \
    apt-get update && apt-get install -y --no-install-recommends rabbitmq-server && rm -rf /var/lib/apt/lists/* && \
    rm -rf /var/lib/rabbitmq/* /var/lib/rabbitmq/.erlang.cookie && mkdir -p /etc/rabbitmq/conf.d && \
    chown -R rabbitmq:rabbitmq /var/lib/rabbitmq /var/log/rabbitmq /etc/rabbitmq && chmod 777 /var/lib/rabbitmq
RUN printf 'loopback_users.guest = false\nlog.console = true\nlog.file = false\n' >/etc/rabbitmq/conf.d/10-defaults.conf
ENV LANG=C.UTF-8 HOME=/var/lib/rabbitmq PATH=/usr/lib/rabbitmq/bin:/usr/sbin:/usr/bin:/sbin:/bin
USER rabbitmq
VOLUME /var/lib/rabbitmq
EXPOSE 5672
CMD ["rabbitmq-server"]
