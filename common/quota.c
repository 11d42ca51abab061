#include "common/quota.h"

#include <errno.h>
#include <fcntl.h>
#include <glib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "common/deadline.h"
#include "common/sha256.h"

enum {
	SECONDS_PER_HOUR = 3600,
	SECONDS_PER_DAY = 24 * SECONDS_PER_HOUR,
	LOCK_MS = 200,
	LOCK_STEP_NS = 1000 * 1000,
	FILE_MODE = 0660,
};

/* "mpquota1" where the byte order is ours; another layout needs another number. */
static const uint64_t MAGIC = UINT64_C(0x3161746f7571706d);

struct slot {
	uint64_t key; /* of its SHA-256 */
	int32_t day;  /* since 1970; the slot is free when this is not today */
	uint32_t count;
};

struct header {
	uint64_t magic;
	int64_t hour; /* since 1970, that `count` belongs to */
	int64_t count;
};

struct quota {
	struct quota_limits limits;
	int fd; /* -1: not even memory; then nothing is within the limits */
};

/* ---- the file ---- */

static void use_memory(struct quota *quota)
{
	if (quota->fd >= 0)
		close(quota->fd);
	quota->fd = memfd_create("quota", MFD_CLOEXEC);
}

struct quota *quota_open(const char *file, const struct quota_limits *limits, struct reason *reason)
{
	struct quota *quota = g_new0(struct quota, 1);
	struct stat status;

	quota->limits = *limits;
	if (reason != NULL)
		*reason = (struct reason){{0}, {0}};
	quota->fd = open(file, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, FILE_MODE);
	if (quota->fd >= 0 && fstat(quota->fd, &status) == 0 && S_ISREG(status.st_mode))
		return quota;
	outcome_retry(reason, "4.3.5", "%s: %s", file,
		      quota->fd < 0 ? g_strerror(errno) : "is no file");
	use_memory(quota);
	return quota;
}

void quota_close(struct quota **quota)
{
	if (*quota == NULL)
		return;
	if ((*quota)->fd >= 0)
		close((*quota)->fd);
	g_free(*quota);
	*quota = NULL;
}

static bool lock(const struct quota *quota)
{
	const struct timespec step = {.tv_nsec = LOCK_STEP_NS};
	struct deadline deadline = deadline_in(LOCK_MS);

	while (flock(quota->fd, LOCK_EX | LOCK_NB) != 0) {
		if ((errno != EWOULDBLOCK && errno != EINTR) || deadline_passed(deadline))
			return false;
		nanosleep(&step, NULL);
	}
	return true;
}

/* What is behind the end of the file counts as zeros. */
static bool read_at(const struct quota *quota, void *to, size_t size, off_t at)
{
	size_t done = 0;

	memset(to, 0, size);
	while (done < size) {
		ssize_t count = pread(quota->fd, (char *)to + done, size - done, at + (off_t)done);

		if (count == 0)
			return true;
		if (count < 0 && errno != EINTR)
			return false;
		done += count > 0 ? (size_t)count : 0;
	}
	return true;
}

static bool write_at(const struct quota *quota, const void *from, size_t size, off_t at)
{
	return pwrite(quota->fd, from, size, at) == (ssize_t)size;
}

/* ---- counts ---- */

static bool read_header(const struct quota *quota, int64_t hour, struct header *header)
{
	if (!read_at(quota, header, sizeof(*header), 0))
		return false;
	if (header->magic != MAGIC && ftruncate(quota->fd, 0) != 0)
		return false;
	if (header->magic != MAGIC || header->hour != hour || header->count < 0)
		*header = (struct header){.magic = MAGIC, .hour = hour};
	return true;
}

/* The key's slot, or a free one for it; found == false: neither. */
struct place {
	struct slot slot;
	off_t at;
	bool found;
};

static bool find(const struct quota *quota, const char *key, int32_t day, struct place *place)
{
	unsigned char digest[SHA256_SIZE];
	struct slot slots[QUOTA_NEIGHBOURS];
	uint64_t hash;

	sha256_of(key, strlen(key), digest);
	memcpy(&hash, digest, sizeof(hash));
	off_t first = (off_t)(sizeof(struct header) +
			      hash % (QUOTA_SLOTS - QUOTA_NEIGHBOURS + 1) * sizeof(struct slot));

	*place = (struct place){.found = false};
	if (!read_at(quota, slots, sizeof(slots), first))
		return false;
	for (size_t i = 0; i < QUOTA_NEIGHBOURS; i++) {
		bool is_key = slots[i].day == day && slots[i].key == hash;

		if (!is_key && (place->found || slots[i].day == day))
			continue;
		place->found = true;
		place->slot = is_key ? slots[i] : (struct slot){.key = hash, .day = day};
		place->at = first + (off_t)(i * sizeof(struct slot));
		if (is_key)
			break;
	}
	return true;
}

/* A key's count and that of the hour. */
struct counts {
	struct header header;
	struct place place;
};

static bool read_counts(const struct quota *quota, const char *key, int64_t at_s,
			struct counts *counts)
{
	return read_header(quota, at_s / SECONDS_PER_HOUR, &counts->header) &&
	       find(quota, key, (int32_t)(at_s / SECONDS_PER_DAY), &counts->place);
}

static bool write_counts(const struct quota *quota, const struct counts *counts)
{
	const struct place *place = &counts->place;

	return write_at(quota, &place->slot, sizeof(place->slot), place->at) &&
	       write_at(quota, &counts->header, sizeof(counts->header), 0);
}

static bool is_within(const struct quota *quota, const struct counts *counts)
{
	return counts->place.found && counts->header.count < quota->limits.per_hour &&
	       counts->place.slot.count < quota->limits.per_key_day;
}

/* False after an error. */
static bool count_one(const struct quota *quota, const char *key, int64_t now_s, bool *within)
{
	struct counts counts;

	*within = false;
	if (!read_counts(quota, key, now_s, &counts))
		return false;
	*within = is_within(quota, &counts);
	if (!*within)
		return true;
	counts.place.slot.count++;
	counts.header.count++;
	return write_counts(quota, &counts);
}

bool quota_take(struct quota *quota, const char *key, int64_t now_s)
{
	bool within;

	if (!lock(quota))
		return false;
	bool fine = count_one(quota, key, now_s, &within);

	(void)flock(quota->fd, LOCK_UN);
	if (fine)
		return within;
	use_memory(quota);
	return count_one(quota, key, now_s, &within) && within;
}

static void uncount_one(const struct quota *quota, const char *key, int64_t taken_s)
{
	struct header header;
	struct counts counts;

	/* In the next hour it has been forgotten, and that hour's count is not to be lost. */
	if (!read_at(quota, &header, sizeof(header), 0) || header.magic != MAGIC ||
	    header.hour != taken_s / SECONDS_PER_HOUR)
		return;
	if (!read_counts(quota, key, taken_s, &counts) || !counts.place.found ||
	    counts.place.slot.count == 0 || counts.header.count == 0)
		return;
	counts.place.slot.count--;
	counts.header.count--;
	(void)write_counts(quota, &counts);
}

void quota_return(struct quota *quota, const char *key, int64_t taken_s)
{
	if (!lock(quota))
		return;
	uncount_one(quota, key, taken_s);
	(void)flock(quota->fd, LOCK_UN);
}
