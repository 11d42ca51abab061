# mailpipe.  `make help` lists the targets.
#
#: DEV=1                   warnings are errors
#: V=1                     show the commands
#: SAN=address,undefined   build with sanitizers, into a directory of its own
#: CC=clang                another compiler, into a directory of its own
#: DESTDIR=DIR prefix=DIR  for install and uninstall (prefix: /usr/local)
#: T="tests/it/a.t ..."    only these integration tests in check and it
#: JOBS=N                  tests at the same time in check and it (3)
#: SANDBOX=DIR             where the target sandbox has its servers

prefix     ?= /usr/local
sbindir    ?= $(prefix)/sbin
bindir     ?= $(prefix)/bin
libexecdir ?= $(prefix)/libexec
datadir    ?= $(prefix)/share
mandir     ?= $(datadir)/man
unitdir    ?= $(prefix)/lib/systemd/system
VERSION    := 0.1.0

ifeq ($(origin CC),default)
CC := gcc
endif

# Commands are shown in full only with V=1.
Q := $(if $(V),,@)
say = $(if $(V),,@echo '  $(1) $(2)')

B := build$(if $(SAN),-san)$(if $(filter clang%,$(notdir $(CC))),-clang)

PKGS := gmime-3.0 libidn2 libpsl librabbitmq openssl libmariadb uuid json-c libpcre2-8 libseccomp libxml-2.0 inih nettle libesmtp-1.0 hiredis zlib
# hiredis asks for 64-bit file offsets, which both targets have anyway: with it mmap() would be called mmap64().
# Asked once, and only when something is built: without the packages, too, there is `make deps` and `make help`.
PKG_CFLAGS = $(eval PKG_CFLAGS := $(shell pkg-config --cflags $(PKGS) 2>/dev/null | \
	sed 's/-I/-isystem /g; s/-D_FILE_OFFSET_BITS=64//'))$(PKG_CFLAGS)
PKG_LIBS   = $(eval PKG_LIBS := $(shell pkg-config --libs $(PKGS) 2>/dev/null) -lytnef -lmagic)$(PKG_LIBS)

WARN := -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wwrite-strings \
	-Wvla -Wformat=2 -Wundef -fno-common $(if $(DEV),-Werror)
HARDEN := -fstack-protector-strong -fPIE $(if $(SAN),,-D_FORTIFY_SOURCE=2)
CFLAGS  ?= -O2 -g
ALL_CFLAGS = -std=c11 -D_GNU_SOURCE -I. -I$(B)/gen -DMAILPIPE_VERSION='"$(VERSION)"' $(WARN) $(HARDEN) \
	$(CFLAGS) $(PKG_CFLAGS) $(if $(SAN),-fsanitize=$(SAN) -fno-sanitize-recover=all -fno-omit-frame-pointer)
# These two run once for each mail, and most of their time would go into the dynamic linker (and the pages
# it writes to).  What Debian has no static library of stays shared; so does libc.  STATIC= turns it off.
STATIC ?= $(if $(SAN),,yes)
MAILIN_STATIC_LIBS = -Wl,--exclude-libs,ALL -Wl,-Bstatic -lrabbitmq -lglib-2.0 -ljson-c -lpcre2-8 -linih \
	-lnettle -luuid -Wl,-Bdynamic -lm
PARSE_STATIC_LIBS = -Wl,--exclude-libs,ALL -Wl,-Bstatic -Wl,--start-group -lgmime-3.0 -lgio-2.0 -lgobject-2.0 \
	-lgmodule-2.0 -lglib-2.0 -lpcre2-8 -lffi -ljson-c -lnettle -lseccomp -luuid -lytnef -lmagic -lz -llzma \
	-lbz2 -lpsl -Wl,--end-group -Wl,-Bdynamic -l:libgpgme.so.11 -l:libidn2.so.0 -l:libunistring.so.2 \
	-lmount -lselinux -lresolv -lm
# Pulls OpenSSL in (common/broker_tls.c).
WITH_TLS := -Wl,-u,broker_dial_tls
ALL_LDFLAGS = -pie -Wl,-z,relro,-z,now -Wl,--as-needed $(LDFLAGS) $(if $(SAN),-fsanitize=$(SAN))

include common/sources.mk mailin/sources.mk mailin/parse/sources.mk mailout/sources.mk mailctl/sources.mk

obj = $(patsubst %.c,$(B)/obj/%.o,$(1))

COMMON_LIB := $(B)/obj/common.a
MAILIN_LIB := $(B)/obj/mailin.a
PARSE_LIB  := $(B)/obj/parse.a
INGEST_LIB := $(B)/obj/ingest.a
MAILOUT_LIB := $(B)/obj/mailout.a
MAILCTL_LIB := $(B)/obj/mailctl.a

# A program's sources appear here as soon as its main is in the tree.
PROGRAMS := $(if $(wildcard mailin/mailin.c),$(B)/sbin/mailin $(B)/sbin/mailin-tls) \
	$(if $(wildcard mailin/mailin-parse.c),$(B)/libexec/mailpipe/mailin-parse) \
	$(if $(wildcard mailin/mailin-ingest.c),$(B)/sbin/mailin-ingest) \
	$(if $(wildcard mailout/mailout.c),$(B)/sbin/mailout) \
	$(if $(wildcard mailctl/mailctl.c),$(B)/bin/mailctl)

UNIT_TESTS := $(patsubst tests/unit/%.c,$(B)/tests/unit/%.t,$(wildcard tests/unit/*_test.c))
# Programs that integration tests run against real servers.
IT_PROGRAMS := $(patsubst tests/it/%.c,$(B)/tests/it/%,$(wildcard tests/it/*.c)) $(B)/tests/fail.so \
	$(B)/tests/fuzz/parse-server
BENCH_PROGRAMS := $(patsubst tests/bench/%.c,$(B)/tests/bench/%,$(wildcard tests/bench/*.c))

all: $(PROGRAMS) ## build (the default)

# ---- compiling ----

# Recompile when the flags change.
$(B)/flags: FORCE
	@pkg-config --print-errors --exists $(PKGS) && command -v $(CC) >/dev/null || { \
		echo 'make: a compiler or a library is missing: make deps installs what debian/packages names' >&2; exit 1; }
	@mkdir -p $(@D)
	@echo '$(CC) $(ALL_CFLAGS) $(ALL_LDFLAGS)' | cmp -s - $@ || echo '$(CC) $(ALL_CFLAGS) $(ALL_LDFLAGS)' > $@

$(B)/obj/%.o: %.c $(B)/flags
	@mkdir -p $(@D)
	$(call say,CC,$@)
	$(Q)$(CC) $(ALL_CFLAGS) -MMD -MP -c -o $@ $<

$(B)/obj/%.o: $(B)/gen/%.c $(B)/flags
	@mkdir -p $(@D)
	$(call say,CC,$@)
	$(Q)$(CC) $(ALL_CFLAGS) -MMD -MP -c -o $@ $<

MIGRATIONS := $(sort $(wildcard mailctl/migrations/*.sql))
$(B)/gen/mailctl/migrations_data.c: mailctl/embed-migrations $(MIGRATIONS)
	@mkdir -p $(@D)
	$(Q)mailctl/embed-migrations $(MIGRATIONS) > $@

PREVIEW_TEXTS := mailctl/preview/page.css mailctl/preview/page.js
$(B)/gen/mailctl/preview_data.c: mailctl/embed-text $(PREVIEW_TEXTS)
	@mkdir -p $(@D)
	$(Q)mailctl/embed-text preview_css mailctl/preview/page.css preview_js mailctl/preview/page.js > $@

define archive
	@mkdir -p $(@D)
	@rm -f $@
	$(Q)ar rcs $@ $^
endef

$(COMMON_LIB): $(call obj,$(COMMON_SOURCES))
	$(archive)
$(MAILIN_LIB): $(call obj,$(MAILIN_SOURCES))
	$(archive)
$(PARSE_LIB): $(call obj,$(PARSE_SOURCES))
	$(archive)
$(INGEST_LIB): $(call obj,$(INGEST_SOURCES))
	$(archive)
$(MAILOUT_LIB): $(call obj,$(MAILOUT_SOURCES))
	$(archive)
$(MAILCTL_LIB): $(call obj,$(MAILCTL_SOURCES))
	$(archive)

define link
	@mkdir -p $(@D)
	$(call say,LINK,$@)
	$(Q)$(CC) $(ALL_LDFLAGS) -o $@ $(2) $^ $(or $(1),$(PKG_LIBS))
endef

$(B)/sbin/mailin: $(B)/obj/mailin/mailin.o $(MAILIN_LIB) $(COMMON_LIB)
	$(call link,$(if $(STATIC),$(MAILIN_STATIC_LIBS)),$(if $(STATIC),,$(WITH_TLS)))
$(B)/sbin/mailin-tls: $(B)/obj/mailin/mailin.o $(MAILIN_LIB) $(COMMON_LIB)
	$(call link,,$(WITH_TLS))
$(B)/libexec/mailpipe/mailin-parse: $(B)/obj/mailin/mailin-parse.o $(PARSE_LIB) $(MAILIN_LIB) $(COMMON_LIB)
	$(call link,$(if $(STATIC),$(PARSE_STATIC_LIBS)))
$(B)/sbin/mailin-ingest: $(B)/obj/mailin/mailin-ingest.o $(INGEST_LIB) $(COMMON_LIB)
	$(call link,,$(WITH_TLS))
$(B)/sbin/mailout: $(B)/obj/mailout/mailout.o $(MAILOUT_LIB) $(COMMON_LIB)
	$(call link,,$(WITH_TLS))
$(B)/bin/mailctl: $(B)/obj/mailctl/mailctl.o $(MAILCTL_LIB) $(MAILOUT_LIB) $(INGEST_LIB) $(PARSE_LIB) $(COMMON_LIB)
	$(call link,,$(WITH_TLS))

$(B)/tests/unit/%.t: $(B)/obj/tests/unit/%.o $(PARSE_LIB) $(INGEST_LIB) $(MAILCTL_LIB) $(MAILOUT_LIB) $(MAILIN_LIB) $(COMMON_LIB)
	@mkdir -p $(@D)
	$(call say,LINK,$@)
	$(Q)$(CC) $(ALL_LDFLAGS) $(WITH_TLS) -o $@ $^ $(PKG_LIBS) -lcmocka

$(B)/tests/it/%: $(B)/obj/tests/it/%.o $(PARSE_LIB) $(INGEST_LIB) $(MAILCTL_LIB) $(MAILOUT_LIB) $(MAILIN_LIB) $(COMMON_LIB)
	@mkdir -p $(@D)
	$(Q)$(CC) $(ALL_LDFLAGS) $(WITH_TLS) -o $@ $^ $(PKG_LIBS) -lcmocka

$(B)/tests/fuzz/%: $(B)/obj/tests/fuzz/%.o $(PARSE_LIB) $(MAILIN_LIB) $(COMMON_LIB)
	@mkdir -p $(@D)
	$(Q)$(CC) $(ALL_LDFLAGS) -o $@ $^ $(PKG_LIBS)

$(B)/tests/bench/%: $(B)/obj/tests/bench/%.o $(PARSE_LIB) $(MAILIN_LIB) $(MAILOUT_LIB) $(COMMON_LIB)
	@mkdir -p $(@D)
	$(Q)$(CC) $(ALL_LDFLAGS) $(WITH_TLS) -o $@ $^ $(PKG_LIBS)

# Makes library calls fail; preloaded by tests, so free of fortification and sanitizers.
$(B)/tests/fail.so: tests/lib/fail.c $(B)/flags
	@mkdir -p $(@D)
	$(Q)$(CC) -std=c11 -D_GNU_SOURCE $(WARN) -O2 -fPIC -shared -o $@ $<

-include $(shell find $(B)/obj -name '*.d' 2>/dev/null)

# ---- tests ----

JOBS ?= 3
SANDBOX ?= /tmp/mailpipe-sandbox-$(shell id -u)
T ?= $(sort $(wildcard tests/it/*.t))

deps: ## install the Debian packages that are missing (debian/packages)
	@tests/lib/deps build test

# The packages come first: their compiler flags are asked of them.
check: ## install what is missing, build, run all tests
	@$(MAKE) --no-print-directory deps
	@$(MAKE) --no-print-directory all test-programs
	@$(RUN_TESTS) $(UNIT_TESTS) $(T)

test-programs: $(UNIT_TESTS) $(IT_PROGRAMS)

bench-programs: $(BENCH_PROGRAMS)

# One sandbox serves all tests that do not need one of their own.
RUN_TESTS = BUILD=$(abspath $(B)) tests/lib/run-tests $(JOBS)

unit: all $(UNIT_TESTS) ## only the unit tests
	CMOCKA_MESSAGE_OUTPUT=TAP prove --timer $(UNIT_TESTS)

it: all $(IT_PROGRAMS) ## only the integration tests, against real servers
	@$(RUN_TESTS) $(T)

# What reads strangers' bytes, for a build with SAN=address,undefined.
check-san: all $(UNIT_TESTS) ## the unit and the parser's tests, for SAN=address,undefined
	@$(RUN_TESTS) $(UNIT_TESTS) $(sort $(wildcard tests/it/nasty-*.t tests/it/parse-*.t))

# Every file below CORPUS through `mailin --dry-run`: no crash, true documents, the expected fields.
check-corpus: all ## CORPUS=DIR: mailin --dry-run over every mail below it
	BUILD=$(B) tests/corpus-check/check-corpus $(CORPUS_FLAGS) "$(CORPUS)"

sandbox: ## start private servers with the pipeline between them; says how to use it
	@$(MAKE) --no-print-directory deps
	@$(MAKE) --no-print-directory all
	@tests/lib/sandbox start $(SANDBOX)

sandbox-stop: ## end them
	@tests/lib/sandbox stop $(SANDBOX)

demo: ## send real mails through a sandbox and show the rows
	@$(MAKE) --no-print-directory deps
	@$(MAKE) --no-print-directory all
	@tests/demo/demo

bench: ## speed and memory beside what they are measured against
	@$(MAKE) --no-print-directory deps
	@$(MAKE) --no-print-directory all test-programs bench-programs
	@BUILD=$(abspath $(B)) tests/bench/bench

# What each tool has to say fails the target; a tool that is missing is named.
lint: ## clang-format, cppcheck, clang-tidy, mandoc, shellcheck
	@tests/lib/deps lint
	@tests/lib/lint $(ALL_CFLAGS)

# ---- installation ----

POSTFIX_FILES := postfix/main.cf postfix/master.cf postfix/commands postfix/delivery-status postfix/recipients.cf
MAN_PAGES := $(wildcard man/*.[1578])
SBIN_PROGRAMS := $(addprefix $(B)/sbin/,mailin mailin-tls mailin-ingest mailout)
UNITS := mailin-ingest.service mailout.service mailpipe-watch.service mailpipe-purge.service mailpipe-purge.timer
TEMPLATES := $(shell find templates -type f 2>/dev/null)
TARGETS := $(wildcard mailin/targets/*.sql)

install: all ## install programs, manual pages, templates, targets, postfix's files, services
	@$(MAKE) --no-print-directory install-built

# What was built, whatever the flags were: the sandbox's installation.
install-built:
	install -d $(DESTDIR)$(sbindir) $(DESTDIR)$(bindir) $(DESTDIR)$(libexecdir)/mailpipe \
		$(DESTDIR)$(datadir)/mailpipe/postfix
	install -m 755 $(SBIN_PROGRAMS) $(DESTDIR)$(sbindir)
	install -m 755 $(B)/bin/mailctl $(DESTDIR)$(bindir)
	install -m 755 $(B)/libexec/mailpipe/mailin-parse $(DESTDIR)$(libexecdir)/mailpipe
	install -m 644 $(POSTFIX_FILES) $(DESTDIR)$(datadir)/mailpipe/postfix
	install -m 755 postfix/mailpipe-postfix $(DESTDIR)$(datadir)/mailpipe/postfix
	install -m 644 debian/mailpipe.conf.example $(DESTDIR)$(datadir)/mailpipe
	install -d $(DESTDIR)$(unitdir)
	for unit in $(UNITS); do \
		sed 's|@sbindir@|$(sbindir)|; s|@bindir@|$(bindir)|' debian/$$unit >$(DESTDIR)$(unitdir)/$$unit || exit 1; \
	done
	for file in $(TEMPLATES); do \
		install -D -m 644 $$file $(DESTDIR)$(datadir)/mailpipe/$$file || exit 1; \
	done
	install -d $(DESTDIR)$(datadir)/mailpipe/targets
	install -m 644 $(TARGETS) $(DESTDIR)$(datadir)/mailpipe/targets
	for page in $(MAN_PAGES); do \
		install -D -m 644 $$page $(DESTDIR)$(mandir)/man$${page##*.}/$${page##*/} || exit 1; \
	done

uninstall: ## remove what install put there
	rm -f $(addprefix $(DESTDIR)$(sbindir)/,$(notdir $(SBIN_PROGRAMS))) $(DESTDIR)$(bindir)/mailctl
	rm -rf $(DESTDIR)$(libexecdir)/mailpipe $(DESTDIR)$(datadir)/mailpipe
	rm -f $(addprefix $(DESTDIR)$(unitdir)/,$(UNITS))
	for page in $(MAN_PAGES); do \
		rm -f $(DESTDIR)$(mandir)/man$${page##*.}/$${page##*/}; \
	done

clean: ## remove everything that was built
	rm -rf build build-san build-clang build-san-clang

help: ## this list
	@awk -F ': .*## ' '/^[a-z-]+:.* ## / { printf "make %-14s %s\n", $$1, $$2 } \
		/^#: / { sub(/^#: /, ""); variables = variables "\n  " $$0 } \
		END { print "\nvariables:" variables }' Makefile

.PHONY: all deps check check-san test-programs bench-programs unit it check-corpus sandbox sandbox-stop demo bench lint install \
	install-built uninstall clean help FORCE
.SECONDARY:
.DELETE_ON_ERROR:
