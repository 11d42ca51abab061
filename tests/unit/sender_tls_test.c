/* A connection under TLS is readable when there is something for libesmtp, and not before. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <glib.h>
#include <netinet/in.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <poll.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#include "mailout/sender_socket.h"
#include "mailout/sender_tls.h"

enum { CERTIFICATE_DAYS_S = 24 * 3600, A_WHILE_MS = 50, ENDLESS_MS = -1 };

struct pair {
	char *ca_file;
	struct sender_tls *tls;
	SSL_CTX *context; /* the server's */
	SSL *server;
	SSL *client;
	int fd; /* the client's */
};

/* ---- a server's certificate for localhost ---- */

static void make_certificate(struct pair *pair)
{
	EVP_PKEY *key = EVP_EC_gen("P-256");
	X509 *certificate = X509_new();
	X509_NAME *name = X509_get_subject_name(certificate);
	int fd = g_file_open_tmp("mailpipe-ca-XXXXXX", &pair->ca_file, NULL);
	FILE *file = fdopen(fd, "w");

	X509_gmtime_adj(X509_getm_notBefore(certificate), -1);
	X509_gmtime_adj(X509_getm_notAfter(certificate), CERTIFICATE_DAYS_S);
	X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, (const unsigned char *)"localhost", -1,
				   -1, 0);
	X509_set_issuer_name(certificate, name);
	X509_set_pubkey(certificate, key);
	assert_true(X509_sign(certificate, key, EVP_sha256()) > 0);
	assert_int_equal(PEM_write_X509(file, certificate), 1);
	fclose(file);
	pair->context = SSL_CTX_new(TLS_server_method());
	assert_int_equal(SSL_CTX_use_certificate(pair->context, certificate), 1);
	assert_int_equal(SSL_CTX_use_PrivateKey(pair->context, key), 1);
	X509_free(certificate);
	EVP_PKEY_free(key);
}

/* ---- both ends ---- */

/* The connection comes to the client as it comes to libesmtp. */
static void make_connection(struct pair *pair)
{
	const struct sockaddr_in nowhere = {.sin_family = AF_INET};
	int ends[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, ends), 0);
	pair->server = SSL_new(pair->context);
	SSL_set_fd(pair->server, ends[1]);
	SSL_set_accept_state(pair->server);
	sender_socket_offer(ends[0]);
	pair->fd = socket(AF_INET, SOCK_STREAM, 0);
	assert_int_equal(connect(pair->fd, (const struct sockaddr *)&nowhere, sizeof(nowhere)), 0);
	assert_int_equal(sender_socket_taken(), pair->fd);
	pair->client = SSL_new((SSL_CTX *)sender_tls_context(pair->tls));
	SSL_set_fd(pair->client, pair->fd);
	SSL_set_connect_state(pair->client);
}

static int set_up(void **state)
{
	struct pair *pair = g_new0(struct pair, 1);
	struct hostport host = {0};
	struct reason reason;

	make_certificate(pair);
	pair->tls = sender_tls_new(pair->ca_file, &reason);
	assert_non_null(pair->tls);
	assert_true(hostport_parse(&host, "localhost", 25));
	assert_true(sender_tls_expect(pair->tls, &host));
	hostport_clear(&host);
	make_connection(pair);
	*state = pair;
	return 0;
}

static int tear_down(void **state)
{
	struct pair *pair = *state;

	sender_socket_offer(-1);
	close(SSL_get_fd(pair->server));
	close(pair->fd);
	SSL_free(pair->client);
	SSL_free(pair->server);
	SSL_CTX_free(pair->context);
	sender_tls_free(&pair->tls);
	unlink(pair->ca_file);
	g_free(pair->ca_file);
	g_free(pair);
	return 0;
}

/* Until both say that it is done; the server's tickets are then on their way. */
static void shake_hands(struct pair *pair)
{
	int client = 0;
	int server = 0;

	for (int i = 0; i < 10 && (client != 1 || server != 1); i++) {
		client = SSL_do_handshake(pair->client);
		server = SSL_do_handshake(pair->server);
	}
	assert_int_equal(client, 1);
	assert_int_equal(server, 1);
}

/* As libesmtp asks: the same descriptor twice. */
static int ask(const struct pair *pair, bool write, int timeout_ms, short *in, short *out)
{
	struct pollfd fds[] = {{.fd = pair->fd, .events = POLLIN},
			       {.fd = pair->fd, .events = POLLOUT}};
	int ready = poll(fds, write ? 2 : 1, timeout_ms);

	*in = fds[0].revents;
	*out = fds[1].revents;
	return ready;
}

/* ---- tests ---- */

static void test_tickets_are_nothing_to_read(void **state)
{
	struct pair *pair = *state;
	struct pollfd raw = {.events = POLLIN};
	short in;
	short out;

	shake_hands(pair);
	/* They are there: a second descriptor of the same socket is not filtered. */
	raw.fd = dup(pair->fd);
	assert_int_equal(poll(&raw, 1, 0), 1);
	assert_int_equal(ask(pair, true, ENDLESS_MS, &in, &out), 1);
	assert_int_equal(in, 0);
	assert_int_equal(out, POLLOUT);
	assert_int_equal(ask(pair, false, 0, &in, &out), 0);
	assert_int_equal(ask(pair, false, A_WHILE_MS, &in, &out), 0);
	close(raw.fd);
}

static void test_a_reply_is_seen_behind_tickets(void **state)
{
	struct pair *pair = *state;
	char buffer[8];
	short in;
	short out;

	shake_hands(pair);
	assert_int_equal(SSL_write(pair->server, "250 ok", 6), 6);
	assert_int_equal(ask(pair, true, ENDLESS_MS, &in, &out), 2);
	assert_int_equal(in, POLLIN);
	assert_int_equal(SSL_read(pair->client, buffer, sizeof(buffer)), 6);
	assert_memory_equal(buffer, "250 ok", 6);
	assert_int_equal(ask(pair, false, 0, &in, &out), 0);
}

static void test_the_end_is_seen(void **state)
{
	struct pair *pair = *state;
	short in;
	short out;

	shake_hands(pair);
	assert_int_equal(shutdown(SSL_get_fd(pair->server), SHUT_WR), 0);
	assert_int_equal(ask(pair, false, ENDLESS_MS, &in, &out), 1);
	assert_int_equal(in, POLLIN);
}

static void test_a_new_connection_is_not_asked(void **state)
{
	struct pair *pair = *state;
	short in;
	short out;

	shake_hands(pair);
	sender_socket_offer(-1);
	assert_int_equal(ask(pair, false, 0, &in, &out), 1);
	assert_int_equal(in, POLLIN);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_tickets_are_nothing_to_read, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(test_a_reply_is_seen_behind_tickets, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(test_the_end_is_seen, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_a_new_connection_is_not_asked, set_up,
						tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
