# Shared by mailin and mailin-parse.
MAILIN_SOURCES = \
	mailin/document.c \
	mailin/input.c \
	mailin/options.c \
	mailin/parser.c

# What only mailin-ingest uses.
INGEST_SOURCES = \
	mailin/ingest/admit.c \
	mailin/ingest/attachments.c \
	mailin/ingest/background.c \
	mailin/ingest/batch.c \
	mailin/ingest/event.c \
	mailin/ingest/fate.c \
	mailin/ingest/fence.c \
	mailin/ingest/inbound.c \
	mailin/ingest/insert.c \
	mailin/ingest/loop.c \
	mailin/ingest/notice.c \
	mailin/ingest/notice_answer.c \
	mailin/ingest/notice_mail.c \
	mailin/ingest/notice_rules.c \
	mailin/ingest/notice_words.c \
	mailin/ingest/news.c \
	mailin/ingest/outlet.c \
	mailin/ingest/postpone.c \
	mailin/ingest/pending.c \
	mailin/ingest/policy.c \
	mailin/ingest/quarantine.c \
	mailin/ingest/priority.c \
	mailin/ingest/reader.c \
	mailin/ingest/recall.c \
	mailin/ingest/resolve.c \
	mailin/ingest/secrets.c \
	mailin/ingest/settle.c \
	mailin/ingest/store.c \
	mailin/ingest/target.c \
	mailin/ingest/target_file.c \
	mailin/ingest/target_parameter.c \
	mailin/ingest/target_rows.c \
	mailin/ingest/target_run.c \
	mailin/ingest/target_token.c \
	mailin/ingest/thread.c \
	mailin/ingest/thread_clue.c \
	mailin/ingest/thread_join.c \
	mailin/ingest/worker.c \
	mailin/ingest/worker_answer.c \
	mailin/ingest/worker_cautious.c \
	mailin/ingest/worker_defer.c \
	mailin/ingest/worker_link.c \
	mailin/ingest/worker_log.c
