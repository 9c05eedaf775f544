"""A use case's workflows on their way into n8n: decode, order, lower, guard. Pure."""

from shared.ensemble.body import WorkflowBody, content_hash
from shared.ensemble.guard import Context, Violation, guard, violations
from shared.ensemble.lowering import lower
from shared.ensemble.naming import Origin
from shared.model.configuration.ordering import order, references
from shared.model.configuration.workflow_text import decode

__all__ = [
    "Context",
    "Origin",
    "Violation",
    "WorkflowBody",
    "content_hash",
    "decode",
    "guard",
    "lower",
    "order",
    "references",
    "violations",
]
