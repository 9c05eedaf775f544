'use strict';

const { request } = require('../api');
const { defined, elapsedMs, n8nExecutionId, recall } = require('../runContext');

/** Tells the sender of a document what became of it, at the address it gave. */
async function ingestionCallback(context) {
	const docId = recall(context, 'codikaDocId');
	const callbackUrl = recall(context, 'codikaCallbackUrl');
	const embeddingSecret = recall(context, 'codikaEmbeddingSecret');
	if (!docId || !callbackUrl || !embeddingSecret) {
		throw new Error(
			'Missing ingestion context: no document id, callback URL and secret in this execution. Run "Init Data ' +
				'Ingestion" earlier in the same workflow, on a document that was sent with a callback URL.',
		);
	}
	const status = context.getNodeParameter('status', 0, 'success');
	const extractedTags = tagsOf(context.getNodeParameter('extractedTags', 0, []));
	const executionTimeMs = elapsedMs(context) ?? 0;
	const { statusCode, body } = await request(context, {
		method: 'POST',
		url: callbackUrl,
		json: true,
		body: defined({
			doc_id: docId,
			embedding_secret: embeddingSecret,
			status,
			extracted_tags: extractedTags,
			executionTimeMs,
			...kept(context),
			...reason(context, status),
		}),
	});
	if (statusCode >= 300) {
		throw new Error(`Codika API error: ${body?.error || 'Unknown error'} (${body?.code || statusCode})`);
	}
	const json = { success: true, docId, status, extractedTags, executionTimeMs, callbackResponse: body ?? '' };
	return [{ json, pairedItem: { item: 0 } }];
}

function kept(context) {
	const cost = recall(context, 'codikaCost');
	return {
		process_id: recall(context, 'codikaProcessId') || undefined,
		data_ingestion_id: recall(context, 'codikaDataIngestionId') || undefined,
		process_instance_id: recall(context, 'codikaProcessInstanceId') || undefined,
		context_type: recall(context, 'codikaContextType') || undefined,
		cost: cost === '' ? undefined : Number(cost),
		n8n_execution_id: n8nExecutionId(context),
	};
}

function reason(context, status) {
	const text = (name) => context.getNodeParameter(name, 0, '') || undefined;
	if (status === 'skipped') return { skip_reason: text('skipReason') };
	if (status === 'failed') return { error_message: text('errorMessage') };
	return {};
}

/** A list, a JSON list as text, or names separated by commas. */
function tagsOf(value) {
	if (Array.isArray(value)) return value;
	const text = String(value ?? '').trim();
	if (text.startsWith('[')) {
		try {
			return JSON.parse(text);
		} catch (error) {
			throw new Error(`Invalid JSON in extractedTags: ${error.message}`);
		}
	}
	return text.split(',').map((tag) => tag.trim()).filter(Boolean);
}

module.exports = { ingestionCallback };
