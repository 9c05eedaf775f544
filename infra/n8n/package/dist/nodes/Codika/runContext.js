'use strict';

/**
 * What Init leaves behind for later nodes of the same n8n execution, in its custom data.
 *
 * n8n keeps ten entries and drops further ones silently, so the order of writing matters.
 */

function customData(context) {
	return context.customData ?? context.getWorkflowDataProxy(0).$execution.customData;
}

/** Keeps `entries` in order; values become strings. */
function remember(context, entries) {
	const store = customData(context);
	for (const [key, value] of Object.entries(entries)) store.set(key, String(value ?? ''));
}

function recall(context, key) {
	return customData(context).get(key) || '';
}

/** The ids of the run, or throws when no Init Workflow ran in this execution. */
function executionOf(context) {
	const executionId = recall(context, 'codikaExecutionId');
	const executionSecret = recall(context, 'codikaExecutionSecret');
	if (!executionId || !executionSecret) {
		throw new Error(
			'Missing execution context: no execution id and secret in this execution. Run "Init Workflow" earlier ' +
				'in the same workflow (a sub-workflow does not see the context of its parent).',
		);
	}
	return { executionId, executionSecret };
}

/** Milliseconds since Init, or undefined when unknown. */
function elapsedMs(context) {
	const started = Number(recall(context, 'codikaStartTimeMs'));
	return started > 0 ? Date.now() - started : undefined;
}

/** n8n's id of this execution, or undefined. */
function n8nExecutionId(context) {
	return context.getExecutionId() || undefined;
}

/** The object without its undefined entries. */
function defined(object) {
	return Object.fromEntries(Object.entries(object).filter(([, value]) => value !== undefined));
}

module.exports = { defined, elapsedMs, executionOf, n8nExecutionId, recall, remember };
