'use strict';

const { callApi } = require('../api');
const { defined, elapsedMs, executionOf, n8nExecutionId } = require('../runContext');

/** Ends the run with a result. */
async function submitResult(context) {
	const { executionId, executionSecret } = executionOf(context);
	const executionTimeMs = elapsedMs(context);
	await callApi(
		context,
		'submitworkflowresult',
		defined({
			executionId,
			executionSecret,
			resultData: resultOf(context.getNodeParameter('resultData', 0)),
			n8nExecutionId: n8nExecutionId(context),
			executionTimeMs,
		}),
	);
	const submittedAt = new Date().toISOString();
	return [
		{ json: defined({ success: true, executionId, submittedAt, executionTimeMs }), pairedItem: { item: 0 } },
	];
}

function resultOf(value) {
	if (typeof value !== 'string') return value;
	try {
		return JSON.parse(value);
	} catch (error) {
		throw new Error(`Invalid JSON in resultData: ${error.message}`);
	}
}

module.exports = { submitResult };
