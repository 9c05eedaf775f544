'use strict';

const { contentHash } = require('../contentHash');
const { firstOf, incomingBody } = require('../incoming');
const { remember } = require('../runContext');

const DEFAULT_TAGS = ['proposal', 'rfp'];

/** Starts the ingestion of one document from what the platform sent to the webhook. */
async function initDataIngestion(context, items) {
	const body = incomingBody(items);
	const docId = firstOf(body, 'doc_id', 'docId');
	const markdownContent = firstOf(body, 'markdown_content', 'markdownContent');
	if (!docId || !markdownContent) {
		throw new Error('Missing doc_id or markdown_content: connect this node to the Webhook of the ingestion.');
	}
	const namespace = context.getNodeParameter('namespace', 0, '') || body.namespace || '';
	const document = described(body, { docId: String(docId), markdownContent: String(markdownContent), namespace });
	const startTimeMs = Date.now();
	keep(context, document, startTimeMs);
	const timestamp = new Date(startTimeMs).toISOString();
	return [{ json: { ...document, _startTimeMs: startTimeMs, timestamp }, pairedItem: { item: 0 } }];
}

function described(body, { docId, markdownContent, namespace }) {
	const callbackUrl = firstOf(body, 'callback_url', 'callbackUrl') ?? '';
	const embeddingSecret = firstOf(body, 'embedding_secret', 'embeddingSecret') ?? '';
	return {
		docId,
		documentId: `doc_${docId.replace(/[^A-Za-z0-9_-]/g, '_')}`,
		contentHash: contentHash(markdownContent),
		markdownContent,
		namespace,
		processId: firstOf(body, 'process_id', 'processId') ?? '',
		callbackUrl,
		embeddingSecret,
		hasCallback: Boolean(callbackUrl && embeddingSecret),
		dataIngestionId: firstOf(body, 'data_ingestion_id', 'dataIngestionId') ?? '',
		contextType: firstOf(body, 'context_type', 'contextType') ?? '',
		contextId: firstOf(body, 'context_id', 'contextId') ?? '',
		processInstanceId: firstOf(body, 'process_instance_id', 'processInstanceId') ?? '',
		cost: Number.isFinite(body.cost) ? body.cost : undefined,
		existingTags: firstOf(body, 'existing_tags', 'existingTags') ?? [],
		availableTags: firstOf(body, 'available_tags', 'availableTags') ?? DEFAULT_TAGS,
	};
}

/** n8n keeps the first ten of these; the callback does without the rest. */
function keep(context, document, startTimeMs) {
	remember(context, {
		codikaDocId: document.docId,
		codikaDocumentId: document.documentId,
		codikaContentHash: document.contentHash,
		codikaNamespace: document.namespace,
		codikaProcessId: document.processId,
		codikaCallbackUrl: document.callbackUrl,
		codikaEmbeddingSecret: document.embeddingSecret,
		codikaDataIngestionId: document.dataIngestionId,
		codikaProcessInstanceId: document.processInstanceId,
		codikaContextType: document.contextType,
		codikaCost: document.cost,
		codikaStartTimeMs: startTimeMs,
		codikaHasCallback: document.hasCallback,
	});
}

module.exports = { initDataIngestion };
