'use strict';

const http = require('node:http');

/** A platform that records what it gets and answers as told. */
async function startPlatform(test, answers = {}) {
	const requests = [];
	const server = http.createServer(async (request, response) => {
		const chunks = [];
		for await (const chunk of request) chunks.push(chunk);
		const raw = Buffer.concat(chunks);
		requests.push({ method: request.method, path: request.url, headers: request.headers, raw, body: jsonOf(raw) });
		const { status = 200, json = { success: true }, text } = answers[request.url] ?? {};
		response.writeHead(status, { 'content-type': text === undefined ? 'application/json' : 'text/plain' });
		response.end(text ?? JSON.stringify(json));
	});
	await new Promise((ready) => server.listen(0, '127.0.0.1', ready));
	const url = `http://127.0.0.1:${server.address().port}`;
	process.env.CODIKA_API_URL = `${url}/`;
	test.after(() => {
		server.closeAllConnections();
		server.close();
	});
	return { url, requests };
}

function jsonOf(raw) {
	try {
		return JSON.parse(raw.toString());
	} catch {
		return undefined;
	}
}

module.exports = { startPlatform };
