'use strict';

const assert = require('node:assert/strict');
const { test } = require('node:test');

const { contentHash } = require('../dist/nodes/Codika/contentHash');
const { Execution } = require('./execution');
const { startPlatform } = require('./platform');

const SNAKE = {
	doc_id: 'a/b c',
	markdown_content: '# Title',
	process_id: 'p1',
	process_instance_id: 'i1',
	data_ingestion_id: 'g1',
	context_type: 'instance',
	context_id: 'c1',
	embedding_secret: 's1',
	namespace: 'sent',
	cost: 2.5,
};

function camel(object) {
	const name = (key) => key.replace(/_(.)/g, (_, letter) => letter.toUpperCase());
	return Object.fromEntries(Object.entries(object).map(([key, value]) => [name(key), value]));
}

async function started(body, parameters = {}) {
	const execution = new Execution();
	const output = await execution.one('initDataIngestion', parameters, [{ json: { body } }]);
	return { execution, output };
}

test('the hash is cyrb53 of the trimmed text', () => {
	// The published vectors of cyrb53 with seed 0.
	const vectors = {
		a: 7929297801672961,
		b: 8684336938537663,
		revenge: 4051478007546757,
		revenue: 8309097637345594,
	};
	for (const [text, hash] of Object.entries(vectors)) {
		assert.equal(contentHash(text), hash.toString(16));
		assert.equal(contentHash(`\n ${text}\t`), hash.toString(16));
	}
	assert.match(contentHash('Grüße 🚀'), /^[0-9a-f]{1,14}$/);
});

test('both spellings give the same document', async () => {
	const callback = { callback_url: 'http://p/cb' };
	const snake = (await started({ ...SNAKE, ...callback })).output;
	const camelCase = (await started(camel({ ...SNAKE, ...callback }))).output;
	for (const output of [snake, camelCase]) {
		delete output._startTimeMs;
		delete output.timestamp;
	}
	assert.deepEqual(snake, camelCase);
	assert.deepEqual(snake, {
		docId: 'a/b c',
		documentId: 'doc_a_b_c',
		contentHash: contentHash('# Title'),
		markdownContent: '# Title',
		namespace: 'sent',
		processId: 'p1',
		callbackUrl: 'http://p/cb',
		embeddingSecret: 's1',
		hasCallback: true,
		dataIngestionId: 'g1',
		contextType: 'instance',
		contextId: 'c1',
		processInstanceId: 'i1',
		cost: 2.5,
		existingTags: [],
		availableTags: ['proposal', 'rfp'],
	});
});

test('the namespace of the node beats the one sent', async () => {
	assert.equal((await started(SNAKE, { namespace: 'mine' })).output.namespace, 'mine');
});

test('a list of tags that was sent replaces the default, also an empty one', async () => {
	const { output } = await started({ ...SNAKE, available_tags: [], existing_tags: ['x'] });
	assert.deepEqual([output.availableTags, output.existingTags], [[], ['x']]);
});

test('a cost that is no number is ignored', async () => {
	assert.equal((await started({ ...SNAKE, cost: '2.5' })).output.cost, undefined);
});

for (const name of ['doc_id', 'markdown_content']) {
	test(`a document without ${name} is refused`, async () => {
		await assert.rejects(started({ ...SNAKE, [name]: '' }), /Missing doc_id or markdown_content/);
	});
}

test('n8n keeps the first ten entries, which hold all that the callback cannot do without', async () => {
	const { execution } = await started({ ...SNAKE, callback_url: 'http://p/cb' });
	assert.deepEqual(Object.keys(execution.customData), [
		'codikaDocId', 'codikaDocumentId', 'codikaContentHash', 'codikaNamespace', 'codikaProcessId',
		'codikaCallbackUrl', 'codikaEmbeddingSecret', 'codikaDataIngestionId', 'codikaProcessInstanceId',
		'codikaContextType',
	]);
});

test('the callback goes to the address that was sent, in the mixed spelling of the contract', async (t) => {
	const { url, requests } = await startPlatform(t, { '/cb?x=1': { json: { stored: true } } });
	const { execution } = await started({ ...SNAKE, callback_url: `${url}/cb?x=1` });
	const output = await execution.one('ingestionCallback', { extractedTags: ['t1'] });
	assert.equal(requests[0].path, '/cb?x=1');
	assert.deepEqual(requests[0].body, {
		doc_id: 'a/b c',
		embedding_secret: 's1',
		status: 'success',
		extracted_tags: ['t1'],
		executionTimeMs: 0,
		process_id: 'p1',
		data_ingestion_id: 'g1',
		process_instance_id: 'i1',
		context_type: 'instance',
		n8n_execution_id: '42',
	});
	assert.deepEqual(output, {
		success: true,
		docId: 'a/b c',
		status: 'success',
		extractedTags: ['t1'],
		executionTimeMs: 0,
		callbackResponse: { stored: true },
	});
});

test('fields that are empty are left out', async (t) => {
	const { url, requests } = await startPlatform(t);
	const { execution } = await started({
		doc_id: 'd', markdown_content: 'm', embedding_secret: 's', callback_url: `${url}/cb`,
	});
	await execution.run('ingestionCallback');
	assert.deepEqual(
		Object.keys(requests[0].body),
		['doc_id', 'embedding_secret', 'status', 'extracted_tags', 'executionTimeMs', 'n8n_execution_id'],
	);
});

test('reasons go with their status only', async (t) => {
	const { url, requests } = await startPlatform(t);
	const { execution } = await started({ ...SNAKE, callback_url: `${url}/cb` });
	const reasons = { skipReason: 'same', errorMessage: 'broken' };
	for (const status of ['success', 'skipped', 'failed']) {
		await execution.run('ingestionCallback', { status, ...reasons });
	}
	assert.deepEqual(
		requests.map(({ body }) => [body.status, body.skip_reason, body.error_message]),
		[['success', undefined, undefined], ['skipped', 'same', undefined], ['failed', undefined, 'broken']],
	);
});

for (const [given, tags] of [
	[['a', 'b'], ['a', 'b']],
	['["a","b"]', ['a', 'b']],
	[' a, b ,,', ['a', 'b']],
	['', []],
]) {
	test(`tags given as ${JSON.stringify(given)}`, async (t) => {
		const { url, requests } = await startPlatform(t);
		const { execution } = await started({ ...SNAKE, callback_url: `${url}/cb` });
		await execution.run('ingestionCallback', { extractedTags: given });
		assert.deepEqual(requests[0].body.extracted_tags, tags);
	});
}

test('only the status of the answer counts, and any body is passed on', async (t) => {
	const { url } = await startPlatform(t, { '/cb': { text: 'thanks' }, '/bad': { status: 500, text: 'no' } });
	const good = await started({ ...SNAKE, callback_url: `${url}/cb` });
	assert.equal((await good.execution.one('ingestionCallback')).callbackResponse, 'thanks');
	const bad = await started({ ...SNAKE, callback_url: `${url}/bad` });
	await assert.rejects(bad.execution.run('ingestionCallback'), /Codika API error: Unknown error \(500\)/);
});

test('a document that was sent without a callback cannot be called back', async () => {
	const { execution, output } = await started(SNAKE);
	assert.equal(output.hasCallback, false);
	await assert.rejects(execution.run('ingestionCallback'), /Missing ingestion context/);
});
