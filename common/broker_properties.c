#include "common/broker_internal.h"

#include <string.h>

#include "common/wire.h"

enum {
	POOL_PAGE = 4096,
	DEPTH_MAX = 6 /* of tables and arrays: x-death has three */
};

/* As they came: decoded when they are needed. */
struct broker_properties {
	size_t size;
	char encoded[];
};

void broker_keep_properties(struct broker *broker)
{
	broker->keep_properties = true;
}

struct broker_properties *broker_properties_new(amqp_bytes_t encoded)
{
	struct broker_properties *properties = g_malloc(sizeof(*properties) + encoded.len);

	properties->size = encoded.len;
	memcpy(properties->encoded, encoded.bytes, encoded.len);
	return properties;
}

bool broker_properties_decode(const struct broker_properties *properties, amqp_pool_t *pool,
			      amqp_basic_properties_t *decoded)
{
	amqp_bytes_t encoded = {.len = properties->size, .bytes = (void *)properties->encoded};
	void *result = NULL;

	if (amqp_decode_properties(AMQP_BASIC_CLASS, pool, encoded, &result) != AMQP_STATUS_OK)
		return false;
	*decoded = *(const amqp_basic_properties_t *)result;
	return true;
}

/* ---- as JSON ---- */

static struct wire *table_json(const amqp_table_t *table, int depth);

static void set_bytes(struct wire *object, const char *key, amqp_bytes_t bytes)
{
	wire_set_textn(object, key, bytes.len > 0 ? bytes.bytes : "", bytes.len);
}

/* JSON has no numbers that are not finite, and our documents no fractions: as text. */
static void set_double(struct wire *object, const char *key, double number)
{
	char text[G_ASCII_DTOSTR_BUF_SIZE];

	wire_set_text(object, key, g_ascii_dtostr(text, sizeof(text), number));
}

static struct wire *array_json(const amqp_array_t *array, int depth);

static void set_value(struct wire *object, const char *key, const amqp_field_value_t *value,
		      int depth)
{
	switch (value->kind) {
	case AMQP_FIELD_KIND_BOOLEAN:
		wire_set_bool(object, key, value->value.boolean != 0);
		return;
	case AMQP_FIELD_KIND_I8:
		/* A number, not a character. NOLINTNEXTLINE(bugprone-signed-char-misuse) */
		wire_set_int(object, key, value->value.i8);
		return;
	case AMQP_FIELD_KIND_U8:
		wire_set_int(object, key, value->value.u8);
		return;
	case AMQP_FIELD_KIND_I16:
		wire_set_int(object, key, value->value.i16);
		return;
	case AMQP_FIELD_KIND_U16:
		wire_set_int(object, key, value->value.u16);
		return;
	case AMQP_FIELD_KIND_I32:
		wire_set_int(object, key, value->value.i32);
		return;
	case AMQP_FIELD_KIND_U32:
		wire_set_int(object, key, value->value.u32);
		return;
	case AMQP_FIELD_KIND_I64:
		wire_set_int(object, key, value->value.i64);
		return;
	case AMQP_FIELD_KIND_U64:
	case AMQP_FIELD_KIND_TIMESTAMP:
		wire_set_int(object, key, (int64_t)MIN(value->value.u64, (uint64_t)INT64_MAX));
		return;
	case AMQP_FIELD_KIND_F32:
		set_double(object, key, (double)value->value.f32);
		return;
	case AMQP_FIELD_KIND_F64:
		set_double(object, key, value->value.f64);
		return;
	case AMQP_FIELD_KIND_UTF8:
	case AMQP_FIELD_KIND_BYTES:
		set_bytes(object, key, value->value.bytes);
		return;
	case AMQP_FIELD_KIND_TABLE:
		wire_set(object, key, table_json(&value->value.table, depth + 1));
		return;
	case AMQP_FIELD_KIND_ARRAY:
		wire_set(object, key, array_json(&value->value.array, depth + 1));
		return;
	default:
		wire_set(object, key, NULL);
		return;
	}
}

static struct wire *array_json(const amqp_array_t *array, int depth)
{
	struct wire *list = wire_array();

	for (int i = 0; i < array->num_entries && depth < DEPTH_MAX; i++) {
		const amqp_field_value_t *value = &array->entries[i];

		if (value->kind == AMQP_FIELD_KIND_TABLE) {
			wire_append(list, table_json(&value->value.table, depth + 1));
		} else {
			/* A value alone has no setters. */
			struct wire *holder = wire_object();
			const char *text;

			set_value(holder, "value", value, depth);
			text = wire_get_text(holder, "value");
			g_autofree char *printed =
				text != NULL ? NULL
					     : wire_print(wire_get(holder, "value"), false, NULL);

			wire_append_text(list, text != NULL ? text : printed);
			wire_free(&holder);
		}
	}
	return list;
}

static struct wire *table_json(const amqp_table_t *table, int depth)
{
	struct wire *object = wire_object();

	for (int i = 0; i < table->num_entries && depth < DEPTH_MAX; i++) {
		const amqp_table_entry_t *entry = &table->entries[i];
		g_autofree char *key = g_strndup(entry->key.bytes, entry->key.len);
		g_autofree char *name = g_utf8_make_valid(key, -1);

		set_value(object, name, &entry->value, depth);
	}
	return object;
}

struct wire *broker_properties_json(const struct broker_properties *properties)
{
	struct wire *object = wire_object();
	amqp_pool_t pool;
	amqp_basic_properties_t p;

	init_amqp_pool(&pool, POOL_PAGE);
	if (broker_properties_decode(properties, &pool, &p)) {
		const struct {
			amqp_flags_t flag;
			const char *name;
			amqp_bytes_t value;
		} texts[] = {
			{AMQP_BASIC_CONTENT_TYPE_FLAG, "content-type", p.content_type},
			{AMQP_BASIC_CONTENT_ENCODING_FLAG, "content-encoding", p.content_encoding},
			{AMQP_BASIC_CORRELATION_ID_FLAG, "correlation-id", p.correlation_id},
			{AMQP_BASIC_REPLY_TO_FLAG, "reply-to", p.reply_to},
			{AMQP_BASIC_EXPIRATION_FLAG, "expiration", p.expiration},
			{AMQP_BASIC_MESSAGE_ID_FLAG, "message-id", p.message_id},
			{AMQP_BASIC_TYPE_FLAG, "type", p.type},
			{AMQP_BASIC_USER_ID_FLAG, "user-id", p.user_id},
			{AMQP_BASIC_APP_ID_FLAG, "app-id", p.app_id},
		};

		for (size_t i = 0; i < G_N_ELEMENTS(texts); i++)
			if ((p._flags & texts[i].flag) != 0)
				set_bytes(object, texts[i].name, texts[i].value);
		if ((p._flags & AMQP_BASIC_TIMESTAMP_FLAG) != 0)
			wire_set_int(object, "timestamp",
				     (int64_t)MIN(p.timestamp, (uint64_t)INT64_MAX));
		if ((p._flags & AMQP_BASIC_DELIVERY_MODE_FLAG) != 0)
			wire_set_int(object, "delivery-mode", p.delivery_mode);
		if ((p._flags & AMQP_BASIC_PRIORITY_FLAG) != 0)
			wire_set_int(object, "priority", p.priority);
		if ((p._flags & AMQP_BASIC_HEADERS_FLAG) != 0)
			wire_set(object, "headers", table_json(&p.headers, 0));
	}
	empty_amqp_pool(&pool);
	return object;
}
