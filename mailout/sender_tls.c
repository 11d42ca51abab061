#include "mailout/sender_tls.h"

#include <glib.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include "mailout/sender_socket.h"

static const char STATUS[] = "4.7.5";

struct sender_tls {
	SSL_CTX *context;
	char *name; /* for SNI; NULL: it is an address */
	const char *distrust;
};

/* Called for each certificate of the chain and for each error found. */
static int on_verify(int is_fine, X509_STORE_CTX *store)
{
	const SSL *ssl = X509_STORE_CTX_get_ex_data(store, SSL_get_ex_data_X509_STORE_CTX_idx());
	struct sender_tls *tls = SSL_CTX_get_app_data(SSL_get_SSL_CTX(ssl));

	if (!is_fine)
		tls->distrust = X509_verify_cert_error_string(X509_STORE_CTX_get_error(store));
	return is_fine;
}

/* Is there something to read for libesmtp?  An error is: it is to see it. */
static bool has_data(void *argument)
{
	SSL *ssl = argument;
	char byte;
	int result = SSL_peek(ssl, &byte, sizeof(byte));
	bool nothing = result <= 0 && SSL_get_error(ssl, result) == SSL_ERROR_WANT_READ;

	ERR_clear_error();
	return !nothing;
}

/* libesmtp makes the SSL object, begins the handshake and tells nobody: these are the moments
   before and after it.  (TLS 1.3 calls a ticket that comes later a handshake, too.) */
static void on_info(const SSL *borrowed, int where, int result)
{
	struct sender_tls *tls = SSL_CTX_get_app_data(SSL_get_SSL_CTX(borrowed));
	SSL *ssl = (SSL *)(uintptr_t)borrowed;

	(void)result;
	if (where == SSL_CB_HANDSHAKE_START && tls->name != NULL &&
	    SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name) == NULL)
		(void)SSL_set_tlsext_host_name(ssl, tls->name);
	if (where == SSL_CB_HANDSHAKE_DONE)
		sender_socket_filter(has_data, ssl);
}

struct sender_tls *sender_tls_new(const char *ca_file, struct reason *reason)
{
	struct sender_tls *tls = g_new0(struct sender_tls, 1);

	tls->context = SSL_CTX_new(TLS_client_method());
	if (tls->context == NULL) {
		outcome_retry(reason, STATUS, "no TLS context");
		sender_tls_free(&tls);
		return NULL;
	}
	SSL_CTX_set_app_data(tls->context, tls);
	SSL_CTX_set_min_proto_version(tls->context, TLS1_2_VERSION);
	SSL_CTX_set_verify(tls->context, SSL_VERIFY_PEER, on_verify);
	SSL_CTX_set_info_callback(tls->context, on_info);
	int loaded = ca_file != NULL ? SSL_CTX_load_verify_file(tls->context, ca_file)
				     : SSL_CTX_set_default_verify_paths(tls->context);

	if (loaded != 1) {
		const char *why = ERR_reason_error_string(ERR_peek_last_error());

		outcome_retry(reason, STATUS, "smtp.tls_ca_file: cannot read %s: %s",
			      ca_file != NULL ? ca_file : "the system's certificates",
			      why != NULL ? why : "unknown error");
		ERR_clear_error();
		sender_tls_free(&tls);
	}
	return tls;
}

void sender_tls_free(struct sender_tls **tls)
{
	if (*tls == NULL)
		return;
	SSL_CTX_free((*tls)->context);
	g_free((*tls)->name);
	g_clear_pointer(tls, g_free);
}

bool sender_tls_expect(struct sender_tls *tls, const struct hostport *host)
{
	X509_VERIFY_PARAM *param = SSL_CTX_get0_param(tls->context);

	g_clear_pointer(&tls->name, g_free);
	tls->distrust = NULL;
	X509_VERIFY_PARAM_set_hostflags(param, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
	if (host->ip_literal)
		return X509_VERIFY_PARAM_set1_host(param, NULL, 0) == 1 &&
		       X509_VERIFY_PARAM_set1_ip_asc(param, host->host) == 1;
	tls->name = g_strdup(host->host);
	return X509_VERIFY_PARAM_set1_ip(param, NULL, 0) == 1 &&
	       X509_VERIFY_PARAM_set1_host(param, host->host, 0) == 1;
}

struct ssl_ctx_st *sender_tls_context(struct sender_tls *tls)
{
	return tls->context;
}

const char *sender_tls_distrust(const struct sender_tls *tls)
{
	return tls->distrust;
}
