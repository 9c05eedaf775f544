'use strict';

const { callApi } = require('../api');
const { defined, elapsedMs, executionOf, n8nExecutionId } = require('../runContext');

/** Ends the run as failed; the n8n workflow itself goes on and succeeds. */
async function reportError(context) {
	const { executionId, executionSecret } = executionOf(context);
	const errorMessage = context.getNodeParameter('errorMessage', 0, '');
	if (!errorMessage) throw new Error('Error Message is required');
	const errorType = context.getNodeParameter('errorType', 0, 'node_failure');
	const executionTimeMs = elapsedMs(context);
	await callApi(
		context,
		'submitworkflowerror',
		defined({
			executionId,
			executionSecret,
			errorType,
			errorMessage,
			n8nExecutionId: n8nExecutionId(context),
			failedNodeName: context.getNodeParameter('failedNodeName', 0, '') || undefined,
			lastExecutedNode: context.getNodeParameter('lastExecutedNode', 0, '') || undefined,
			executionTimeMs,
		}),
	);
	const reportedAt = new Date().toISOString();
	const json = defined({ success: true, executionId, reportedAt, errorType, executionTimeMs });
	return [{ json, pairedItem: { item: 0 } }];
}

module.exports = { reportError };
