/* policy: what routes take of attachments, at their limits and one past them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <glib.h>
#include <string.h>

#include "mailin/ingest/policy.h"

enum { SIDE_MIN = 200, SIZE_MAX_BYTES = 1000, COUNT_MAX = 3 };

/* A route that takes all, and a mail without attachments. */
struct fixture {
	struct config_route route;
	char *allow[4];
	char *refuse[4];
	struct inbound inbound;
	GArray *attachments;
};

static int set_up(void **state)
{
	struct fixture *f = g_new0(struct fixture, 1);

	f->route = (struct config_route){
		.target = (char *)"inbox",
		.attachments_allow = f->allow,
		.attachments_refuse = f->refuse,
		.attachments_max = COUNT_MAX,
		.attachment_size = SIZE_MAX_BYTES,
		.inline_side = SIDE_MIN,
	};
	f->attachments = g_array_new(FALSE, TRUE, sizeof(struct inbound_attachment));
	*state = f;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *f = *state;

	for (size_t i = 0; i < f->inbound.attachment_count; i++)
		g_free(f->inbound.attachments[i].blob.data);
	g_free(f->inbound.attachments);
	if (f->attachments != NULL)
		g_array_free(f->attachments, TRUE);
	g_free(f);
	return 0;
}

static struct inbound_text text(const char *data)
{
	return (struct inbound_text){data, strlen(data)};
}

static struct inbound_attachment *add(struct fixture *f, const char *name, const char *type,
				      size_t size)
{
	struct inbound_attachment attachment = {
		.position = f->attachments->len,
		.name = text(name),
		.content_type = text(type),
		.detected_type = text(type),
		.content_id = text(""),
		.blob = {.data = g_malloc0(size + 1), .size = size},
	};

	g_array_append_val(f->attachments, attachment);
	return &g_array_index(f->attachments, struct inbound_attachment, f->attachments->len - 1);
}

static struct inbound_attachment *add_photo(struct fixture *f, const char *name, int64_t width,
					    int64_t height)
{
	struct inbound_attachment *photo = add(f, name, "image/jpeg", 1);

	photo->image_width = width;
	photo->image_height = height;
	photo->image_orientation = 1;
	return photo;
}

/* "a b|c:size d:type" or with "!name" or "!" at the end if the mail is refused. */
static char *outcome(struct fixture *f)
{
	GString *out = g_string_new(NULL);

	f->inbound.attachment_count = f->attachments->len;
	f->inbound.attachments = (void *)g_array_free(f->attachments, FALSE);
	f->attachments = NULL;
	policy_apply(&f->route, &f->inbound);
	for (size_t i = 0; i < f->inbound.attachment_count; i++)
		g_string_append_printf(out, "%s%s", i > 0 ? " " : "",
				       f->inbound.attachments[i].name.data);
	for (size_t i = 0; i < f->inbound.refused_count; i++) {
		const struct inbound_attachment *refused = &f->inbound.refused[i];

		assert_null(refused->blob.data);
		g_string_append_printf(out, "%s%s:%s", i > 0 ? " " : "|", refused->name.data,
				       policy_refused_name(refused->why));
	}
	if (f->inbound.rejection.is)
		g_string_append_printf(out, "!%s",
				       f->inbound.rejection.name != NULL ? f->inbound.rejection.name
									 : "");
	return g_string_free(out, FALSE);
}

static void expect(struct fixture *f, const char *expected)
{
	g_autofree char *got = outcome(f);

	assert_string_equal(got, expected);
}

/* ---- any route ---- */

static void a_route_takes_all_at_first(void **state)
{
	struct fixture *f = *state;

	f->route.attachments_max = 500;
	add(f, "a.exe", "application/x-dosexec", SIZE_MAX_BYTES);
	add(f, "b", "", 0);
	expect(f, "a.exe b");
}

static void a_mail_without_attachments_has_no_policy(void **state)
{
	struct fixture *f = *state;

	f->allow[0] = (char *)"image/*";
	f->route.attachments_max = 0;
	f->route.attachments_refused = CONFIG_REFUSED_REJECT;
	expect(f, "");
}

static void size_and_count_end_at_their_limits(void **state)
{
	struct fixture *f = *state;

	add(f, "a", "a/b", SIZE_MAX_BYTES);
	add(f, "b", "a/b", SIZE_MAX_BYTES + 1);
	add(f, "c", "a/b", 0);
	add(f, "d", "a/b", 1);
	add(f, "e", "a/b", 1);
	/* What is too large does not count. */
	expect(f, "a c d|b:size e:count");
}

static void none_may_be_taken(void **state)
{
	struct fixture *f = *state;

	f->route.attachments_max = 0;
	add(f, "a", "a/b", 1);
	expect(f, "|a:count");
}

static void allowed_by_content_or_by_name(void **state)
{
	struct fixture *f = *state;

	f->allow[0] = (char *)"IMAGE/*";
	f->allow[1] = (char *)"*.PDF";
	add(f, "a", "image/png", 1);
	add(f, "b.pdf", "text/plain", 1);
	add(f, "c.png", "text/plain", 1)->content_type = text("image/png");
	add(f, "d.pdf.zip", "application/zip", 1);
	expect(f, "a b.pdf|c.png:type d.pdf.zip:type");
}

static void without_a_look_inside_the_mail_is_believed(void **state)
{
	struct fixture *f = *state;

	f->allow[0] = (char *)"image/*";
	add(f, "a", "image/png", 1)->detected_type = text("");
	add(f, "b", "text/plain", 1)->detected_type = (struct inbound_text){NULL, 0};
	expect(f, "a|b:type");
}

static void refused_by_content_by_claim_or_by_name(void **state)
{
	struct fixture *f = *state;

	f->refuse[0] = (char *)"*.exe";
	f->refuse[1] = (char *)"application/x-*";
	f->refuse[2] = (char *)"?.Ä*";
	f->allow[0] = (char *)"*";
	add(f, "a.txt", "application/x-dosexec", 1);
	add(f, "b.txt", "text/plain", 1)->content_type = text("application/X-msdownload");
	add(f, "c.txt.EXE", "text/plain", 1);
	add(f, "d.ä", "text/plain", 1);
	add(f, "e.exe.txt", "text/plain", 1);
	expect(f, "e.exe.txt|a.txt:type b.txt:type c.txt.EXE:name d.ä:name");
}

static void a_mail_can_be_refused_as_a_whole(void **state)
{
	struct fixture *f = *state;

	f->route.attachments_refused = CONFIG_REFUSED_REJECT;
	add(f, "a", "a/b", 1);
	add(f, "b", "a/b", SIZE_MAX_BYTES + 1);
	add(f, "c", "a/b", SIZE_MAX_BYTES + 2);
	expect(f, "a|b:size c:size!b");
	assert_int_equal(f->inbound.rejection.limit, SIZE_MAX_BYTES);
	policy_enforce(&f->inbound);
	assert_true(f->inbound.rejected);
	assert_string_equal(f->inbound.why.status, "5.3.4");
}

static void images_are_photos_anywhere(void **state)
{
	struct fixture *f = *state;

	add_photo(f, "a", 1, 1);
	add(f, "b", "image/jpeg", 1);
	expect(f, "a b");
	assert_true(f->inbound.attachments[0].photo);
	assert_false(f->inbound.attachments[1].photo);
	policy_enforce(&f->inbound);
	assert_false(f->inbound.rejected);
}

/* ---- galleries ---- */

static int set_up_gallery(void **state)
{
	set_up(state);
	((struct fixture *)*state)->route.target = (char *)"gallery";
	return 0;
}

static void a_gallery_needs_a_photo(void **state)
{
	struct fixture *f = *state;

	add(f, "a.jpg", "image/jpeg", 1);
	add(f, "b.svg", "image/svg+xml", 1);
	expect(f, "a.jpg b.svg!");
	policy_enforce(&f->inbound);
	assert_string_equal(f->inbound.why.status, "5.6.1");
}

static void a_gallery_needs_an_attachment(void **state)
{
	struct fixture *f = *state;

	expect(f, "!");
}

static void a_gallery_refuses_the_mail_unless_told_otherwise(void **state)
{
	struct fixture *f = *state;

	for (int i = 0; i <= COUNT_MAX; i++)
		add_photo(f, "p", 1, 1);
	expect(f, "p p p|p:count!p");
	assert_int_equal(f->inbound.rejection.limit, COUNT_MAX);
}

static void a_gallery_can_take_what_it_may(void **state)
{
	struct fixture *f = *state;

	f->route.attachments_refused = CONFIG_REFUSED_DROP;
	for (int i = 0; i <= COUNT_MAX; i++)
		add_photo(f, "p", 1, 1);
	expect(f, "p p p|p:count");
}

static void nothing_left_is_refused_with_its_reason(void **state)
{
	struct fixture *f = *state;

	f->route.attachments_refused = CONFIG_REFUSED_DROP;
	f->route.attachment_size = 0;
	add_photo(f, "p", 1, 1);
	expect(f, "|p:size!p");
}

static void others_are_kept(void **state)
{
	struct fixture *f = *state;

	add_photo(f, "p", 1, 1);
	add(f, "a.pdf", "application/pdf", 1);
	expect(f, "p a.pdf");
}

static void others_are_left_out(void **state)
{
	struct fixture *f = *state;

	f->route.attachments_other = CONFIG_OTHER_IGNORE;
	add(f, "a.pdf", "application/pdf", SIZE_MAX_BYTES + 1);
	add_photo(f, "p", 1, 1);
	expect(f, "p|a.pdf:no-photo");
}

static void others_are_refused(void **state)
{
	struct fixture *f = *state;

	f->route.attachments_other = CONFIG_OTHER_REFUSE;
	add_photo(f, "p", 1, 1);
	add(f, "a.pdf", "application/pdf", 1);
	expect(f, "p|a.pdf:no-photo!a.pdf");
}

static struct inbound_attachment *add_inline(struct fixture *f, const char *name, int64_t width,
					     int64_t height)
{
	struct inbound_attachment *photo = add_photo(f, name, width, height);

	photo->content_id = text(name);
	return photo;
}

static void decorations_are_small_and_shown_by_the_html(void **state)
{
	static const char *const photos[] = {"large", "unshown", "prefix", "attached", NULL};
	struct fixture *f = *state;

	f->route.attachments_max = 4;
	f->inbound.html_body = text("<img src=\"cid:logo\"><IMG SRC='CID:large'><img src=cid:a%40b>"
				    "<p>cid: :</p>cid:prefixed cid:tall");
	add_inline(f, "logo", SIDE_MIN - 1, SIDE_MIN);
	add_inline(f, "large", SIDE_MIN, SIDE_MIN);
	add_inline(f, "a@b", 1, 1);
	add_inline(f, "unshown", 1, 1);
	add_inline(f, "prefix", 1, 1);
	add_inline(f, "tall", 5000, SIDE_MIN - 1);
	add_photo(f, "attached", 1, 1);
	/* They do not count. */
	expect(f, "logo large a@b unshown prefix tall attached");
	for (size_t i = 0; i < f->inbound.attachment_count; i++) {
		const struct inbound_attachment *attachment = &f->inbound.attachments[i];

		assert_int_equal(attachment->photo, g_strv_contains(photos, attachment->name.data));
	}
}

static void a_logo_alone_is_no_photo(void **state)
{
	struct fixture *f = *state;

	f->inbound.html_body = text("<img src=\"cid:logo\">");
	add_inline(f, "logo", 100, 30);
	expect(f, "logo!");
}

static void decorations_can_count_as_photos(void **state)
{
	struct fixture *f = *state;

	f->route.inline_side = 0;
	f->inbound.html_body = text("<img src=\"cid:logo\">");
	add_inline(f, "logo", 1, 1);
	expect(f, "logo");
	assert_true(f->inbound.attachments[0].photo);
}

static void a_decoration_is_no_reason_to_refuse_a_mail(void **state)
{
	struct fixture *f = *state;

	f->route.attachments_other = CONFIG_OTHER_REFUSE;
	f->route.attachments_max = 1;
	f->refuse[0] = (char *)"logo2";
	f->inbound.html_body = text("cid:logo1 cid:logo2");
	add_inline(f, "logo1", 1, 1);
	add_inline(f, "logo2", 1, 1);
	add_photo(f, "p", 1, 1);
	expect(f, "logo1 p|logo2:name");
}

/* ---- archives ---- */

static const struct inbound_entry entries[] = {
	{{"notes.txt", sizeof("notes.txt") - 1}, 10},
	{{"RUN.Exe", sizeof("RUN.Exe") - 1}, 20},
};

static struct inbound_attachment *add_archive(struct fixture *f, const char *name, size_t count)
{
	struct inbound_attachment *archive = add(f, name, "application/zip", 1);

	archive->entries = count > 0 ? entries : NULL;
	archive->entry_count = count;
	return archive;
}

static void names_in_archives_are_refused(void **state)
{
	struct fixture *f = *state;

	f->route.attachments_max = 10;
	f->refuse[0] = (char *)"text/*";
	f->refuse[1] = (char *)"*.scr";
	f->refuse[2] = (char *)"*.exe";
	add_archive(f, "a.zip", 1);
	add_archive(f, "b.zip", 2);
	add_archive(f, "c.zip", 0);
	add_archive(f, "d.exe", 1);
	expect(f, "a.zip c.zip|b.zip:name d.exe:name");
	assert_ptr_equal(f->inbound.refused[0].refused_entry, &entries[1]);
	assert_null(f->inbound.refused[1].refused_entry);
}

static void types_do_not_ask_what_is_in_archives(void **state)
{
	struct fixture *f = *state;

	f->refuse[0] = (char *)"application/x-dosexec";
	add_archive(f, "a.zip", 2);
	add_archive(f, "b.zip", 0)->unread = true;
	expect(f, "a.zip b.zip");
}

static void who_allows_an_archive_allows_what_is_in_it(void **state)
{
	struct fixture *f = *state;

	f->route.attachments_max = 10;
	f->allow[0] = (char *)"application/zip";
	f->allow[1] = (char *)"*.txt";
	add_archive(f, "a.zip", 2);
	add_archive(f, "b.zip", 0)->unread = true;
	add(f, "c.bin", "a/b", 1);
	expect(f, "a.zip b.zip|c.bin:type");
}

static void an_allowed_name_in_it_does_not_allow_an_archive(void **state)
{
	struct fixture *f = *state;

	f->allow[0] = (char *)"*.txt";
	add_archive(f, "a.zip", 1);
	expect(f, "|a.zip:type");
}

static void what_cannot_be_read_is_refused_where_names_are(void **state)
{
	struct fixture *f = *state;

	f->refuse[0] = (char *)"*.exe";
	add_archive(f, "a.zip", 1)->unread = true;
	add_archive(f, "b.zip", 2)->unread = true;
	expect(f, "|a.zip:archive b.zip:name");
}

static void what_cannot_be_read_can_be_kept(void **state)
{
	struct fixture *f = *state;

	f->refuse[0] = (char *)"*.exe";
	f->route.archives_unread = CONFIG_UNREAD_KEEP;
	add_archive(f, "a.zip", 1)->unread = true;
	add_archive(f, "b.zip", 2)->unread = true;
	expect(f, "a.zip|b.zip:name");
}

static void the_reason_tells_what_is_in_an_archive(void **state)
{
	struct fixture *f = *state;

	f->refuse[0] = (char *)"*.exe";
	f->route.attachments_refused = CONFIG_REFUSED_REJECT;
	add_archive(f, "a.zip", 2);
	expect(f, "|a.zip:name!a.zip");
	assert_string_equal(f->inbound.rejection.entry, "RUN.Exe");
	policy_enforce(&f->inbound);
	assert_string_equal(
		f->inbound.why.text,
		"the attachment \"a.zip\" has in it \"RUN.Exe\", which is not of a kind "
		"that the route takes");
}

static void the_reason_tells_that_an_archive_cannot_be_read(void **state)
{
	struct fixture *f = *state;

	f->refuse[0] = (char *)"*.exe";
	f->route.attachments_refused = CONFIG_REFUSED_REJECT;
	add_archive(f, "a.zip", 0)->unread = true;
	expect(f, "|a.zip:archive!a.zip");
	policy_enforce(&f->inbound);
	assert_string_equal(
		f->inbound.why.text,
		"the attachment \"a.zip\" is an archive in which not all names can be read");
}

#define GALLERY_TEST(name) cmocka_unit_test_setup_teardown(name, set_up_gallery, tear_down)
#define ROUTE_TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		ROUTE_TEST(a_route_takes_all_at_first),
		ROUTE_TEST(a_mail_without_attachments_has_no_policy),
		ROUTE_TEST(size_and_count_end_at_their_limits),
		ROUTE_TEST(none_may_be_taken),
		ROUTE_TEST(allowed_by_content_or_by_name),
		ROUTE_TEST(without_a_look_inside_the_mail_is_believed),
		ROUTE_TEST(refused_by_content_by_claim_or_by_name),
		ROUTE_TEST(a_mail_can_be_refused_as_a_whole),
		ROUTE_TEST(images_are_photos_anywhere),
		ROUTE_TEST(names_in_archives_are_refused),
		ROUTE_TEST(types_do_not_ask_what_is_in_archives),
		ROUTE_TEST(who_allows_an_archive_allows_what_is_in_it),
		ROUTE_TEST(an_allowed_name_in_it_does_not_allow_an_archive),
		ROUTE_TEST(what_cannot_be_read_is_refused_where_names_are),
		ROUTE_TEST(what_cannot_be_read_can_be_kept),
		ROUTE_TEST(the_reason_tells_what_is_in_an_archive),
		ROUTE_TEST(the_reason_tells_that_an_archive_cannot_be_read),
		GALLERY_TEST(a_gallery_needs_a_photo),
		GALLERY_TEST(a_gallery_needs_an_attachment),
		GALLERY_TEST(a_gallery_refuses_the_mail_unless_told_otherwise),
		GALLERY_TEST(a_gallery_can_take_what_it_may),
		GALLERY_TEST(nothing_left_is_refused_with_its_reason),
		GALLERY_TEST(others_are_kept),
		GALLERY_TEST(others_are_left_out),
		GALLERY_TEST(others_are_refused),
		GALLERY_TEST(decorations_are_small_and_shown_by_the_html),
		GALLERY_TEST(a_logo_alone_is_no_photo),
		GALLERY_TEST(decorations_can_count_as_photos),
		GALLERY_TEST(a_decoration_is_no_reason_to_refuse_a_mail),
	};
	return cmocka_run_group_tests_name("policy", tests, NULL, NULL);
}
