'use strict';

const { callApi } = require('../api');
const { incomingBody } = require('../incoming');
const { remember } = require('../runContext');

const PARAMETERS = ['memberSecret', 'organizationId', 'userId', 'processInstanceId', 'workflowId', 'triggerType'];

/**
 * Starts a run: takes over the one the platform made before it called the webhook (passthrough), or has
 * the platform make one (create), for schedules and service triggers. Input data is not passed on.
 */
async function initWorkflow(context, items) {
	const given = Object.fromEntries(PARAMETERS.map((name) => [name, context.getNodeParameter(name, 0, '')]));
	const startTimeMs = Date.now();
	const metadata = incomingBody(items).executionMetadata;
	const run = isRun(metadata)
		? { ...passedThrough(metadata, given), _mode: 'passthrough' }
		: { ...(await created(context, items, given)), _mode: 'create' };
	remember(context, {
		codikaExecutionId: run.executionId,
		codikaExecutionSecret: run.executionSecret,
		codikaStartTimeMs: startTimeMs,
	});
	const { _mode, ...ids } = run;
	return [{ json: { ...ids, _startTimeMs: startTimeMs, _mode }, pairedItem: { item: 0 } }];
}

function isRun(metadata) {
	return Boolean(metadata?.executionId && metadata.executionSecret && metadata.callbackUrl);
}

function passedThrough(metadata, given) {
	return {
		executionId: metadata.executionId,
		executionSecret: metadata.executionSecret,
		callbackUrl: metadata.callbackUrl,
		errorCallbackUrl: metadata.errorCallbackUrl || '',
		processId: metadata.processId || '',
		processInstanceId: metadata.processInstanceId || given.processInstanceId,
		userId: metadata.userId || given.userId,
		workflowId: metadata.workflowId || given.workflowId,
	};
}

async function created(context, items, given) {
	const missing = PARAMETERS.filter((name) => !given[name]);
	if (missing.length > 0) {
		throw new Error(
			`Missing required parameters: ${missing.join(', ')}. A workflow called by the platform needs none, but ` +
				'its input must hold executionMetadata with executionId, executionSecret and callbackUrl (connect this ' +
				'node to the Webhook); a workflow that starts by itself (schedule, service trigger) needs all of them.',
		);
	}
	const triggerData = items.length === 1 ? items[0].json : items.map((item) => item.json);
	const answer = await callApi(
		context,
		'createworkflowexecution',
		{ ...given, triggerData },
		'Codika execution initialization failed',
	);
	return {
		executionId: answer.executionId,
		executionSecret: answer.executionSecret,
		callbackUrl: answer.callbackUrl,
		errorCallbackUrl: answer.errorCallbackUrl || '',
		processId: answer.processId,
		processInstanceId: given.processInstanceId,
		userId: answer.userId,
		workflowId: given.workflowId,
	};
}

module.exports = { initWorkflow };
