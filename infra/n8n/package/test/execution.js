'use strict';

/**
 * A small n8n around one node: parameters, items, custom data with n8n's own limits (n8n-core's functions),
 * binary data, and real HTTP.
 */

const metadata = require('n8n-core/dist/execution-engine/node-execution-context/utils/execution-metadata');

const { Codika } = require('../dist/nodes/Codika/Codika.node');

class Execution {
	constructor({ id = '42' } = {}) {
		this.id = id;
		this.runData = { resultData: {} };
	}

	get customData() {
		return metadata.getAllWorkflowExecutionMetadata(this.runData);
	}

	setCustomData(key, value) {
		metadata.setWorkflowExecutionMetadata(this.runData, key, value);
	}

	/** Runs the node once and returns its output items. */
	async run(operation, parameters = {}, items = [{ json: {} }], { continueOnFail = false } = {}) {
		const context = contextFor(this, { operation, ...parameters }, items, continueOnFail);
		const [output] = await new Codika().execute.call(context);
		return output;
	}

	/** Runs the node and returns the JSON of its one output item. */
	async one(...given) {
		const output = await this.run(...given);
		if (output.length !== 1) throw new Error(`expected one item, got ${output.length}`);
		return output[0].json;
	}
}

function contextFor(execution, parameters, items, continueOnFail) {
	return {
		getNode: () => ({ name: 'Codika', type: 'n8n-nodes-codika.codika', typeVersion: 1 }),
		getInputData: () => items,
		getExecutionId: () => execution.id,
		continueOnFail: () => continueOnFail,
		getNodeParameter(name, index, fallback) {
			const value = parameters[name];
			return (Array.isArray(value) && name !== 'extractedTags' ? value[index] : value) ?? fallback;
		},
		customData: {
			set: (key, value) => execution.setCustomData(key, value),
			get: (key) => metadata.getWorkflowExecutionMetadata(execution.runData, key),
		},
		helpers: {
			httpRequest,
			assertBinaryData(index, property) {
				const binary = items[index].binary?.[property];
				if (!binary) throw new Error(`no binary data '${property}'`);
				return binary;
			},
			getBinaryDataBuffer: async (index, property) => items[index].binary[property].content,
		},
	};
}

async function httpRequest({ method, url, body, json, headers = {} }) {
	const answer = await fetch(url, {
		method,
		headers: json ? { 'content-type': 'application/json', ...headers } : headers,
		body: json ? JSON.stringify(body) : body,
	});
	const text = await answer.text();
	const isJson = (answer.headers.get('content-type') ?? '').includes('json');
	return { statusCode: answer.status, body: isJson ? JSON.parse(text) : text };
}

module.exports = { Execution };
