"""What the platform checks before it changes anything: configurations, payloads, parameters. Pure."""

from shared.validation.configuration import validate_configuration, validate_data_ingestion
from shared.validation.documents import CheckedDocument, check_document, check_documents
from shared.validation.integrations import validate_custom_integration
from shared.validation.parameters import coerce_parameters, effective_parameters, missing_parameters
from shared.validation.payload import validate_payload
from shared.validation.skills import validate_skills

__all__ = [
    "CheckedDocument",
    "check_document",
    "check_documents",
    "coerce_parameters",
    "effective_parameters",
    "missing_parameters",
    "validate_configuration",
    "validate_custom_integration",
    "validate_data_ingestion",
    "validate_payload",
    "validate_skills",
]
