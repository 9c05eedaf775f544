'use strict';

const assert = require('node:assert/strict');
const { test } = require('node:test');

const { Execution } = require('./execution');
const { startPlatform } = require('./platform');

const METADATA = {
	executionId: 'e1',
	executionSecret: 's1',
	callbackUrl: 'http://p/result',
	errorCallbackUrl: 'http://p/error',
	workflowId: 'w1',
	processId: 'p1',
	processInstanceId: 'i1',
	userId: 'u1',
};
const CREATE = {
	memberSecret: 'm1',
	organizationId: 'o1',
	userId: 'u1',
	processInstanceId: 'i1',
	workflowId: 'w1',
	triggerType: 'schedule',
};

async function initialized(options) {
	const execution = new Execution(options);
	await execution.run('initWorkflow', {}, [{ json: { body: { executionMetadata: METADATA } } }]);
	return execution;
}

test('a run the platform started is taken over without any call', async (t) => {
	const { requests } = await startPlatform(t);
	const execution = new Execution();
	const items = [{ json: { body: { a: 1, executionMetadata: METADATA } } }, { json: {} }];
	const { _startTimeMs, ...output } = await execution.one('initWorkflow', {}, items);
	assert.deepEqual(output, {
		executionId: 'e1',
		executionSecret: 's1',
		callbackUrl: 'http://p/result',
		errorCallbackUrl: 'http://p/error',
		processId: 'p1',
		processInstanceId: 'i1',
		userId: 'u1',
		workflowId: 'w1',
		_mode: 'passthrough',
	});
	assert.ok(Math.abs(Date.now() - _startTimeMs) < 1000);
	assert.deepEqual(execution.customData, {
		codikaExecutionId: 'e1',
		codikaExecutionSecret: 's1',
		codikaStartTimeMs: String(_startTimeMs),
	});
	assert.equal(requests.length, 0);
});

test('metadata at the root of an item that is no webhook item is taken over too', async () => {
	const output = await new Execution().one('initWorkflow', {}, [{ json: { executionMetadata: METADATA } }]);
	assert.equal(output._mode, 'passthrough');
});

test('without an error callback the output says so with an empty text', async () => {
	const { errorCallbackUrl, ...rest } = METADATA;
	const output = await new Execution().one('initWorkflow', {}, [{ json: { executionMetadata: rest } }]);
	assert.equal(output.errorCallbackUrl, '');
});

for (const name of ['executionId', 'executionSecret', 'callbackUrl']) {
	test(`metadata with an empty ${name} is no run: the platform is asked for one`, async (t) => {
		const { requests } = await startPlatform(t);
		const items = [{ json: { body: { executionMetadata: { ...METADATA, [name]: '' } } } }];
		await new Execution().run('initWorkflow', CREATE, items);
		assert.deepEqual(requests.map(({ path }) => path), ['/createworkflowexecution']);
	});
}

test('a workflow that starts by itself has the platform make a run', async (t) => {
	const { requests } = await startPlatform(t, {
		'/createworkflowexecution': {
			json: {
				success: true,
				executionId: 'e2',
				executionSecret: 's2',
				callbackUrl: 'http://p/r',
				processId: 'p2',
				userId: 'u2',
			},
		},
	});
	const execution = new Execution();
	const output = await execution.one('initWorkflow', CREATE, [{ json: { tick: 1 } }]);
	assert.deepEqual(requests[0].body, { ...CREATE, triggerData: { tick: 1 } });
	assert.equal(requests[0].method, 'POST');
	assert.equal(execution.customData.codikaExecutionSecret, 's2');
	assert.equal(output._mode, 'create');
	assert.deepEqual(
		[output.executionId, output.processId, output.userId, output.processInstanceId, output.workflowId],
		['e2', 'p2', 'u2', 'i1', 'w1'],
	);
	assert.equal(output.errorCallbackUrl, '');
});

test('several items become a list of trigger data', async (t) => {
	const { requests } = await startPlatform(t);
	await new Execution().run('initWorkflow', CREATE, [{ json: { n: 1 } }, { json: { n: 2 } }]);
	assert.deepEqual(requests[0].body.triggerData, [{ n: 1 }, { n: 2 }]);
});

test('missing parameters are named, and both situations explained', async () => {
	const { userId, ...rest } = CREATE;
	await assert.rejects(new Execution().run('initWorkflow', rest), /userId.*executionMetadata.*schedule/s);
});

test('a refused creation aborts with the words and the code of the platform', async (t) => {
	await startPlatform(t, {
		'/createworkflowexecution': {
			status: 402,
			json: { success: false, error: 'No credits left', code: 'INSUFFICIENT_CREDITS' },
		},
	});
	await assert.rejects(
		new Execution().run('initWorkflow', CREATE),
		/^NodeOperationError: Codika execution initialization failed: No credits left \(INSUFFICIENT_CREDITS\)$/,
	);
});

test('a result is sent with the ids of the run, of n8n, and the time it took', async (t) => {
	const { requests } = await startPlatform(t);
	const execution = await initialized({ id: '77' });
	const output = await execution.one('submitResult', { resultData: { answer: 42 } });
	const { executionTimeMs, ...body } = requests[0].body;
	assert.equal(requests[0].path, '/submitworkflowresult');
	assert.deepEqual(body, {
		executionId: 'e1',
		executionSecret: 's1',
		resultData: { answer: 42 },
		n8nExecutionId: '77',
	});
	assert.ok(executionTimeMs >= 0 && executionTimeMs < 5000);
	assert.deepEqual(Object.keys(output), ['success', 'executionId', 'submittedAt', 'executionTimeMs']);
});

test('a result given as text is parsed', async (t) => {
	const { requests } = await startPlatform(t);
	await (await initialized()).run('submitResult', { resultData: '{"answer":[1]}' });
	assert.deepEqual(requests[0].body.resultData, { answer: [1] });
});

test('a result that is no JSON is refused before anything is sent', async (t) => {
	const { requests } = await startPlatform(t);
	await assert.rejects((await initialized()).run('submitResult', { resultData: '{nope' }), /Invalid JSON in resultData/);
	assert.equal(requests.length, 0);
});

test('many input items still give one call and one item', async (t) => {
	const { requests } = await startPlatform(t);
	const items = [{ json: {} }, { json: {} }, { json: {} }];
	await (await initialized()).one('submitResult', { resultData: {} }, items);
	assert.equal(requests.length, 1);
});

for (const operation of ['submitResult', 'reportError', 'uploadFile']) {
	test(`${operation} without Init says what is missing`, async () => {
		const parameters = { resultData: {}, errorMessage: 'x' };
		const items = [{ json: {}, binary: { data: { content: Buffer.from('x') } } }];
		await assert.rejects(new Execution().run(operation, parameters, items), /Missing execution context/);
	});
}

test('without an n8n execution id and a start time both are left out', async (t) => {
	const { requests } = await startPlatform(t);
	const execution = new Execution({ id: '' });
	execution.setCustomData('codikaExecutionId', 'e1');
	execution.setCustomData('codikaExecutionSecret', 's1');
	await execution.run('submitResult', { resultData: {} });
	assert.deepEqual(Object.keys(requests[0].body), ['executionId', 'executionSecret', 'resultData']);
});

test('an error is reported flat, and the workflow goes on', async (t) => {
	const { requests } = await startPlatform(t);
	const output = await (await initialized()).one('reportError', {
		errorMessage: 'it broke',
		errorType: 'validation_error',
		failedNodeName: 'Parse',
	});
	const { executionTimeMs, ...body } = requests[0].body;
	assert.equal(requests[0].path, '/submitworkflowerror');
	assert.deepEqual(body, {
		executionId: 'e1',
		executionSecret: 's1',
		errorType: 'validation_error',
		errorMessage: 'it broke',
		n8nExecutionId: '42',
		failedNodeName: 'Parse',
	});
	assert.deepEqual(
		Object.keys(output),
		['success', 'executionId', 'reportedAt', 'errorType', 'executionTimeMs'],
	);
});

test('an error needs a message', async () => {
	await assert.rejects((await initialized()).run('reportError', { errorMessage: '' }), /Error Message/);
});

test('a refusal with status 200 shows the words and the code', async (t) => {
	await startPlatform(t, { '/submitworkflowresult': { json: { success: false, error: 'too late', code: 'X' } } });
	await assert.rejects(
		(await initialized()).run('submitResult', { resultData: {} }),
		/^NodeOperationError: Codika API error: too late \(X\)$/,
	);
});

test('an answer that does not say success is a failure', async (t) => {
	for (const answer of [{ json: {} }, { json: { success: 'true' } }, { text: 'ok' }]) {
		await startPlatform(t, { '/submitworkflowresult': answer });
		await assert.rejects(
			(await initialized()).run('submitResult', { resultData: {} }),
			/Codika API error: Unknown error \(UNKNOWN\)/,
		);
	}
});

test('a platform that cannot be reached is named', async () => {
	process.env.CODIKA_API_URL = 'http://127.0.0.1:9';
	await assert.rejects(
		(await initialized()).run('submitResult', { resultData: {} }),
		/Failed to call Codika API: .*http:\/\/127\.0\.0\.1:9/,
	);
});

test('a node that continues on failure passes the error on as an item', async () => {
	const output = await new Execution().one('submitResult', {}, [{ json: {} }], { continueOnFail: true });
	assert.equal(output.success, false);
	assert.match(output.error, /Missing execution context/);
});

test('an unknown operation is refused', async () => {
	await assert.rejects(new Execution().run('toString'), /Unknown operation/);
});
