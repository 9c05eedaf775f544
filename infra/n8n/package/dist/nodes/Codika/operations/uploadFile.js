'use strict';

const { NodeOperationError } = require('n8n-workflow');

const { apiBase, request, successOf } = require('../api');
const { multipart } = require('../multipart');
const { defined, executionOf } = require('../runContext');

/** Stores one file per item with the run; the document ids go into the result. */
async function uploadFile(context, items) {
	const uploaded = [];
	for (const index of items.keys()) {
		try {
			uploaded.push({ json: await upload(context, index), pairedItem: { item: index } });
		} catch (error) {
			if (!context.continueOnFail()) {
				throw new NodeOperationError(context.getNode(), error.message, { itemIndex: index });
			}
			uploaded.push({ json: { success: false, error: error.message }, pairedItem: { item: index } });
		}
	}
	return uploaded;
}

async function upload(context, index) {
	const parameter = (name, fallback = '') => context.getNodeParameter(name, index, fallback);
	const property = parameter('binaryPropertyName', 'data');
	const binary = context.helpers.assertBinaryData(index, property);
	const { contentType, body } = multipart(
		defined({
			...identity(context, parameter),
			fieldKey: parameter('fieldKey') || undefined,
			fileName: parameter('fileName') || undefined,
			mimeType: parameter('mimeType') || undefined,
		}),
		{
			name: parameter('fileName') || binary.fileName || 'file',
			type: parameter('mimeType') || binary.mimeType || 'application/octet-stream',
			content: await context.helpers.getBinaryDataBuffer(index, property),
		},
	);
	const { statusCode, body: answer } = await request(context, {
		method: 'POST',
		url: `${apiBase()}/uploadworkflowoutput`,
		headers: { 'Content-Type': contentType, 'Content-Length': body.length },
		body,
		timeout: parameter('timeout', 300000),
	});
	const { documentId, storagePath, fileName, fileSize, mimeType } = successOf(answer, statusCode, 'Upload failed');
	return { success: true, documentId, storagePath, fileName, fileSize, mimeType };
}

/** The run to upload to. Sub-workflows have no context of their own and pass both ids as overrides. */
function identity(context, parameter) {
	const executionId = parameter('executionIdOverride');
	const executionSecret = parameter('executionSecretOverride');
	if (executionId && executionSecret) return { executionId, executionSecret };
	const found = executionOf(context);
	return {
		executionId: executionId || found.executionId,
		executionSecret: executionSecret || found.executionSecret,
	};
}

module.exports = { uploadFile };
