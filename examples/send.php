#!/usr/bin/php
<?php
// Have a mail sent, from PHP (Debian: php-amqplib; Composer: php-amqplib/php-amqplib).
//
// usage: send.php amqp://USER:PASSWORD@HOST:PORT/VHOST RECIPIENT [STREAM]

require_once 'PhpAmqpLib/autoload.php';

use PhpAmqpLib\Connection\AMQPStreamConnection;
use PhpAmqpLib\Message\AMQPMessage;

const CONFIRM_S = 10;

function uuid(): string
{
	$bytes = random_bytes(16);
	$bytes[6] = chr(ord($bytes[6]) & 0x0f | 0x40);
	$bytes[8] = chr(ord($bytes[8]) & 0x3f | 0x80);
	return vsprintf('%s%s-%s-%s-%s-%s%s%s', str_split(bin2hex($bytes), 4));
}

[, $url, $recipient] = $argv;
$stream = $argv[3] ?? 'transactional';
$request = [
	'MessageID' => uuid(),		// the same id is never sent twice, so repeating is safe
	'From' => 'Shop <shop@example.test>',
	'To' => $recipient,
	'Subject' => 'Your order 4711 – thank you',
	'TextBody' => "Hello,\n\nit is on its way: 2 prints, 17.50 €.\n",
	'HtmlBody' => '<p>Hello,</p><p>it is on its way: <b>2 prints</b>, 17.50 €.</p>',
	'Tag' => 'order',
	'Metadata' => ['order' => '4711'],
];

$at = parse_url($url);
$connection = new AMQPStreamConnection($at['host'], $at['port'], urldecode($at['user']), urldecode($at['pass']),
	urldecode(substr($at['path'], 1)));
$channel = $connection->channel();
$channel->confirm_select();
$channel->set_nack_handler(function () {
	throw new RuntimeException('the broker did not take it');
});
$channel->set_return_listener(function ($code, $text) {
	throw new RuntimeException("no queue wanted it: $code $text");
});
$message = new AMQPMessage(json_encode($request, JSON_THROW_ON_ERROR), [
	'content_type' => 'application/json',
	'delivery_mode' => AMQPMessage::DELIVERY_MODE_PERSISTENT,
	'message_id' => $request['MessageID'],
]);
$channel->basic_publish($message, 'mail.out', $stream, true);
$channel->wait_for_pending_acks_returns(CONFIRM_S);	// throws an exception when nothing comes
$connection->close();
echo $request['MessageID'], "\n";
