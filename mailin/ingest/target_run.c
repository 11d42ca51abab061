#include "mailin/ingest/target_private.h"

/* Errors of the server that may be a race's or the data's: told apart by trying again. */
enum {
	ER_DUP_ENTRY_CODE = 1062,
	ER_ROW_IS_REFERENCED_CODE = 1451,
	ER_NO_REFERENCED_ROW_CODE = 1452,
	CONFLICTS_MAX = 2,
};
/* SIGNAL SQLSTATE '45000': a trigger or function refuses the data. */
enum { ER_SIGNAL_EXCEPTION_CODE = 1644 };

/* ---- failures ---- */

static bool is_conflict(unsigned int code)
{
	return code == ER_DUP_ENTRY_CODE || code == ER_ROW_IS_REFERENCED_CODE ||
	       code == ER_NO_REFERENCED_ROW_CODE;
}

static enum outcome refuse(struct reason *reason)
{
	struct reason why = *reason;

	return outcome_reject(reason, "5.6.0", "%s", why.text);
}

/*
 * A conflict of keys can be a race with another worker, which a repetition does not see again, or
 * the data's, which it does: one of many messages is looked for by halving, and one alone has so
 * many tries.
 */
static enum outcome judge(const struct targets *targets, const struct prepared *prepared,
			  struct inbound *const *messages, size_t count, enum outcome outcome,
			  struct reason *reason)
{
	unsigned int code = db_errno(targets->db);
	g_autofree char *place = target_file_place(prepared->file, prepared->statement);

	reason_prefix(reason, place);
	target_drop_hint(reason);
	if (outcome != OUTCOME_RETRY)
		return outcome;
	if (code == ER_SIGNAL_EXCEPTION_CODE)
		return refuse(reason);
	if (!is_conflict(code))
		return OUTCOME_RETRY;
	if (count == 1 && messages[0]->target_conflicts++ < CONFLICTS_MAX)
		return OUTCOME_RETRY;
	return refuse(reason);
}

/* ---- running ---- */

struct run {
	struct targets *targets;
	struct inbound *const *messages;
	size_t count;
	struct reason *reason;
};

static void forget_values(struct prepared *prepared)
{
	g_array_set_size(prepared->values, 0);
	prepared->row_count = 0;
}

static void forget_waiting(struct targets *targets)
{
	for (guint i = 0; i < targets->waiting->len; i++)
		forget_values(targets->waiting->pdata[i]);
	g_ptr_array_set_size(targets->waiting, 0);
}

/* Write the rows that wait. */
static enum outcome flush(const struct run *run)
{
	GPtrArray *waiting = run->targets->waiting;
	enum outcome outcome = OUTCOME_OK;

	for (guint i = 0; i < waiting->len && outcome == OUTCOME_OK; i++) {
		struct prepared *prepared = waiting->pdata[i];

		outcome = rows_insert(&prepared->rows,
				      (const struct db_value *)prepared->values->data,
				      prepared->row_count, NULL, run->reason);
		if (outcome != OUTCOME_OK)
			outcome = judge(run->targets, prepared, run->messages, run->count, outcome,
					run->reason);
	}
	forget_waiting(run->targets);
	return outcome;
}

static void add_values(struct prepared *prepared, const struct inbound *message, size_t attachment)
{
	const struct target_statement *statement = prepared->statement;

	for (size_t i = 0; i < statement->parameter_count; i++) {
		struct db_value value =
			target_parameter_value(statement->parameters[i], message, attachment);

		g_array_append_val(prepared->values, value);
	}
}

/* Does another statement's row for the same table wait?  Then the order shows. */
static bool is_table_waited_for(const struct targets *targets, const struct prepared *prepared)
{
	for (guint i = 0; i < targets->waiting->len; i++) {
		const struct prepared *other = targets->waiting->pdata[i];

		if (other != prepared && g_ascii_strcasecmp(other->statement->rows.table,
							    prepared->statement->rows.table) == 0)
			return true;
	}
	return false;
}

static enum outcome add_row(const struct run *run, struct prepared *prepared,
			    const struct inbound *message, size_t attachment)
{
	enum outcome outcome = OUTCOME_OK;

	if (is_table_waited_for(run->targets, prepared))
		outcome = flush(run);
	if (outcome != OUTCOME_OK)
		return outcome;
	if (prepared->row_count == 0)
		g_ptr_array_add(run->targets->waiting, prepared);
	add_values(prepared, message, attachment);
	prepared->row_count++;
	return OUTCOME_OK;
}

static enum outcome run_alone(const struct run *run, struct prepared *prepared,
			      const struct inbound *message, size_t attachment)
{
	enum outcome outcome = flush(run);

	if (outcome != OUTCOME_OK)
		return outcome;
	add_values(prepared, message, attachment);
	outcome = db_run(prepared->stmt, (const struct db_value *)prepared->values->data,
			 prepared->values->len, NULL, run->reason);
	forget_values(prepared);
	if (outcome == OUTCOME_OK)
		return OUTCOME_OK;
	return judge(run->targets, prepared, run->messages, run->count, outcome, run->reason);
}

static bool applies(const struct target_section *section, const struct inbound *message,
		    size_t attachment)
{
	if (section->flag == NULL)
		return true;
	struct db_value value = target_parameter_value(section->flag, message, attachment);

	return (value.number != 0) != section->negated;
}

/* The statements from `first` up to `end` are those of one section. */
static enum outcome run_statements(const struct run *run, const struct version *version,
				   size_t first, size_t end, const struct inbound *message,
				   size_t attachment)
{
	const struct target_file *file = version->file;
	const struct target_section *section = &file->sections[file->statements[first].section];

	if (!applies(section, message, attachment))
		return OUTCOME_OK;
	for (size_t i = first; i < end; i++) {
		struct prepared *prepared = &version->statements[i];
		enum outcome outcome = prepared->stmt == NULL
					       ? add_row(run, prepared, message, attachment)
					       : run_alone(run, prepared, message, attachment);

		if (outcome != OUTCOME_OK)
			return outcome;
	}
	return OUTCOME_OK;
}

static enum outcome run_section(const struct run *run, const struct version *version, size_t first,
				size_t end, const struct inbound *message)
{
	const struct target_file *file = version->file;
	enum outcome outcome = OUTCOME_OK;

	if (!file->sections[file->statements[first].section].per_attachment)
		return run_statements(run, version, first, end, message, 0);
	for (size_t i = 0; i < message->attachment_count && outcome == OUTCOME_OK; i++)
		outcome = run_statements(run, version, first, end, message, i);
	return outcome;
}

static enum outcome run_message(const struct run *run, const struct inbound *message)
{
	const struct target *target = target_of(run->targets, message);
	const struct version *version = target != NULL ? target->version : NULL;

	if (version == NULL)
		return OUTCOME_OK;
	const struct target_file *file = version->file;

	for (size_t first = 0, end; first < file->statement_count; first = end) {
		for (end = first + 1;
		     end < file->statement_count &&
		     file->statements[end].section == file->statements[first].section;)
			end++;
		enum outcome outcome = run_section(run, version, first, end, message);

		if (outcome != OUTCOME_OK)
			return outcome;
	}
	return OUTCOME_OK;
}

enum outcome targets_run(struct targets *targets, struct inbound *const *messages, size_t count,
			 struct reason *reason)
{
	const struct run run = {targets, messages, count, reason};
	enum outcome outcome = OUTCOME_OK;

	for (size_t i = 0; i < count && outcome == OUTCOME_OK; i++)
		if (messages[i]->fresh)
			outcome = run_message(&run, messages[i]);
	if (outcome == OUTCOME_OK)
		outcome = flush(&run);
	forget_waiting(targets);
	return outcome;
}
