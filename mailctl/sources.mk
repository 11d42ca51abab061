# migrations_data.c is generated from mailctl/migrations, preview_data.c from mailctl/preview.
MAILCTL_SOURCES = \
	mailctl/addresses.c \
	mailctl/browse.c \
	mailctl/check.c \
	mailctl/check_amqp.c \
	mailctl/check_config.c \
	mailctl/check_mysql.c \
	mailctl/check_mysql_server.c \
	mailctl/check_postfix.c \
	mailctl/check_redis.c \
	mailctl/config.c \
	mailctl/connect.c \
	mailctl/grants.c \
	mailctl/logline.c \
	mailctl/logread.c \
	mailctl/migrate.c \
	mailctl/migrations_data.c \
	mailctl/preview.c \
	mailctl/preview_data.c \
	mailctl/preview_page.c \
	mailctl/progress.c \
	mailctl/rabbitmqctl.c \
	mailctl/render.c \
	mailctl/report.c \
	mailctl/run.c \
	mailctl/send.c \
	mailctl/setup.c \
	mailctl/setup_mysql.c \
	mailctl/table.c \
	mailctl/trace.c \
	mailctl/trace_broker.c \
	mailctl/trace_conclude.c \
	mailctl/trace_db.c \
	mailctl/trace_log.c \
	mailctl/trace_print.c \
	mailctl/trace_subject.c
