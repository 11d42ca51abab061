<?php
// What the pages need: tables of mailpipe's database to read, and its queue to publish to.

declare(strict_types=1);

require_once 'PhpAmqpLib/autoload.php';

use PhpAmqpLib\Connection\AMQPStreamConnection;
use PhpAmqpLib\Message\AMQPMessage;

const TEXT_MAX = 100000;	// bytes of an answer
const SUBJECT_MAX = 200;	// characters of what is answered
const ROWS_MAX = 200;		// of a page
const CONFIRM_S = 10;

/** The id as the tables have it. */
function id_bytes(string $uuid): string
{
	return hex2bin(str_replace('-', '', $uuid));
}

function id_text(string $bytes): string
{
	return vsprintf('%s%s-%s-%s-%s-%s%s%s', str_split(bin2hex($bytes), 4));
}

function uuid(): string
{
	$bytes = random_bytes(16);
	$bytes[6] = chr(ord($bytes[6]) & 0x0f | 0x40);
	$bytes[8] = chr(ord($bytes[8]) & 0x3f | 0x80);
	return id_text($bytes);
}

final class Desk
{
	private PDO $database;

	public function __construct()
	{
		$this->database = new PDO(getenv('DATABASE_DSN') . ';charset=utf8mb4', getenv('DATABASE_USER') ?: null,
			getenv('DATABASE_PASSWORD') ?: null, [
				PDO::ATTR_DEFAULT_FETCH_MODE => PDO::FETCH_ASSOC,
				PDO::ATTR_EMULATE_PREPARES => false,
			]);
	}

	private function rows(string $sql, array $values = []): array
	{
		$statement = $this->database->prepare($sql);
		$statement->execute($values);
		return $statement->fetchAll();
	}

	/** The newest first; of all statuses without one. */
	public function tickets(?string $status): array
	{
		return $this->rows('SELECT number, subject, status, priority, requester, requester_name, last_at,'
			. ' (SELECT COUNT(*) FROM ticket_messages m WHERE m.ticket_id = t.id) AS messages FROM tickets t'
			. ($status !== null ? ' WHERE status = ?' : '') . ' ORDER BY last_at DESC, number DESC LIMIT ' . ROWS_MAX,
			$status !== null ? [$status] : []);
	}

	public function ticket(int $number): ?array
	{
		return $this->rows('SELECT id, number, subject, status, priority, requester, requester_name, first_at, last_at'
			. ' FROM tickets WHERE number = ?', [$number])[0] ?? null;
	}

	/** Both ways, the oldest first. */
	public function messages(array $ticket): array
	{
		return $this->rows('SELECT id, direction, message_id, at, from_email, from_name, auto, text, full_text,'
			. " COALESCE(html, '') <> '' AS has_html FROM ticket_contents WHERE ticket_id = ? ORDER BY at, id LIMIT " . ROWS_MAX,
			[$ticket['id']]);
	}

	/** Files by the message that they came with. */
	public function files_of_ticket(array $ticket): array
	{
		$files = [];
		foreach ($this->rows('SELECT a.id, a.message_id, a.name, a.detected_type, a.size FROM attachments a'
			. ' JOIN ticket_messages m ON m.message_id = a.message_id WHERE m.ticket_id = ?'
			. ' ORDER BY a.message_id, a.position', [$ticket['id']]) as $file)
			$files[$file['message_id']][] = $file;
		return $files;
	}

	public function file(string $id): ?array
	{
		return $this->rows('SELECT a.name, a.detected_type, b.data FROM attachments a JOIN blobs b ON b.sha256 = a.sha256'
			. ' WHERE a.id = ?', [id_bytes($id)])[0] ?? null;
	}

	public function html(string $id): ?string
	{
		return $this->rows('SELECT html FROM ticket_contents WHERE id = ?', [id_bytes($id)])[0]['html'] ?? null;
	}

	public function albums(): array
	{
		return $this->rows('SELECT album, COUNT(*) AS photos FROM gallery_photos GROUP BY album ORDER BY MAX(posted_at) DESC');
	}

	public function photos(?string $album): array
	{
		return $this->rows('SELECT id, album, title, caption, name, from_email, from_name, posted_at, content_type,'
			. ' IF(orientation >= 5, height, width) AS width, IF(orientation >= 5, width, height) AS height'
			. ' FROM gallery_photos' . ($album !== null ? ' WHERE album = ?' : '')
			. ' ORDER BY posted_at DESC, message_id, position LIMIT ' . ROWS_MAX, $album !== null ? [$album] : []);
	}

	/** What became of a request: waiting, sent or failed. */
	public function state_of(string $id): string
	{
		$status = $this->rows('SELECT status FROM message_states WHERE id = ?', [id_bytes($id)])[0]['status'] ?? 'queued';
		return match ($status) {
			'sent' => 'sent',
			'failed', 'expired', 'held' => 'failed',
			default => 'waiting',
		};
	}

	/** Has an answer sent; throws unless the broker has it on disk. */
	public function answer(array $ticket, string $id, string $text): void
	{
		$request = [
			'MessageID' => $id,	// the same id is never sent twice
			'From' => getenv('DESK_FROM') ?: null,
			'To' => $ticket['requester'],
			'ReplyTo' => ['Thread' => id_text($ticket['id'])],	// answers come back to this ticket
			'TemplateAlias' => 'ticket-reply',
			'TemplateModel' => [
				'ticket' => (string) $ticket['number'],
				'subject' => mb_strimwidth($ticket['subject'] ?? '', 0, SUBJECT_MAX, '…', 'UTF-8'),
				'message' => $text,
			],
		];
		$at = parse_url(getenv('AMQP_URL'));
		$connection = new AMQPStreamConnection($at['host'], $at['port'] ?? 5672, urldecode($at['user']),
			urldecode($at['pass']), urldecode(substr($at['path'], 1)));
		$channel = $connection->channel();
		$channel->confirm_select();
		$channel->set_nack_handler(function () {
			throw new RuntimeException('the broker did not take it');
		});
		$channel->set_return_listener(function ($code, $reason) {
			throw new RuntimeException("no queue wanted it: $code $reason");
		});
		$message = new AMQPMessage(json_encode(array_filter($request, fn($value) => $value !== null), JSON_THROW_ON_ERROR), [
			'content_type' => 'application/json',
			'delivery_mode' => AMQPMessage::DELIVERY_MODE_PERSISTENT,
			'message_id' => $id,
		]);
		$channel->basic_publish($message, 'mail.out', 'transactional', true);
		$channel->wait_for_pending_acks_returns(CONFIRM_S);	// throws when nothing comes
		$connection->close();
	}
}
