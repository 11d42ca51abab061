#include "mailin/ingest/background.h"

#include <glib.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "common/db.h"

struct background {
	int done_fd;
	pthread_t thread;
	struct store *store;
	struct inbound **messages;
	size_t count;
	enum outcome outcome;
	struct reason reason;
};

struct background *background_new(void)
{
	int fd = eventfd(0, EFD_CLOEXEC);

	if (fd < 0)
		return NULL;
	struct background *background = g_new0(struct background, 1);

	background->done_fd = fd;
	return background;
}

void background_free(struct background **background)
{
	if (*background == NULL)
		return;
	close((*background)->done_fd);
	g_free(*background);
	*background = NULL;
}

static void *run(void *context)
{
	struct background *background = context;

	db_thread_begin();
	background->outcome = store_batch(background->store, background->messages,
					  background->count, &background->reason);
	db_thread_end();
	eventfd_write(background->done_fd, 1);
	return NULL;
}

bool background_begin(struct background *background, struct store *store, struct inbound **messages,
		      size_t count)
{
	sigset_t all;
	sigset_t before;

	background->store = store;
	background->messages = messages;
	background->count = count;
	background->reason = (struct reason){.status = ""};
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	int error = pthread_create(&background->thread, NULL, run, background);

	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return error == 0;
}

int background_fd(const struct background *background)
{
	return background->done_fd;
}

bool background_done(const struct background *background)
{
	struct pollfd fd = {.fd = background->done_fd, .events = POLLIN};

	return poll(&fd, 1, 0) == 1;
}

enum outcome background_end(struct background *background, struct reason *reason)
{
	eventfd_t times;

	pthread_join(background->thread, NULL);
	eventfd_read(background->done_fd, &times);
	*reason = background->reason;
	return background->outcome;
}
