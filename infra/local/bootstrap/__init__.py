"""From running processes to a usable platform: keys, queues, n8n backend, two organizations."""

from infra.local.bootstrap.bootstrap import bootstrap, prepare

__all__ = ["bootstrap", "prepare"]
