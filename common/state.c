#include "common/state.h"

#include <stddef.h>

#include "common/wire.h"

char *state_print(const struct state *state)
{
	struct wire *object = wire_object();
	size_t size;

	wire_set_text(object, "MessageID", state->message_id);
	wire_set_text(object, "Direction", state->direction);
	wire_set_text(object, "Status", state->status);
	wire_set_text(object, "MessageStream", state->route);
	wire_set_time(object, "At", state->at_ms);
	if (state->attempt > 0)
		wire_set_int(object, "Attempt", state->attempt);
	if (state->next_attempt_ms > 0)
		wire_set_time(object, "NextAttempt", state->next_attempt_ms);
	if (state->reason != NULL && *state->reason != '\0')
		wire_set_text(object, "Reason", state->reason);
	char *text = wire_print(object, false, &size);

	wire_free(&object);
	return text;
}
