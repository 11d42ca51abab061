# migrations_data.c is generated from mailctl/migrations.
MAILCTL_SOURCES = \
	mailctl/addresses.c \
	mailctl/check.c \
	mailctl/check_amqp.c \
	mailctl/check_config.c \
	mailctl/check_mysql.c \
	mailctl/check_mysql_server.c \
	mailctl/check_postfix.c \
	mailctl/config.c \
	mailctl/connect.c \
	mailctl/grants.c \
	mailctl/migrate.c \
	mailctl/migrations_data.c \
	mailctl/rabbitmqctl.c \
	mailctl/report.c \
	mailctl/run.c \
	mailctl/send.c \
	mailctl/setup.c \
	mailctl/setup_mysql.c
