#!/usr/bin/env node
// Have a mail sent, from Node (npm: amqplib).
//
// usage: send.js amqp://USER:PASSWORD@HOST:PORT/VHOST RECIPIENT [STREAM]
'use strict';

const { randomUUID } = require('node:crypto');
const amqp = require('amqplib');

async function main(url, recipient, stream = 'transactional') {
	const request = {
		MessageID: randomUUID(),	// the same id is never sent twice, so repeating is safe
		From: 'Shop <shop@example.test>',
		To: recipient,
		Subject: 'Your order 4711 – thank you',
		TextBody: 'Hello,\n\nit is on its way: 2 prints, 17.50 €.\n',
		HtmlBody: '<p>Hello,</p><p>it is on its way: <b>2 prints</b>, 17.50 €.</p>',
		Tag: 'order',
		Metadata: { order: '4711' },
	};
	const connection = await amqp.connect(url);
	const channel = await connection.createConfirmChannel();
	let returned = null;

	channel.on('return', (message) => { returned = message.fields.replyText; });
	channel.publish('mail.out', stream, Buffer.from(JSON.stringify(request)), {
		mandatory: true,
		persistent: true,
		contentType: 'application/json',
		messageId: request.MessageID,
	});
	await channel.waitForConfirms();
	await connection.close();
	if (returned)
		throw new Error(`no queue wanted it: ${returned}`);
	console.log(request.MessageID);
}

main(...process.argv.slice(2)).catch((error) => {
	console.error(error.message);
	process.exitCode = 1;
});
