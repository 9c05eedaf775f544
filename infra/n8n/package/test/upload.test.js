'use strict';

const assert = require('node:assert/strict');
const { test } = require('node:test');

const { Execution } = require('./execution');
const { startPlatform } = require('./platform');

const STORED = {
	success: true,
	documentId: 'd1',
	storagePath: 'a/b',
	fileName: 'x.txt',
	fileSize: 5,
	mimeType: 'text/plain',
	more: 'not passed on',
};
const UPLOAD = { '/uploadworkflowoutput': { json: STORED } };

function file(content, more = {}) {
	return { json: {}, binary: { data: { content: Buffer.from(content), ...more } } };
}

function initialized() {
	const execution = new Execution();
	execution.setCustomData('codikaExecutionId', 'e1');
	execution.setCustomData('codikaExecutionSecret', 's1');
	return execution;
}

/** The parts of a request in order, as a standard parser reads them. */
async function partsOf({ headers, raw }) {
	const form = await new Response(raw, { headers: { 'content-type': headers['content-type'] } }).formData();
	return [...form.entries()];
}

test('ids come first, then what the author set, then the file', async (t) => {
	const { requests } = await startPlatform(t, UPLOAD);
	const parameters = { fieldKey: 'report', fileName: 'r.pdf', mimeType: 'application/pdf' };
	const output = await initialized().one('uploadFile', parameters, [file('hello', { fileName: 'orig.bin' })]);
	const parts = await partsOf(requests[0]);
	assert.deepEqual(parts.map(([name]) => name), [
		'executionId', 'executionSecret', 'fieldKey', 'fileName', 'mimeType', 'file',
	]);
	const stored = parts.at(-1)[1];
	assert.deepEqual([stored.name, stored.type, await stored.text()], ['r.pdf', 'application/pdf', 'hello']);
	const { more, ...expected } = STORED;
	assert.deepEqual(output, expected);
});

test('name and type of the binary are used when the author sets none, and no empty part is sent', async (t) => {
	const { requests } = await startPlatform(t, UPLOAD);
	await initialized().run('uploadFile', {}, [file('hello', { fileName: 'orig.txt', mimeType: 'text/plain' })]);
	const parts = await partsOf(requests[0]);
	assert.deepEqual(parts.map(([name]) => name), ['executionId', 'executionSecret', 'file']);
	assert.deepEqual([parts[2][1].name, parts[2][1].type], ['orig.txt', 'text/plain']);
});

test('a binary without name and type is a file of octets', async (t) => {
	const { requests } = await startPlatform(t, UPLOAD);
	await initialized().run('uploadFile', {}, [file('hello')]);
	const [, , [, stored]] = await partsOf(requests[0]);
	assert.deepEqual([stored.name, stored.type], ['file', 'application/octet-stream']);
});

test('bytes arrive as they are, also those that look like a boundary', async (t) => {
	const { requests } = await startPlatform(t, UPLOAD);
	const content = Buffer.concat([Buffer.from('\r\n------n8nBoundary\r\n'), Buffer.from([0, 255, 128, 13, 10])]);
	await initialized().run('uploadFile', {}, [{ json: {}, binary: { data: { content } } }]);
	const [, , [, stored]] = await partsOf(requests[0]);
	assert.deepEqual(Buffer.from(await stored.arrayBuffer()), content);
});

test('a file name cannot end its header', async (t) => {
	const { requests } = await startPlatform(t, UPLOAD);
	const fileName = 'a"; name="executionId"\r\nX: y.txt';
	await initialized().run('uploadFile', {}, [file('hello', { fileName })]);
	const parts = await partsOf(requests[0]);
	assert.deepEqual(parts.map(([name]) => name), ['executionId', 'executionSecret', 'file']);
	assert.equal(parts[0][1], 'e1');
});

test('every item is uploaded, with its own parameters', async (t) => {
	const { requests } = await startPlatform(t, UPLOAD);
	const output = await initialized().run('uploadFile', { fieldKey: ['one', 'two'] }, [file('1'), file('2')]);
	assert.equal(output.length, 2);
	assert.deepEqual(output.map(({ pairedItem }) => pairedItem.item), [0, 1]);
	const keys = await Promise.all(requests.map(async (request) => new Map(await partsOf(request)).get('fieldKey')));
	assert.deepEqual(keys, ['one', 'two']);
});

test('overrides beat the context, and do without it', async (t) => {
	const { requests } = await startPlatform(t, UPLOAD);
	const overrides = { executionIdOverride: 'e9', executionSecretOverride: 's9' };
	await initialized().run('uploadFile', overrides, [file('1')]);
	await new Execution().run('uploadFile', overrides, [file('1')]);
	for (const request of requests) {
		const parts = new Map(await partsOf(request));
		assert.deepEqual([parts.get('executionId'), parts.get('executionSecret')], ['e9', 's9']);
	}
	assert.equal(requests.length, 2);
});

test('a refused upload shows the words and the code', async (t) => {
	await startPlatform(t, {
		'/uploadworkflowoutput': {
			status: 404,
			json: { success: false, error: 'The run is over', code: 'EXECUTION_NOT_PENDING' },
		},
	});
	await assert.rejects(
		initialized().run('uploadFile', {}, [file('1')]),
		/^NodeOperationError: Upload failed: The run is over \(EXECUTION_NOT_PENDING\)$/,
	);
});

test('when the node continues on failure the other files are uploaded', async (t) => {
	await startPlatform(t, UPLOAD);
	const items = [file('1'), { json: {} }, file('3')];
	const output = await initialized().run('uploadFile', {}, items, { continueOnFail: true });
	assert.deepEqual(output.map(({ json }) => json.success), [true, false, true]);
});
