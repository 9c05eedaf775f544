"""A version as it is deployed, loaded once per process for any number of installations."""

from __future__ import annotations

from shared.errors import InvalidRequest
from shared.model.instance import ProcessInstance
from shared.services.deployments.begin import Version
from shared.services.deployments.work import load_template
from shared.services.platform import Platform
from shared.store import refs
from shared.store.store import Found
from shared.validation.parameters import coerce_parameters, effective_parameters, missing_parameters


async def version_of(platform: Platform, template_id: str) -> Version:
    """Return a version; its status is that of the moment it was first asked for.

    Raises:
        KeyError: there is none with that id.
    """

    async def load() -> Version:
        found = await platform.store.get(refs.template(template_id))
        if found is None:
            raise KeyError(template_id)
        template = found.value
        configuration, texts = await load_template(platform, template)
        return Version(template_id, template, configuration, texts)

    return await platform.versions.get(template_id, load)


def require_parameters(
    version: Version, instance: ProcessInstance, given: dict[str, object] | None = None
) -> dict[str, object]:
    """Return the given parameters in their declared types; all together must suit the version.

    Raises:
        InvalidRequest: ``MISSING_PARAMETERS``, a required one has neither a value nor a default;
            ``INVALID_PARAMETERS``, the version wants another kind of value than there is.
    """
    schema = version.configuration.deployment_input_schema
    coerced = coerce_parameters(schema, given or {})
    merged = {**instance.deployment_parameters, **coerced}
    kept = {name: value for name, value in merged.items() if value is not None}
    effective = effective_parameters(schema, version.configuration.default_deployment_parameters, kept)
    if missing := missing_parameters(schema, effective):
        names = ", ".join(f"deploymentParameters.{name}" for name in missing)
        raise InvalidRequest(
            f"Version {version.template.version} needs parameters this process instance does not have: "
            f"{names}. Update it with them.",
            code="MISSING_PARAMETERS",
            field=f"deploymentParameters.{missing[0]}",
            reason="is required",
        )
    try:
        coerce_parameters(schema, effective)
    except InvalidRequest as error:
        raise InvalidRequest(error.message, code="INVALID_PARAMETERS", details=error.details) from None
    return coerced


def id_of(found: Found[ProcessInstance]) -> str:
    """Return the id of an installation that was read."""
    return found.ref.path.rpartition("/")[2]
