/*
 * mailctl export: a stored message as files.
 */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/wire.h"
#include "mailctl/connect.h"
#include "mailctl/mailctl.h"
#include "mailctl/rebuild.h"
#include "mailctl/stored.h"
#include "mailctl/table.h"
#include "mailin/parse/filename.h"

const char export_options[] =
	"  ID DIR               the stored message with this id, to files in DIR, which is made\n"
	"                       if it is not there; a file that is there is an error\n"
	"  --json               print a JSON object that names the files\n"
	"  -c, --config=FILE    config file\n";

enum {
	OPTION_JSON = 256,
	NAME_MAX_BYTES = 200,
	DIR_MODE = 0700, /* these are other people's mails */
	FILE_MODE = 0600
};

static const char MAIL[] = "message.eml";
static const char TEXT[] = "message.txt";
static const char HTML[] = "message.html";

struct export
{
	const char *directory;
	int fd;
	bool print_json;
	GHashTable *names; /* in lower case: there are file systems that do not tell case */
	GPtrArray *written;
	const char *mail_is; /* "raw" or "rebuilt" */
	char *error;
};

/* ---- files ---- */

static bool fail(struct export *export, const char *name)
{
	if (export->error == NULL)
		export->error =
			g_strdup_printf("%s/%s: %s", export->directory, name, g_strerror(errno));
	return false;
}

static bool write_all(int fd, const char *data, size_t size)
{
	while (size > 0) {
		ssize_t written = write(fd, data, size);

		if (written < 0 && errno == EINTR)
			continue;
		if (written < 0)
			return false;
		data += written;
		size -= (size_t)written;
	}
	return true;
}

/* O_EXCL: neither overwrites nor follows a link that lies there. */
static bool put(struct export *export, const char *name, const void *data, size_t size)
{
	int fd = openat(export->fd, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW,
			FILE_MODE);

	if (fd < 0)
		return fail(export, name);
	g_ptr_array_add(export->written, g_strdup(name));
	bool fine = write_all(fd, data, size) || fail(export, name);

	if (close(fd) != 0 && fine)
		fine = fail(export, name);
	return fine;
}

static void take_back(struct export *export)
{
	for (unsigned int i = 0; i < export->written->len; i++)
		unlinkat(export->fd, export->written->pdata[i], 0);
	g_ptr_array_set_size(export->written, 0);
}

/* ---- names ---- */

static bool take_name(struct export *export, const char *name)
{
	return g_hash_table_add(export->names, g_utf8_strdown(name, -1));
}

/* "photo.jpg", "photo-2.jpg" ...; no path, not hidden, no option for whoever says `rm *'. */
static char *attachment_name(struct export *export, const struct stored_attachment *attachment,
			     size_t position)
{
	char *safe = filename_safe(attachment->name, NAME_MAX_BYTES);

	if (safe == NULL)
		safe = filename_invent(position, attachment->content_type);
	if (*safe == '-')
		*safe = '_';
	const char *dot = strrchr(safe, '.');
	size_t stem = dot != NULL && dot != safe ? (size_t)(dot - safe) : strlen(safe);
	char *name = g_strdup(safe);

	for (size_t n = 2; !take_name(export, name); n++) {
		g_free(name);
		name = g_strdup_printf("%.*s-%zu%s", (int)stem, safe, n, safe + stem);
	}
	g_free(safe);
	return name;
}

/* ---- the message ---- */

static bool put_mail(struct export *export, const struct stored_message *message)
{
	if (message->raw != NULL) {
		size_t size;
		const void *data = g_bytes_get_data(message->raw, &size);

		export->mail_is = "raw";
		return put(export, MAIL, data, size);
	}
	GString *mail = rebuild_mail(message);
	bool fine = put(export, MAIL, mail->str, mail->len);

	export->mail_is = "rebuilt";
	g_string_free(mail, TRUE);
	return fine;
}

static bool put_attachments(struct export *export, const struct stored_message *message)
{
	for (unsigned int i = 0; i < message->attachments->len; i++) {
		const struct stored_attachment *attachment = message->attachments->pdata[i];
		g_autofree char *name = attachment_name(export, attachment, i + 1);
		size_t size = 0;
		const void *data =
			attachment->data != NULL ? g_bytes_get_data(attachment->data, &size) : NULL;

		if (!put(export, name, data, size))
			return false;
	}
	return true;
}

static bool put_all(struct export *export, const struct stored_message *message)
{
	take_name(export, MAIL);
	take_name(export, TEXT);
	take_name(export, HTML);
	return put_mail(export, message) &&
	       (*message->text_body == '\0' ||
		put(export, TEXT, message->text_body, strlen(message->text_body))) &&
	       (*message->html_body == '\0' ||
		put(export, HTML, message->html_body, strlen(message->html_body))) &&
	       put_attachments(export, message);
}

static bool open_directory(struct export *export)
{
	bool made = mkdir(export->directory, DIR_MODE) == 0;

	if (!made && errno != EEXIST)
		return fail(export, "");
	export->fd = open(export->directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return export->fd >= 0 || fail(export, "");
}

static void say(const struct export *export, const struct stored_message *message)
{
	if (!export->print_json) {
		for (unsigned int i = 0; i < export->written->len; i++) {
			g_autofree char *name = table_escape(export->written->pdata[i]);

			printf("%s/%s\n", export->directory, name);
		}
		return;
	}
	struct wire *object = wire_object();
	struct wire *files = wire_array();

	for (unsigned int i = 0; i < export->written->len; i++)
		wire_append_text(files, export->written->pdata[i]);
	wire_set_text(object, "MessageID", message->id);
	wire_set_text(object, "Directory", export->directory);
	wire_set_text(object, "Mail", export->mail_is);
	wire_set(object, "Files", files);
	fflush(stdout);
	wire_write(object, STDOUT_FILENO, true);
	wire_free(&object);
}

/* ---- the command ---- */

static int tell(const char *text)
{
	fprintf(stderr, "mailctl: export: %s\n", text);
	return EXIT_WRONG;
}

static int export_message(struct export *export, const struct stored_message *message)
{
	if (!open_directory(export) || !put_all(export, message)) {
		take_back(export);
		return tell(export->error);
	}
	say(export, message);
	return EXIT_FINE;
}

static int read_message(const struct config *config, const struct id *id,
			struct stored_message **message)
{
	struct reason reason = {0};
	struct db *db = connect_db_admin(config, true, &reason);
	struct stored_outbound *outbound = NULL;
	enum outcome outcome =
		db != NULL ? stored_message_read(db, id, true, message, &reason) : OUTCOME_RETRY;

	if (outcome == OUTCOME_OK && *message == NULL)
		outcome = stored_outbound_read(db, id, &outbound, &reason);
	bool is_outbound = outbound != NULL;

	stored_outbound_free(&outbound);
	db_close(&db);
	if (outcome != OUTCOME_OK)
		return tell(reason.text);
	if (is_outbound)
		return tell("an outgoing mail, of which only the record is kept: mailctl show");
	return *message != NULL ? EXIT_FINE : tell("no message with this id is stored");
}

static int run(struct export *export, const char *config_file, const struct id *id)
{
	struct config *config = mailctl_config(config_file);
	struct stored_message *message = NULL;

	if (config == NULL)
		return EXIT_BAD_CONFIG;
	int status = read_message(config, id, &message);

	if (status == EXIT_FINE)
		status = export_message(export, message);
	stored_message_free(&message);
	config_free(&config);
	return status;
}

int command_export(int argc, char **argv, const char *config_file)
{
	static const struct option options[] = {
		{"json", no_argument, NULL, OPTION_JSON},
		{"config", required_argument, NULL, 'c'},
		{NULL, 0, NULL, 0},
	};
	struct export export = {.fd = -1};
	struct id id;
	int option;

	while ((option = getopt_long(argc, argv, "c:", options, NULL)) != -1) {
		if (option == 'c')
			config_file = optarg;
		else if (option == OPTION_JSON)
			export.print_json = true;
		else
			return mailctl_usage("export");
	}
	if (argc - optind != 2 || !id_parse(&id, argv[optind])) {
		fputs("mailctl: export: an id and a folder\n", stderr);
		return mailctl_usage("export");
	}
	export.directory = argv[optind + 1];
	export.names = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
	export.written = g_ptr_array_new_with_free_func(g_free);
	int status = run(&export, config_file, &id);

	if (export.fd >= 0)
		close(export.fd);
	g_hash_table_unref(export.names);
	g_ptr_array_unref(export.written);
	g_free(export.error);
	return status;
}
