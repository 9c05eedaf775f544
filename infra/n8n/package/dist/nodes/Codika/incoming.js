'use strict';

/** What a webhook received: the body of the first item, or the item itself when it is no webhook item. */
function incomingBody(items) {
	const json = items[0]?.json ?? {};
	return json.body || json;
}

/** The first of the named fields that is there at all. */
function firstOf(object, ...names) {
	return names.map((name) => object[name]).find((value) => value !== undefined && value !== null);
}

module.exports = { firstOf, incomingBody };
