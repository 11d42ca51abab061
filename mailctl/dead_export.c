/*
 * mailctl dead export: dead letters as files.
 *
 *	DIR/manifest.json	what is known of each, with the names of its files
 *	DIR/ID.json		the body, byte for byte (ID.body if it is no JSON)
 *	DIR/ID.eml		the mail, where the body has it (Mailpipe.Raw)
 */
#include <errno.h>
#include <fcntl.h>
#include <glib.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/id.h"
#include "common/sha256.h"
#include "common/topology.h"
#include "mailctl/dead.h"
#include "mailctl/mailctl.h"
#include "mailctl/select.h"
#include "mailctl/table.h"

/* Strangers' mail is in there. */
enum { DIRECTORY_MODE = 0700, FILE_MODE = 0600, NAMES_MAX = 10000, DIGITS = 16 };

#define STATUS "4.3.0" /* RFC 3463: other mail system status */
#define MANIFEST "manifest"

struct exporting {
	int directory;
	FILE *manifest;
	char *manifest_name;
	bool begun;
};

static enum outcome fail(struct reason *reason, const char *name)
{
	return outcome_retry(reason, STATUS, "%s: %s", name, g_strerror(errno));
}

/* ---- files ---- */

/* Has the file just this content? */
static bool has_content(int directory, const char *name, const void *data, size_t size)
{
	int fd = openat(directory, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	struct stat status;
	bool same = false;

	if (fd >= 0 && fstat(fd, &status) == 0 && S_ISREG(status.st_mode) &&
	    (size_t)status.st_size == size) {
		g_autofree char *content = g_malloc(size + 1);
		size_t got = 0;
		ssize_t piece = 1;

		while (got < size && piece > 0) {
			piece = read(fd, content + got, size - got);
			got += piece > 0 ? (size_t)piece : 0;
		}
		same = got == size && memcmp(content, data, size) == 0;
	}
	if (fd >= 0)
		close(fd);
	return same;
}

/* The file is there as a whole or not at all. */
static bool write_file(int directory, const char *name, const void *data, size_t size)
{
	static const char temporary[] = ".part";
	int fd = openat(directory, temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW,
			FILE_MODE);
	size_t done = 0;

	if (fd < 0)
		return false;
	while (done < size) {
		ssize_t piece = write(fd, (const char *)data + done, size - done);

		if (piece < 0 && errno == EINTR)
			continue;
		if (piece < 0) {
			close(fd);
			return false;
		}
		done += (size_t)piece;
	}
	return close(fd) == 0 && renameat(directory, temporary, directory, name) == 0;
}

/* Under the name STEM.ENDING, or STEM-2.ENDING ... where other content has that name; what is there
 * already stays.  The name, or NULL with errno. */
static char *store(int directory, const char *stem, const char *ending, const void *data,
		   size_t size)
{
	for (int number = 1; number < NAMES_MAX; number++) {
		g_autofree char *name = number == 1
						? g_strconcat(stem, ending, NULL)
						: g_strdup_printf("%s-%d%s", stem, number, ending);

		if (faccessat(directory, name, F_OK, AT_SYMLINK_NOFOLLOW) == 0) {
			if (has_content(directory, name, data, size))
				return g_steal_pointer(&name);
			continue;
		}
		if (errno != ENOENT)
			return NULL;
		return write_file(directory, name, data, size) ? g_steal_pointer(&name) : NULL;
	}
	errno = EEXIST;
	return NULL;
}

/* A name that no producer chose. */
static char *stem_of(const struct letter *letter)
{
	unsigned char digest[SHA256_SIZE];
	char text[SHA256_TEXT_SIZE];
	struct id id;

	if (id_parse(&id, letter->id))
		return g_ascii_strdown(letter->id, -1);
	sha256_of(letter->delivery->body, letter->delivery->body_size, digest);
	return g_strdup_printf("sha256-%.*s", DIGITS, sha256_text(digest, text));
}

/* ---- one letter ---- */

static enum outcome store_mail(const struct exporting *exporting, const struct wire *body,
			       const char *stem, struct wire *entry, struct reason *reason)
{
	const struct wire *mailpipe = wire_get_object(body, "Mailpipe");
	size_t size;
	g_autofree unsigned char *raw =
		mailpipe != NULL ? wire_get_base64(mailpipe, "Raw", &size) : NULL;

	if (raw == NULL)
		return OUTCOME_OK;
	g_autofree char *name = store(exporting->directory, stem, ".eml", raw, size);

	if (name == NULL)
		return fail(reason, stem);
	wire_set_text(entry, "MailFile", name);
	return OUTCOME_OK;
}

static enum outcome store_letter(const struct exporting *exporting, const struct letter *letter,
				 struct wire *entry, struct reason *reason)
{
	const struct broker_delivery *delivery = letter->delivery;
	struct wire *body = wire_parse(delivery->body, delivery->body_size, NULL);
	g_autofree char *stem = stem_of(letter);
	g_autofree char *name = store(exporting->directory, stem, body != NULL ? ".json" : ".body",
				      delivery->body, delivery->body_size);
	unsigned char digest[SHA256_SIZE];
	char text[SHA256_TEXT_SIZE];
	enum outcome outcome = OUTCOME_OK;

	if (name == NULL)
		outcome = fail(reason, stem);
	sha256_of(delivery->body, delivery->body_size, digest);
	wire_set_text(entry, "File", name);
	wire_set_text(entry, "Sha256", sha256_text(digest, text));
	if (outcome == OUTCOME_OK && body != NULL)
		outcome = store_mail(exporting, body, stem, entry, reason);
	wire_free(&body);
	return outcome;
}

static enum outcome export_one(struct sweep *sweep, const struct letter *letter,
			       struct broker_delivery *delivery, void *context,
			       struct reason *reason)
{
	struct exporting *exporting = context;
	struct wire *entry = letter_json(letter);

	(void)sweep;
	wire_set(entry, "Properties", broker_properties_json(delivery->properties));
	enum outcome outcome = store_letter(exporting, letter, entry, reason);

	if (outcome == OUTCOME_OK) {
		g_autofree char *text = wire_print(entry, false, NULL);

		fprintf(exporting->manifest, "%s%s", exporting->begun ? ",\n" : "\n", text);
		exporting->begun = true;
	}
	wire_free(&entry);
	return outcome;
}

/* ---- the manifest ---- */

/* The folder, and a manifest in it that takes no earlier one's place. */
static enum outcome open_directory(struct exporting *exporting, const char *path,
				   struct reason *reason)
{
	if (mkdir(path, DIRECTORY_MODE) != 0 && errno != EEXIST)
		return fail(reason, path);
	exporting->directory = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (exporting->directory < 0)
		return fail(reason, path);
	for (int number = 1; number < NAMES_MAX; number++) {
		g_autofree char *name = number == 1 ? g_strdup(MANIFEST ".json")
						    : g_strdup_printf(MANIFEST "-%d.json", number);
		int fd = openat(exporting->directory, name,
				O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, FILE_MODE);

		if (fd < 0 && errno == EEXIST)
			continue;
		if (fd < 0)
			return fail(reason, name);
		exporting->manifest = fdopen(fd, "w");
		exporting->manifest_name = g_steal_pointer(&name);
		return exporting->manifest != NULL ? OUTCOME_OK : fail(reason, path);
	}
	return outcome_retry(reason, STATUS, "%s: it has too many manifests", path);
}

static enum outcome close_directory(struct exporting *exporting, const char *path, bool complete,
				    struct reason *reason)
{
	bool fine = true;

	if (exporting->manifest != NULL) {
		fprintf(exporting->manifest, "], \"Complete\": %s}\n", complete ? "true" : "false");
		fine = ferror(exporting->manifest) == 0;
		/* Whoever exports may want to drop next. */
		fine = fclose(exporting->manifest) == 0 && fine;
		fine = syncfs(exporting->directory) == 0 && fine;
	}
	if (exporting->directory >= 0)
		close(exporting->directory);
	return fine ? OUTCOME_OK : fail(reason, path);
}

static void tell(const struct dead *dead, const struct exporting *exporting, const struct walk *way)
{
	if (!dead->json) {
		printf("%" PRId64 " of %" PRId64 " dead letters exported, see %s/%s\n",
		       way->matched, way->total, dead->directory, exporting->manifest_name);
		return;
	}
	struct wire *answer = wire_object();

	wire_set_text(answer, "Queue", QUEUE_DEAD);
	wire_set_int(answer, "Total", way->total);
	wire_set_int(answer, "Exported", way->matched);
	wire_set_text(answer, "Directory", dead->directory);
	wire_set_text(answer, "Manifest", exporting->manifest_name);
	select_print(&answer);
}

int dead_export(const struct dead *dead)
{
	struct walk way = dead_walk(dead, "export");
	struct reason reason = {0};
	struct exporting exporting = {.directory = -1};
	enum walk_end end = WALK_FAILED;

	if (open_directory(&exporting, dead->directory, &reason) == OUTCOME_OK) {
		g_autofree char *now = table_time(realtime_ms());

		fprintf(exporting.manifest,
			"{\"Queue\": \"" QUEUE_DEAD "\", \"ExportedAt\": \"%s\", \"Messages\": [",
			now);
		way.visit = export_one;
		way.context = &exporting;
		end = walk(&way, &reason);
	}
	struct reason *why = end == WALK_FAILED ? NULL : &reason;

	if (close_directory(&exporting, dead->directory, end == WALK_DONE, why) != OUTCOME_OK)
		end = WALK_FAILED;
	if (end != WALK_FAILED)
		tell(dead, &exporting, &way);
	g_free(exporting.manifest_name);
	return walk_status(end, "dead export", &reason);
}
