'use strict';

const { parameters } = require('./parameters');

const OPERATION = {
	initWorkflow: {
		name: 'Init Workflow',
		value: 'initWorkflow',
		description: 'Start a run, or take over the one the platform started',
		action: 'Init workflow',
	},
	initDataIngestion: {
		name: 'Init Data Ingestion',
		value: 'initDataIngestion',
		description: 'Start the ingestion of a document',
		action: 'Init data ingestion',
	},
	submitResult: {
		name: 'Submit Result',
		value: 'submitResult',
		description: 'End the run with a result',
		action: 'Submit result',
	},
	uploadFile: {
		name: 'Upload File',
		value: 'uploadFile',
		description: 'Store a file with the run',
		action: 'Upload file',
	},
	ingestionCallback: {
		name: 'Ingestion Callback',
		value: 'ingestionCallback',
		description: 'Tell the platform what became of a document',
		action: 'Ingestion callback',
	},
	reportError: {
		name: 'Report Error',
		value: 'reportError',
		description: 'End the run as failed',
		action: 'Report error',
	},
};

const RESOURCES = [
	{ name: 'Initialize Execution', value: 'initializeExecution', operations: ['initWorkflow', 'initDataIngestion'] },
	{ name: 'Workflow Output', value: 'workflowOutputs', operations: ['submitResult'] },
	{ name: 'File Management', value: 'fileManagement', operations: ['uploadFile'] },
	{ name: 'Data Ingestion', value: 'dataIngestion', operations: ['ingestionCallback'] },
	{ name: 'Error Handling', value: 'errorHandling', operations: ['reportError'] },
	// What the guides write: one resource for everything.
	{ name: 'Process Management', value: 'processManagement', operations: Object.keys(OPERATION) },
];

// n8n drops a parameter its resource does not show, so every resource shows its operation.
const operations = RESOURCES.map((resource) => ({
	displayName: 'Operation',
	name: 'operation',
	type: 'options',
	noDataExpression: true,
	displayOptions: { show: { resource: [resource.value] } },
	options: resource.operations.map((name) => OPERATION[name]),
	default: resource.operations[0],
}));

const description = {
	displayName: 'Codika',
	name: 'codika',
	icon: 'file:codika.svg',
	group: ['transform'],
	version: 1,
	subtitle: '={{ $parameter["operation"] }}',
	description: 'Connects a workflow to the platform: start, result, errors, files, ingestion',
	defaults: { name: 'Codika' },
	inputs: ['main'],
	outputs: ['main'],
	usableAsTool: true,
	properties: [
		{
			displayName: 'Resource',
			name: 'resource',
			type: 'options',
			noDataExpression: true,
			options: RESOURCES.map(({ name, value }) => ({ name, value })),
			default: 'initializeExecution',
		},
		...operations,
		...parameters,
	],
};

module.exports = { description };
