"""The parameters an installation is given, judged before anything changes (types §6)."""

from __future__ import annotations

from collections.abc import Mapping

from shared.errors import InvalidRequest
from shared.model.configuration import Configuration
from shared.validation.parameters import coerce_parameters, effective_parameters, missing_parameters


def settled_parameters(
    configuration: Configuration, stored: Mapping[str, object], given: Mapping[str, object]
) -> dict[str, object]:
    """Return an installation's stored parameters with the given ones; ``null`` unsets one.

    Raises:
        InvalidRequest: some are unknown, do not fit, or have no value though they must.
    """
    schema = configuration.deployment_input_schema
    merged = {**stored, **coerce_parameters(schema, given)}
    kept = {name: value for name, value in merged.items() if value is not None}
    effective = effective_parameters(schema, configuration.default_deployment_parameters, kept)
    if missing := missing_parameters(schema, effective):
        names = ", ".join(f"deploymentParameters.{name}" for name in missing)
        raise InvalidRequest(
            f"The deployment parameters are not valid: {names} must be given.",
            field=f"deploymentParameters.{missing[0]}",
            reason="is required",
        )
    return kept
