"""Running on containers: what docker-compose.yml mounts, its one-time provisioning, and a rehearsal on it."""
