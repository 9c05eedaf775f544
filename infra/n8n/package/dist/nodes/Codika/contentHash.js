'use strict';

/**
 * cyrb53 with seed 0 over the UTF-16 code units of the trimmed text: 53 bits, lower-case hex, not padded.
 * Not for security: it tells whether a document changed.
 */
function contentHash(text) {
	let upper = 0xdeadbeef;
	let lower = 0x41c6ce57;
	const trimmed = text.trim();
	for (let index = 0; index < trimmed.length; index++) {
		const unit = trimmed.charCodeAt(index);
		upper = Math.imul(upper ^ unit, 2654435761);
		lower = Math.imul(lower ^ unit, 1597334677);
	}
	const mixedUpper = mix(upper, lower);
	const mixedLower = mix(lower, mixedUpper);
	return (4294967296 * (2097151 & mixedLower) + (mixedUpper >>> 0)).toString(16);
}

function mix(lane, other) {
	return Math.imul(lane ^ (lane >>> 16), 2246822507) ^ Math.imul(other ^ (other >>> 13), 3266489909);
}

module.exports = { contentHash };
