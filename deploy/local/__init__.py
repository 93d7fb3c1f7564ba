"""Everything on one machine: a private RabbitMQ, a private MongoDB, a mailbox, and the four services.

All of it listens on loopback, lives below one state folder, and ends with the process that started it.
"""
