'use strict';

/** Builds a multipart/form-data body: text parts in order, then one file. */
function multipart(fields, file) {
	const boundary = `----n8nBoundary${Date.now()}`;
	const parts = Object.entries(fields).map(
		([name, value]) => `--${boundary}\r\nContent-Disposition: form-data; name="${name}"\r\n\r\n${value}\r\n`,
	);
	const head =
		`--${boundary}\r\nContent-Disposition: form-data; name="file"; filename="${quoted(file.name)}"\r\n` +
		`Content-Type: ${file.type.replace(/[\r\n]/g, '')}\r\n\r\n`;
	return {
		contentType: `multipart/form-data; boundary=${boundary}`,
		body: Buffer.concat([Buffer.from(parts.join('') + head), file.content, Buffer.from(`\r\n--${boundary}--\r\n`)]),
	};
}

// As browsers do it: anything else would end the header early.
function quoted(name) {
	return name.replace(/"/g, '%22').replace(/\r/g, '%0D').replace(/\n/g, '%0A');
}

module.exports = { multipart };
