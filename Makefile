# mailpipe.  `make help` lists the targets.
#
# Variables: DEV=1 (-Werror), SAN=address,undefined (own build directory), CC=clang,
# DESTDIR and prefix for install, V=1 (show the commands).

prefix     ?= /usr/local
sbindir    ?= $(prefix)/sbin
bindir     ?= $(prefix)/bin
libexecdir ?= $(prefix)/libexec
datadir    ?= $(prefix)/share
mandir     ?= $(datadir)/man
VERSION    := 0.1.0

ifeq ($(origin CC),default)
CC := gcc
endif

# Commands are shown in full only with V=1.
Q := $(if $(V),,@)
say = $(if $(V),,@echo '  $(1) $(2)')

B := build$(if $(SAN),-san)$(if $(filter clang%,$(notdir $(CC))),-clang)

PKGS := gmime-3.0 librabbitmq openssl libmariadb uuid json-c libpcre2-8 libseccomp libxml-2.0 inih nettle
PKG_CFLAGS = $(shell pkg-config --cflags $(PKGS) | sed 's/-I/-isystem /g')
PKG_LIBS   = $(shell pkg-config --libs $(PKGS)) -lytnef -lmagic

WARN := -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wwrite-strings \
	-Wvla -Wformat=2 -Wundef -fno-common $(if $(DEV),-Werror)
HARDEN := -fstack-protector-strong -fPIE $(if $(SAN),,-D_FORTIFY_SOURCE=2)
CFLAGS  ?= -O2 -g
ALL_CFLAGS = -std=c11 -D_GNU_SOURCE -I. -I$(B)/gen -DMAILPIPE_VERSION='"$(VERSION)"' $(WARN) $(HARDEN) \
	$(CFLAGS) $(PKG_CFLAGS) $(if $(SAN),-fsanitize=$(SAN) -fno-sanitize-recover=all -fno-omit-frame-pointer)
ALL_LDFLAGS = -pie -Wl,-z,relro,-z,now -Wl,--as-needed $(LDFLAGS) $(if $(SAN),-fsanitize=$(SAN))

include common/sources.mk mailin/sources.mk mailin/parse/sources.mk mailctl/sources.mk

obj = $(patsubst %.c,$(B)/obj/%.o,$(1))

COMMON_LIB := $(B)/obj/common.a
MAILIN_LIB := $(B)/obj/mailin.a
PARSE_LIB  := $(B)/obj/parse.a
INGEST_LIB := $(B)/obj/ingest.a
MAILCTL_LIB := $(B)/obj/mailctl.a

# A program's sources appear here as soon as its main is in the tree.
PROGRAMS := $(if $(wildcard mailin/mailin.c),$(B)/sbin/mailin) \
	$(if $(wildcard mailin/mailin-parse.c),$(B)/libexec/mailpipe/mailin-parse) \
	$(if $(wildcard mailin/mailin-ingest.c),$(B)/sbin/mailin-ingest) \
	$(if $(wildcard mailctl/mailctl.c),$(B)/bin/mailctl)

UNIT_TESTS := $(patsubst tests/unit/%.c,$(B)/tests/unit/%.t,$(wildcard tests/unit/*_test.c))
# Programs that integration tests run against real servers.
IT_PROGRAMS := $(patsubst tests/it/%.c,$(B)/tests/it/%,$(wildcard tests/it/*.c))

all: $(PROGRAMS)

# ---- compiling ----

# Recompile when the flags change.
$(B)/flags: FORCE
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
$(MAILCTL_LIB): $(call obj,$(MAILCTL_SOURCES))
	$(archive)

define link
	@mkdir -p $(@D)
	$(call say,LINK,$@)
	$(Q)$(CC) $(ALL_LDFLAGS) -o $@ $^ $(PKG_LIBS)
endef

$(B)/sbin/mailin: $(B)/obj/mailin/mailin.o $(MAILIN_LIB) $(COMMON_LIB)
	$(link)
$(B)/libexec/mailpipe/mailin-parse: $(B)/obj/mailin/mailin-parse.o $(PARSE_LIB) $(MAILIN_LIB) $(COMMON_LIB)
	$(link)
$(B)/sbin/mailin-ingest: $(B)/obj/mailin/mailin-ingest.o $(INGEST_LIB) $(COMMON_LIB)
	$(link)
$(B)/bin/mailctl: $(B)/obj/mailctl/mailctl.o $(MAILCTL_LIB) $(COMMON_LIB)
	$(link)

$(B)/tests/unit/%.t: $(B)/obj/tests/unit/%.o $(PARSE_LIB) $(INGEST_LIB) $(MAILCTL_LIB) $(MAILIN_LIB) $(COMMON_LIB)
	@mkdir -p $(@D)
	$(call say,LINK,$@)
	$(Q)$(CC) $(ALL_LDFLAGS) -o $@ $^ $(PKG_LIBS) -lcmocka

$(B)/tests/it/%: $(B)/obj/tests/it/%.o $(MAILCTL_LIB) $(COMMON_LIB)
	@mkdir -p $(@D)
	$(Q)$(CC) $(ALL_LDFLAGS) -o $@ $^ $(PKG_LIBS) -lcmocka

-include $(shell find $(B)/obj -name '*.d' 2>/dev/null)

# ---- tests ----

deps:
	@tests/lib/deps build test

unit: all $(UNIT_TESTS)
	CMOCKA_MESSAGE_OUTPUT=TAP prove --timer $(UNIT_TESTS)

# Against real servers; T='tests/it/a.t' chooses.
T ?= $(sort $(wildcard tests/it/*.t))
it: all $(IT_PROGRAMS)
	BUILD=$(abspath $(B)) prove --timer $(T)

# Every file below CORPUS through `mailin --dry-run`: no crash, true documents, the expected fields.
check-corpus: all
	BUILD=$(B) tests/corpus-check/check-corpus $(CORPUS_FLAGS) "$(CORPUS)"

clean:
	rm -rf build build-san build-clang build-san-clang

.PHONY: all deps unit it check-corpus clean FORCE
.SECONDARY:
.DELETE_ON_ERROR:
