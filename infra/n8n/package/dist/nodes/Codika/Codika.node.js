'use strict';

const { NodeOperationError } = require('n8n-workflow');

const { description } = require('./description');

/** One function per operation: (context, items) → output items. */
const OPERATIONS = {
	initWorkflow: require('./operations/initWorkflow').initWorkflow,
	initDataIngestion: require('./operations/initDataIngestion').initDataIngestion,
	submitResult: require('./operations/submitResult').submitResult,
	reportError: require('./operations/reportError').reportError,
	uploadFile: require('./operations/uploadFile').uploadFile,
	ingestionCallback: require('./operations/ingestionCallback').ingestionCallback,
};

class Codika {
	constructor() {
		this.description = description;
	}

	async execute() {
		// The resource only decides what the editor shows; older workflows carry other ones.
		const operation = this.getNodeParameter('operation', 0);
		if (!Object.hasOwn(OPERATIONS, operation)) {
			throw new NodeOperationError(this.getNode(), `Unknown operation "${operation}"`);
		}
		try {
			return [await OPERATIONS[operation](this, this.getInputData())];
		} catch (error) {
			if (this.continueOnFail()) {
				return [[{ json: { success: false, error: error.message }, pairedItem: { item: 0 } }]];
			}
			if (error instanceof NodeOperationError) throw error;
			throw new NodeOperationError(this.getNode(), error.message);
		}
	}
}

module.exports = { Codika };
