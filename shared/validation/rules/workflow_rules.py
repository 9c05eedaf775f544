"""Every rule about a workflow, in the order in which findings are told."""

from __future__ import annotations

from shared.validation.engine.rule import Rule
from shared.validation.engine.workflow import Workflow
from shared.validation.rules import calls, codika, credentials, lint, models, settings, tokens, webhooks

WORKFLOW_RULES: tuple[Rule[Workflow], ...] = (
    lint.long_running,
    lint.naming,
    lint.webhook_acknowledges,
    lint.retry_after,
    codika.has_init,
    codika.every_path_ends,
    codika.subworkflow_takes_input,
    codika.schedule_meets_webhook,
    tokens.parameter_is_not_quoted,
    tokens.placeholder_is_known,
    credentials.credential_is_placeholder,
    settings.settings_are_complete,
    settings.nothing_exported,
    models.answers_are_under_output,
    webhooks.webhook_has_id,
    webhooks.webhook_is_secured,
    models.models_are_current,
    calls.retries,
    calls.no_merge_before_end,
    calls.waits_for_subworkflow,
    calls.databases_always_answer,
    settings.is_laid_out,
)
