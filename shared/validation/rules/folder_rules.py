"""Every rule about a use case as a whole, in the order in which findings are told."""

from __future__ import annotations

from shared.validation.engine.rule import Rule
from shared.validation.rules.folder import files, integrations, references, skills, triggers
from shared.validation.usecase.declared import UseCase

FOLDER_RULES: tuple[Rule[UseCase], ...] = (
    files.configuration_exports,
    files.files_are_listed,
    files.files_are_json,
    files.field_types_are_known,
    references.called_workflows_exist,
    references.callers_are_named,
    references.integrations_are_declared,
    triggers.addresses_lead_to_webhooks,
    triggers.workflows_have_triggers,
    triggers.triggers_are_in_files,
    triggers.trigger_types_are_known,
    skills.folders_hold_skills,
    skills.skills_have_front_matter,
    skills.skills_are_named,
    skills.skills_are_described,
    skills.skills_lead_to_workflows,
    skills.skills_differ,
    integrations.integrations_hold_together,
    triggers.inputs_have_keys,
    triggers.schedules_are_complete,
    triggers.addresses_differ,
)
