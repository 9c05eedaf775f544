"""Types of nodes that files may name and n8n does not know (platform §24)."""

from __future__ import annotations

from collections.abc import Mapping

OPERATIONS_OF_OLD_TYPES: Mapping[str, str] = {
    "codikaInitDataIngestion": "initDataIngestion",
    "codikaIngestionCallback": "ingestionCallback",
}
"""Types, without their package, that scaffolds were made with and no package ever provided, and the
operation of the Codika node each stands for."""
