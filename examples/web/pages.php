<?php
// HTML of the pages.  All text from the database goes through h().

declare(strict_types=1);

function h(?string $text): string
{
	return htmlspecialchars($text ?? '', ENT_QUOTES | ENT_SUBSTITUTE | ENT_HTML5, 'UTF-8');
}

function show_page(string $title, string $here, string $body): void
{
	$links = '';
	foreach (['tickets' => 'Tickets', 'gallery' => 'Gallery'] as $name => $text)
		$links .= '<a href="/' . $name . '"' . ($name === $here ? ' aria-current="page"' : '') . ">$text</a>";
	header('Content-Type: text/html; charset=UTF-8');
	echo '<!doctype html><html lang="en"><head><meta charset="utf-8">',
		'<meta name="viewport" content="width=device-width, initial-scale=1"><title>', h($title), '</title>',
		'<link rel="stylesheet" href="/style.css"></head><body><header><b>Community desk</b><nav>', $links,
		'</nav></header><main>', $body, '</main></body></html>', "\n";
}

/** As a reader says it: today's by the clock, others by the day; in UTC, as the tables are. */
function when(string $at): string
{
	$time = new DateTimeImmutable($at, new DateTimeZone('UTC'));
	$today = $time->format('Y-m-d') === gmdate('Y-m-d');
	return '<time datetime="' . $time->format('Y-m-d\TH:i:s\Z') . '">' . $time->format($today ? 'H:i' : 'j M Y H:i') . '</time>';
}

function person(?string $name, string $email): string
{
	return trim($name ?? '') !== '' ? h($name) . ' <small>' . h($email) . '</small>' : h($email);
}

function size_text(int $bytes): string
{
	return $bytes < 1000 ? "$bytes bytes" : ($bytes < 1000000 ? round($bytes / 1000) . ' kB' : round($bytes / 1e6, 1) . ' MB');
}

function subject_text(?string $subject): string
{
	return trim($subject ?? '') !== '' ? h($subject) : '<i>no subject</i>';
}

function ticket_list(array $tickets, ?string $status): string
{
	$tabs = '';
	foreach ([null, ...STATUSES] as $one)
		$tabs .= '<a href="/tickets' . ($one !== null ? "?status=$one" : '') . '"'
			. ($one === $status ? ' aria-current="page"' : '') . '>' . ($one ?? 'all') . '</a>';
	$rows = '';
	foreach ($tickets as $ticket)
		$rows .= '<li><a href="/tickets/' . $ticket['number'] . '"><span class="number">#' . $ticket['number'] . '</span>'
			. '<span class="subject">' . subject_text($ticket['subject']) . '</span>'
			. '<span class="from">' . person($ticket['requester_name'], $ticket['requester']) . '</span>'
			. '<span class="status ' . $ticket['status'] . '">' . $ticket['status'] . '</span>'
			. '<span class="count">' . $ticket['messages'] . '</span>' . when($ticket['last_at']) . '</a></li>';
	return '<nav class="tabs">' . $tabs . '</nav>'
		. ($rows !== '' ? '<ol class="tickets">' . $rows . '</ol>' : '<p class="nothing">No tickets.</p>');
}

function file_list(array $files): string
{
	$items = '';
	foreach ($files as $file) {
		$link = '/files/' . id_text($file['id']);
		$items .= '<li><a href="' . $link . '">' . (in_array($file['detected_type'], SHOWN_TYPES, true)
			? '<img src="' . $link . '" alt="" loading="lazy">' : '') . h($file['name']) . ' <small>' . size_text($file['size'])
			. '</small></a></li>';
	}
	return $items !== '' ? '<ul class="files">' . $items . '</ul>' : '';
}

function message_card(array $message, array $files): string
{
	$id = id_text($message['id']);
	$text = $message['text'] ?? '';
	$rest = '';
	if (trim($message['full_text'] ?? '') !== trim($text))
		$rest .= '<details><summary>the whole mail</summary><pre>' . h($message['full_text']) . '</pre></details>';
	if ($message['has_html'])
		$rest .= '<details><summary>as HTML</summary><iframe sandbox loading="lazy" title="the mail as HTML" src="/messages/'
			. $id . '"></iframe></details>';
	return '<article class="' . $message['direction'] . '" id="m' . $id . '"><header>'
		. person($message['from_name'], $message['from_email'])
		. ($message['auto'] !== 'no' ? ' <span class="status auto">automatic</span>' : '') . when($message['at']) . '</header>'
		. '<pre>' . (trim($text) !== '' ? h($text) : '<i>no text</i>') . '</pre>' . file_list($files) . $rest . '</article>';
}

function ticket_page(array $ticket, array $messages, array $files, ?string $state): string
{
	$cards = '';
	foreach ($messages as $message)
		$cards .= message_card($message, $files[$message['message_id'] ?? ''] ?? []);
	$notes = [
		'waiting' => 'Your answer is on its way.',
		'sent' => 'Your answer was sent.',
		'failed' => 'Your answer could not be sent; the operator was told.',
	];
	return '<h1><span class="number">#' . $ticket['number'] . '</span> ' . subject_text($ticket['subject'])
		. ' <span class="status ' . $ticket['status'] . '">' . $ticket['status'] . '</span></h1>'
		. '<p class="from">' . person($ticket['requester_name'], $ticket['requester']) . ', ' . when($ticket['first_at']) . '</p>'
		. ($state !== null ? '<p class="note ' . $state . '" role="status">' . $notes[$state] . '</p>' : '') . $cards
		. '<form method="post" action="/tickets/' . $ticket['number'] . '">'
		. '<input type="hidden" name="id" value="' . uuid() . '">'
		. '<label for="text">Answer to ' . h($ticket['requester']) . '</label>'
		. '<textarea id="text" name="text" rows="5" required maxlength="' . TEXT_MAX . '"></textarea>'
		. '<button>Send</button></form>';
}

function photo_figure(array $photo): string
{
	$link = '/files/' . id_text($photo['id']);
	$title = h($photo['title'] ?? $photo['name']);
	$picture = in_array($photo['content_type'], SHOWN_TYPES, true)
		? '<img src="' . $link . '" width="' . $photo['width'] . '" height="' . $photo['height'] . '" alt="' . $title . '" loading="lazy">'
		: '<span class="file">' . h($photo['name']) . '</span>';
	return '<figure><a href="' . $link . '">' . $picture . '</a><figcaption><b>' . $title . '</b><span>'
		. h(trim($photo['from_name'] ?? '') !== '' ? $photo['from_name'] : $photo['from_email']) . '</span> '
		. when($photo['posted_at']) . '</figcaption></figure>';
}

function photo_grid(array $albums, array $photos, ?string $here): string
{
	$tabs = '<a href="/gallery"' . ($here === null ? ' aria-current="page"' : '') . '>all</a>';
	foreach ($albums as $album)
		$tabs .= '<a href="/gallery?album=' . rawurlencode($album['album']) . '"'
			. ($album['album'] === $here ? ' aria-current="page"' : '') . '>' . h($album['album'])
			. ' <small>' . $album['photos'] . '</small></a>';
	return '<nav class="tabs">' . $tabs . '</nav>' . ($photos !== []
		? '<div class="photos">' . implode('', array_map('photo_figure', $photos)) . '</div>'
		: '<p class="nothing">No photos.</p>');
}
