'use strict';

const DEFAULT_API = 'https://api.codika.io';

/** The platform's base URL, without a slash at the end. */
function apiBase() {
	return (process.env.CODIKA_API_URL || DEFAULT_API).replace(/\/+$/, '');
}

/**
 * Posts a JSON body to the platform and returns its answer; throws unless it says `success: true`.
 *
 * @param prefix what stands before the platform's own words, e.g. "Codika API error"
 */
async function callApi(context, path, body, prefix = 'Codika API error') {
	const options = { method: 'POST', url: `${apiBase()}/${path}`, body, json: true };
	const { statusCode, body: answer } = await request(context, options);
	return successOf(answer, statusCode, prefix);
}

/**
 * Sends a request and returns status and body whatever the status, so that the platform's own code and
 * words reach the author and not only "Request failed with status code 402".
 */
async function request(context, options) {
	try {
		const answer = await context.helpers.httpRequest({
			...options,
			returnFullResponse: true,
			ignoreHttpStatusErrors: true,
		});
		return { statusCode: answer.statusCode, body: parsed(answer.body) };
	} catch (error) {
		throw new Error(
			`Failed to call Codika API: ${error.message}. Check that n8n can reach ${hostOf(options.url)}` +
				' (environment variable CODIKA_API_URL of the n8n process).',
		);
	}
}

function hostOf(url) {
	return URL.canParse(url) ? new URL(url).origin : 'the address';
}

/** The answer, if it is a success; otherwise throws with the platform's words and code. */
function successOf(answer, statusCode, prefix) {
	if (answer?.success === true) return answer;
	if (answer?.success === false || (answer?.error && answer?.code)) {
		throw new Error(`${prefix}: ${answer.error || 'Unknown error'} (${answer.code || 'UNKNOWN'})`);
	}
	throw new Error(`${prefix}: Unknown error (UNKNOWN), HTTP status ${statusCode}`);
}

function parsed(body) {
	if (typeof body !== 'string') return body;
	try {
		return JSON.parse(body);
	} catch {
		return body;
	}
}

module.exports = { apiBase, callApi, request, successOf };
