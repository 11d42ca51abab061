MAILOUT_SOURCES = \
	mailout/event.c \
	mailout/model.c \
	mailout/mustache.c \
	mailout/mustache_compile.c \
	mailout/prepare.c \
	mailout/rate.c \
	mailout/sender.c \
	mailout/sender_check.c \
	mailout/sender_child.c \
	mailout/sender_flight.c \
	mailout/sender_frame.c \
	mailout/sender_monitor.c \
	mailout/sender_reply.c \
	mailout/sender_session.c \
	mailout/sender_socket.c \
	mailout/sender_tls.c \
	mailout/sentlog.c \
	mailout/worker.c \
	mailout/worker_intake.c \
	mailout/worker_job.c \
	mailout/worker_log.c \
	mailout/worker_publish.c \
	mailout/worker_send.c \
	mailout/worker_verdict.c \
	mailout/worker_write.c
