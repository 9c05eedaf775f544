'use strict';

/** The parameters of each operation, as the editor shows them. */

function of(operation, fields, show = {}) {
	return fields.map((field) => ({
		type: 'string',
		default: '',
		...field,
		displayOptions: { show: { operation: [operation], ...show } },
	}));
}

const initWorkflow = of('initWorkflow', [
	{
		displayName: 'Needed only when the workflow starts by itself (schedule, service trigger)',
		name: 'createNotice',
		type: 'notice',
	},
	{ displayName: 'Member Secret', name: 'memberSecret', typeOptions: { password: true } },
	{ displayName: 'Organization ID', name: 'organizationId' },
	{ displayName: 'User ID', name: 'userId' },
	{ displayName: 'Process Instance ID', name: 'processInstanceId' },
	{ displayName: 'Workflow ID', name: 'workflowId' },
	{
		displayName: 'Trigger Type',
		name: 'triggerType',
		placeholder: 'schedule',
		description: 'What starts the workflow: http, schedule, gmail, slack, webhook or any other name',
	},
]);

const initDataIngestion = of('initDataIngestion', [
	{
		displayName: 'Namespace',
		name: 'namespace',
		description: 'Where the document belongs; the one it was sent with when empty',
	},
]);

const submitResult = of('submitResult', [
	{
		displayName: 'Result Data',
		name: 'resultData',
		type: 'json',
		default: '{}',
		required: true,
		description: 'An object with the fields of the output schema',
	},
]);

const reportError = of('reportError', [
	{ displayName: 'Error Message', name: 'errorMessage', required: true },
	{
		displayName: 'Error Type',
		name: 'errorType',
		type: 'options',
		options: [
			{ name: 'External API Error', value: 'external_api_error' },
			{ name: 'Node Failure', value: 'node_failure' },
			{ name: 'Timeout', value: 'timeout' },
			{ name: 'Validation Error', value: 'validation_error' },
		],
		default: 'node_failure',
	},
	{ displayName: 'Failed Node Name', name: 'failedNodeName' },
	{ displayName: 'Last Executed Node', name: 'lastExecutedNode' },
]);

const uploadFile = of('uploadFile', [
	{
		displayName: 'Binary Property',
		name: 'binaryPropertyName',
		default: 'data',
		required: true,
		description: 'The input property that holds the file',
	},
	{ displayName: 'Field Key', name: 'fieldKey', description: 'The output field this file belongs to' },
	{ displayName: 'File Name', name: 'fileName' },
	{ displayName: 'MIME Type', name: 'mimeType' },
	{
		displayName: 'Timeout',
		name: 'timeout',
		type: 'number',
		default: 300000,
		description: 'Milliseconds the upload may take',
	},
	{
		displayName: 'Execution ID Override',
		name: 'executionIdOverride',
		description: 'For sub-workflows, which do not see the context of their parent',
	},
	{
		displayName: 'Execution Secret Override',
		name: 'executionSecretOverride',
		typeOptions: { password: true },
	},
]);

const ingestionCallback = [
	...of('ingestionCallback', [
		{
			displayName: 'Status',
			name: 'status',
			type: 'options',
			options: [
				{ name: 'Failed', value: 'failed' },
				{ name: 'Skipped', value: 'skipped' },
				{ name: 'Success', value: 'success' },
			],
			default: 'success',
		},
		{
			displayName: 'Extracted Tags',
			name: 'extractedTags',
			description: 'A list, a JSON list, or names separated by commas',
		},
	]),
	...of('ingestionCallback', [{ displayName: 'Skip Reason', name: 'skipReason' }], { status: ['skipped'] }),
	...of('ingestionCallback', [{ displayName: 'Error Message', name: 'errorMessage' }], { status: ['failed'] }),
];

module.exports = {
	parameters: [
		...initWorkflow,
		...initDataIngestion,
		...submitResult,
		...reportError,
		...uploadFile,
		...ingestionCallback,
	],
};
