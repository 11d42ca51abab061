#include "mailout/worker.h"

#include <errno.h>
#include <malloc.h>
#include <poll.h>
#include <string.h>
#include <sys/epoll.h>
#include <sysexits.h>
#include <unistd.h>

#include "common/dial.h"
#include "common/stop.h"
#include "common/topology.h"
#include "mailout/build.h"
#include "mailout/prepare.h"
#include "mailout/worker_private.h"

enum {
	BACKOFF_FIRST_MS = 200,
	CONNECT_MS = 10000,
	IDLE_MS = 1000,       /* heartbeats want a look about so often */
	PREFETCH_BATCHES = 4, /* per stream: prepared, claimed, in flight, on their way */
	PREFETCH_MAX = UINT16_MAX,
	STOP_SETTLE_MS = 10000 /* for record and acknowledgements, once nothing is in flight */
};

/* Allocations of this size are mapped, so that an attachment's memory goes back when it is freed.
 */
enum { MAPPED_BYTES = 256 * 1024 };

/* ---- consuming ---- */

static enum outcome consume_all(struct worker *worker, struct deadline deadline,
				struct reason *reason)
{
	size_t count = worker->config->stream_count;
	int64_t prefetch =
		MIN(worker->config->mailout_batch_count * PREFETCH_BATCHES, PREFETCH_MAX);
	g_autofree char **queues = g_new0(char *, count);

	for (size_t i = 0; i < count; i++)
		queues[i] = worker->streams[i].queue;
	return broker_consume_all(worker->consumer, queues, count, (uint16_t)prefetch, deadline,
				  reason);
}

static void open_consumer(struct worker *worker)
{
	const struct dial who = {.user = &worker->config->amqp_mailout,
				 .password_key = "amqp.mailout_password_file",
				 .name = "mailout"};
	struct deadline deadline = deadline_in(CONNECT_MS);
	struct reason reason;

	if (worker->consumer != NULL || worker->stopping ||
	    !deadline_passed(worker->consumer_link.next_try))
		return;
	worker->consumer = dial_broker(worker->config, &who, deadline, &reason);
	if (worker->consumer == NULL || consume_all(worker, deadline, &reason) != OUTCOME_OK) {
		intake_lose(worker, &reason);
		return;
	}
	log_text(LOG_NOTICE, "consuming", "%zu queues", worker->config->stream_count);
}

/* ---- waiting ---- */

static void drain_epoll(struct worker *worker)
{
	struct epoll_event events[1];

	/* What is ready shows in the senders themselves. */
	epoll_wait(worker->epoll_fd, events, G_N_ELEMENTS(events), 0);
}

/* Without deliveries: the connection is gone, or there is enough to do. */
static void wait_without(struct worker *worker, struct deadline deadline)
{
	struct pollfd fd = {.fd = worker->epoll_fd, .events = POLLIN};
	struct reason reason;

	if (worker->consumer != NULL && broker_heartbeat(worker->consumer, &reason) != OUTCOME_OK)
		intake_lose(worker, &reason);
	poll(&fd, 1, deadline_left_ms(deadline));
}

static void wait_for_delivery(struct worker *worker, struct deadline deadline)
{
	struct broker_delivery delivery = {0};
	struct reason reason;

	switch (broker_next(worker->consumer, &delivery, worker->epoll_fd, deadline, &reason)) {
	case BROKER_DELIVERY:
		intake_take(worker, &delivery);
		break;
	case BROKER_TIMEOUT:
		break;
	case BROKER_CANCELLED:
	case BROKER_LOST:
		intake_lose(worker, &reason);
		break;
	}
}

/* When something is to be done without any news. */
static struct deadline next_deadline(const struct worker *worker)
{
	struct deadline next = deadline_in(IDLE_MS);
	int64_t due_ms;

	write_is_due(worker, monotonic_ms(), &due_ms);
	next.at_ms = MIN(next.at_ms, MIN(due_ms, worker->next_wake_ms));
	next.at_ms = MIN(next.at_ms, send_next_ms(worker));
	next = deadline_earlier(next, deadline_in(MIN(IDLE_MS, redis_rest_ms(worker->redis))));
	if (worker->consumer == NULL)
		next = deadline_earlier(next, worker->consumer_link.next_try);
	if (worker->recorded.head != NULL)
		next = deadline_earlier(next, worker->publisher_link.next_try);
	if (worker->done > 0)
		next = deadline_earlier(next, deadline_in(worker->config->mailout_batch_wait));
	if (worker->stopping)
		next = deadline_earlier(next, deadline_in(worker->config->mailout_batch_wait));
	return next;
}

static void wait_for_news(struct worker *worker)
{
	struct deadline deadline = next_deadline(worker);

	if (worker->consumer == NULL || worker->stopping || !intake_has_room(worker))
		wait_without(worker, deadline);
	else
		wait_for_delivery(worker, deadline);
	drain_epoll(worker);
}

/* ---- the loop ---- */

/* Nothing new is begun; what was claimed and not sent is given back. */
static void begin_stop(struct worker *worker)
{
	worker->stopping = true;
	worker->stop_by = deadline_in(STOP_SETTLE_MS);
	epoll_ctl(worker->epoll_fd, EPOLL_CTL_DEL, stop_fd(), NULL);
	for (size_t i = 0; i < worker->config->stream_count; i++) {
		struct stream *stream = &worker->streams[i];

		while (stream->claimed.head != NULL)
			job_give_back(worker, stream->claimed.head->data, "mailout was stopped");
	}
}

static bool is_finished(struct worker *worker)
{
	if (!worker->stopping)
		return false;
	if (stop_requested() > 1)
		return true;
	if (worker->flying.length > 0) {
		worker->stop_by = deadline_in(STOP_SETTLE_MS);
		return false;
	}
	if (deadline_passed(worker->stop_by))
		return true;
	return worker->answered.length + worker->recorded.length + worker->done +
		       worker->unwritten.length ==
	       0;
}

static void work(struct worker *worker)
{
	int64_t due_ms;
	bool more = false;

	open_consumer(worker);
	if (!worker->stopping) {
		intake_read(worker);
		job_wake_due(worker);
		more = intake_prepare(worker);
	}
	send_pump(worker);
	send_dispatch(worker);
	if (write_is_due(worker, monotonic_ms(), &due_ms)) {
		write_batch(worker);
		send_dispatch(worker);
	}
	write_renew(worker);
	if (worker->recorded.head != NULL)
		publish_batch(worker);
	publish_acknowledge(worker);
	publish_serve(worker);
	state_work(worker);
	if (!more)
		wait_for_news(worker);
}

/* ---- start and end ---- */

static void complain(const char *text, void *context)
{
	(void)context;
	log_text(LOG_WARNING, "template", "%s", text);
}

static struct link new_link(const struct config *config)
{
	return (struct link){
		.backoff = {.first_ms = BACKOFF_FIRST_MS, .max_ms = config->mailout_backoff_max},
		.next_try = deadline_in(0)};
}

static bool start(struct worker *worker, const struct config *config)
{
	struct epoll_event stop = {.events = EPOLLIN};

	worker->config = config;
	worker->next_wake_ms = INT64_MAX;
	worker->consumer_link = new_link(config);
	worker->publisher_link = new_link(config);
	worker->database_link = new_link(config);
	worker->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	if (worker->epoll_fd < 0 ||
	    epoll_ctl(worker->epoll_fd, EPOLL_CTL_ADD, stop_fd(), &stop) != 0) {
		log_text(LOG_ERR, "start", "epoll: %s", strerror(errno));
		return false;
	}
	/* Before anything else is opened: the sessions' processes hold nothing but what they need.
	 */
	send_start(worker);
	build_init();
	worker->templates = prepare_templates(config, complain, NULL);
	write_start(worker);
	worker->redis = redis_new(config);
	worker->streams = g_new0(struct stream, config->stream_count);
	for (size_t i = 0; i < config->stream_count; i++) {
		worker->streams[i].queue = topology_outbound_queue(config->streams[i].name);
		worker->streams[i].rate = rate_new(config->streams[i].rate);
	}
	return true;
}

static void free_jobs(struct worker *worker, GQueue *queue)
{
	while (queue->head != NULL)
		job_free(worker, queue->head->data);
}

static void finish(struct worker *worker)
{
	send_stop(worker);
	broker_close(&worker->consumer);
	broker_close(&worker->publisher);
	sentlog_close(&worker->sentlog);
	free_jobs(worker, &worker->order);
	free_jobs(worker, &worker->flying);
	free_jobs(worker, &worker->answered);
	free_jobs(worker, &worker->recorded);
	for (size_t i = 0; i < worker->config->stream_count; i++) {
		g_free(worker->streams[i].queue);
		rate_free(&worker->streams[i].rate);
	}
	g_free(worker->streams);
	write_stop(worker);
	redis_free(&worker->redis);
	template_set_free(&worker->templates);
	close(worker->epoll_fd);
}

int worker_run(const struct config *config, const struct suspect_hand *hand)
{
	struct worker worker = {.hand = hand};

	mallopt(M_MMAP_THRESHOLD, MAPPED_BYTES);
	if (!start(&worker, config))
		return EX_OSERR;
	while (!is_finished(&worker)) {
		if (stop_requested() > 0 && !worker.stopping)
			begin_stop(&worker);
		work(&worker);
	}
	finish(&worker);
	return stop_requested() > 1 ? EX_TEMPFAIL : EX_OK;
}
