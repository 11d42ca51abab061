<?php
// A help desk and a gallery over mailpipe's tables: reads as the user that may only SELECT, and
// answers a ticket by publishing a request.  Nothing here writes to the database or speaks SMTP.
//
//	DATABASE_DSN='mysql:unix_socket=/run/mysqld/mysqld.sock;dbname=mailpipe' \
//	DATABASE_USER=mailpipe-web DATABASE_PASSWORD=... \
//	AMQP_URL=amqp://mailpipe-application:...@127.0.0.1:5672/%2f \
//	DESK_FROM='Help desk <support@community.example>' \
//		php -S 127.0.0.1:8080 examples/web/index.php
//
// (Debian: php-cli, php-mysql, php-amqplib.)  It has no login: put it behind yours.

declare(strict_types=1);

require __DIR__ . '/desk.php';
require __DIR__ . '/pages.php';

// Mail is written by strangers: no script runs here, whatever a page should let through.
header("Content-Security-Policy: default-src 'none'; img-src 'self'; style-src 'self'; frame-src 'self';"
	. " form-action 'self'; base-uri 'none'; frame-ancestors 'none'");
header('X-Content-Type-Options: nosniff');
header('Referrer-Policy: same-origin');	// without one, a form would not say where it comes from

const UUID = '[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}';
const STATUSES = ['open', 'pending', 'closed'];

// What a browser can show; anything else is only ever offered for saving.
const SHOWN_TYPES = ['image/jpeg', 'image/png', 'image/gif', 'image/webp', 'image/avif'];

/** The parameter of the URL, if it is there and is one text. */
function parameter(string $name): ?string
{
	$value = $_GET[$name] ?? null;
	return is_string($value) && mb_check_encoding($value, 'UTF-8') ? $value : null;
}

function not_found(): void
{
	http_response_code(404);
	show_page('Not found', '', '<p class="nothing">There is nothing here.</p>');
}

function tickets(Desk $desk): void
{
	$status = parameter('status');
	if ($status !== null && !in_array($status, STATUSES, true)) {
		not_found();
		return;
	}
	show_page('Tickets', 'tickets', ticket_list($desk->tickets($status), $status));
}

function ticket(Desk $desk, int $number): void
{
	$ticket = $desk->ticket($number);
	if ($ticket === null) {
		not_found();
		return;
	}
	$sent = parameter('sent');
	$state = $sent !== null && preg_match('/^' . UUID . '$/D', $sent) ? $desk->state_of($sent) : null;
	if ($state === 'waiting')
		header("Refresh: 2; url=/tickets/$number?sent=$sent");	// until it is sent
	show_page("#$number {$ticket['subject']}", 'tickets',
		ticket_page($ticket, $desk->messages($ticket), $desk->files_of_ticket($ticket), $state));
}

/** The form of the ticket's page: publishes, and shows the page again. */
function answer(Desk $desk, int $number): void
{
	// Only our own page may ask for it: a browser says where a form came from.
	$origin = $_SERVER['HTTP_ORIGIN'] ?? '';
	$ticket = $desk->ticket($number);
	$text = $_POST['text'] ?? null;
	$id = $_POST['id'] ?? null;

	if ($ticket === null) {
		not_found();
	} elseif (parse_url($origin, PHP_URL_SCHEME) . '://' . ($_SERVER['HTTP_HOST'] ?? '') !== $origin) {
		http_response_code(403);
		show_page('Refused', '', '<p class="nothing">This form came from another site.</p>');
	} elseif (!is_string($text) || !is_string($id) || trim($text) === '' || strlen($text) > TEXT_MAX
		|| !mb_check_encoding($text, 'UTF-8') || !preg_match('/^' . UUID . '$/D', $id)) {
		http_response_code(422);
		show_page('Nothing to send', '', '<p class="nothing">An answer is a text of up to '
			. TEXT_MAX / 1000 . ' kB. <a href="/tickets/' . $number . '">Back to the ticket</a></p>');
	} else {
		// The id was made with the form: who presses the button twice sends it once.
		$desk->answer($ticket, $id, str_replace("\r\n", "\n", trim($text)));
		header("Location: /tickets/$number?sent=$id", true, 303);
	}
}

/** The bytes of an attachment: an image to look at, anything else to save. */
function file_bytes(Desk $desk, string $id): void
{
	$file = $desk->file($id);
	if ($file === null) {
		not_found();
		return;
	}
	$shown = in_array($file['detected_type'], SHOWN_TYPES, true);
	header('Content-Type: ' . ($shown ? $file['detected_type'] : 'application/octet-stream'));
	header('Content-Disposition: ' . ($shown ? 'inline' : 'attachment') . "; filename*=UTF-8''" . rawurlencode($file['name']));
	header("Content-Security-Policy: default-src 'none'; sandbox");
	header('Cache-Control: private, max-age=86400, immutable');	// an id's bytes never change
	header('Content-Length: ' . strlen($file['data']));
	echo $file['data'];
}

/** A mail's HTML, for a frame: no script, nothing from elsewhere, no way out. */
function html_of_message(Desk $desk, string $id): void
{
	$html = $desk->html($id);
	if ($html === null) {
		not_found();
		return;
	}
	header("Content-Security-Policy: sandbox; default-src 'none'; style-src 'unsafe-inline'; img-src data:;"
		. " frame-ancestors 'self'");
	header('Content-Type: text/html; charset=UTF-8');
	echo $html;
}

function gallery(Desk $desk): void
{
	$album = parameter('album');
	show_page($album ?? 'Gallery', 'gallery', photo_grid($desk->albums(), $desk->photos($album), $album));
}

function style(): void
{
	header('Content-Type: text/css; charset=UTF-8');
	readfile(__DIR__ . '/style.css');
}

function route(string $method, string $path): void
{
	if ($path === '/style.css') {
		style();
		return;
	}
	if ($path === '/favicon.ico') {
		http_response_code(204);
		return;
	}
	$desk = new Desk();
	if ($method === 'POST' && preg_match('#^/tickets/(\d{1,10})$#D', $path, $found))
		answer($desk, (int) $found[1]);
	elseif ($method !== 'GET' && $method !== 'HEAD')
		http_response_code(405);
	elseif ($path === '/' || $path === '/tickets')
		tickets($desk);
	elseif (preg_match('#^/tickets/(\d{1,10})$#D', $path, $found))
		ticket($desk, (int) $found[1]);
	elseif (preg_match('#^/files/(' . UUID . ')$#D', $path, $found))
		file_bytes($desk, $found[1]);
	elseif (preg_match('#^/messages/(' . UUID . ')$#D', $path, $found))
		html_of_message($desk, $found[1]);
	elseif ($path === '/gallery')
		gallery($desk);
	else
		not_found();
}

try {
	route($_SERVER['REQUEST_METHOD'], (string) parse_url($_SERVER['REQUEST_URI'], PHP_URL_PATH));
} catch (Throwable $error) {
	error_log((string) $error);
	http_response_code(503);
	show_page('Not now', '', '<p class="nothing">The desk is away for a moment; nothing was lost. Please try again.</p>');
}
