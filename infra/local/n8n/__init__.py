"""A real n8n for one machine: install it, start it, give it an owner and an API key."""

from infra.local.n8n.codika_cli import install_codika_cli
from infra.local.n8n.install import install
from infra.local.n8n.installation import N8nInstallation
from infra.local.n8n.launch import command, environment
from infra.local.n8n.node_package import install_node_package
from infra.local.n8n.owner import prepare

__all__ = [
    "N8nInstallation",
    "command",
    "environment",
    "install",
    "install_codika_cli",
    "install_node_package",
    "prepare",
]
