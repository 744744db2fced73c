# Huifang. `make help` lists what can be asked for.
#
# One file, not recursive. Every folder of FOLDERS becomes an archive of its *.c (main.c apart); a
# folder with a main.c becomes a program of bin/. V picks the variant: release (build/), asan, tsan,
# clang, fuzz, fuzzfast (build/<variant>/).

V      ?= release
B      ?= $(if $(filter release,$(V)),build,build/$(V))
PREFIX ?= /usr/local
SHARE  ?= $(PREFIX)/share/huifang

FOLDERS := base proto workers/link broker workers/caller workers/escalation workers/recorder \
	workers/reconciliation dashboard ctl ctl/import ctl/sample

# folder:program
PROGRAM_OF := broker:hf-broker workers/caller:hf-caller workers/escalation:hf-router \
	workers/recorder:hf-recorder workers/reconciliation:hf-reconcile dashboard:hf-dashboard \
	ctl:hfctl ctl/import:hf-import ctl/sample:hf-sample

# ---- compilers and flags -------------------------------------------------------------------------

WARN    := -Wall -Wextra -Wpedantic -Wconversion -Wshadow -Werror -Wstrict-prototypes \
	-Wmissing-prototypes -Wformat=2 -Wundef
CPP     := -D_GNU_SOURCE -I. -isystem /usr/include/postgresql -isystem /usr/include/libxml2 \
	-isystem /usr/include/lua5.1
DEPS     = -MMD -MP -MF $(@:.o=.d)
HARDEN  := -fstack-protector-strong -fstack-clash-protection -fPIE
ifeq ($(shell uname -m),x86_64)
HARDEN  += -fcf-protection
endif
HARDENED_LINK := -pie -Wl,-z,relro,-z,now
SANITIZE := -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer

ifeq ($(V),release)
CC      := gcc
CFLAGS  := -O2 -g -D_FORTIFY_SOURCE=2 $(HARDEN)
LDFLAGS := $(HARDENED_LINK)
else ifeq ($(V),clang)
CC      := clang-14
CFLAGS  := -O2 -g -D_FORTIFY_SOURCE=2 $(HARDEN)
LDFLAGS := $(HARDENED_LINK)
else ifeq ($(V),asan)
CC      := gcc
CFLAGS  := -O1 -g $(SANITIZE) -Wno-maybe-uninitialized -Wno-format-truncation
LDFLAGS := -fsanitize=address,undefined
else ifeq ($(V),tsan)
CC      := gcc
CFLAGS  := -O1 -g -fsanitize=thread -fno-omit-frame-pointer -Wno-maybe-uninitialized -Wno-format-truncation
LDFLAGS := -fsanitize=thread
else ifeq ($(V),fuzz)
CC      := clang-14
CFLAGS  := -O1 -g -fsanitize=fuzzer-no-link,address,undefined -fno-sanitize-recover=all \
	-fno-omit-frame-pointer -DHF_FUZZ=1
LDFLAGS := -fsanitize=address,undefined
else ifeq ($(V),fuzzfast)
CC      := clang-14
CFLAGS  := -O2 -g -fsanitize=fuzzer-no-link -DHF_FUZZ=1
LDFLAGS :=
else
$(error V=$(V) is none of release asan tsan clang fuzz fuzzfast)
endif

LIBS := -Wl,--as-needed -lqrencode -lzmq -lhiredis -lev -lpq -lsodium -lmsgpackc -lconfuse -ljansson \
	-lmicrohttpd -lcurl -lncursesw -ltinfo -lzip -lxml2 -lcsv -lshp -lxlsxwriter -lunistring -lseccomp -lsystemd \
	-lpthread -lm

# A compiler line that says in one word what it does; `make VERBOSE=1` shows all of it.
ifeq ($(VERBOSE),)
say = @printf '  %-5s %s\n' $(1) $(2);
endif

# ---- what there is -------------------------------------------------------------------------------

sources_of = $(filter-out %/main.c,$(wildcard $(1)/*.c))
archive_of = $(B)/lib/$(subst /,_,$(1)).a
objects    = $(patsubst %.c,$(B)/obj/%.o,$(1))

FULL     := $(foreach f,$(FOLDERS),$(if $(call sources_of,$(f)),$(f)))
ARCHIVES := $(foreach f,$(FULL),$(call archive_of,$(f)))
COMMON   := $(foreach f,workers/link proto base,$(if $(filter $(f),$(FULL)),$(call archive_of,$(f))))

PROGRAM_ROWS := $(foreach p,$(PROGRAM_OF),$(if $(wildcard $(firstword $(subst :, ,$(p)))/main.c),$(p)))
PROGRAMS     := $(foreach p,$(PROGRAM_ROWS),$(B)/bin/$(lastword $(subst :, ,$(p))))

TEST_LIB  := $(if $(wildcard tests/lib/*.c),$(B)/lib/tests_lib.a)
UNIT      := $(patsubst %.c,$(B)/%,$(wildcard tests/unit/test_*.c))
SIM       := $(patsubst %.c,$(B)/%,$(wildcard tests/sim/*.c))
BENCH     := $(patsubst %,$(B)/tests/bench/%,load echo raw cost)
LONG      := $(patsubst %.c,$(B)/%,$(wildcard tests/long/*.c))
FUZZERS   := $(patsubst %.c,$(B)/%,$(wildcard tests/fuzz/fuzz_*.c))

WEB := workers/caller/web
QUEUE_LUA ?= broker/queue.lua
SHARED := $(patsubst broker/%,$(B)/share/%,$(wildcard $(QUEUE_LUA))) \
	$(patsubst deploy/%,$(B)/share/%,$(wildcard deploy/policy/* deploy/schema/*.sql)) \
	$(patsubst dashboard/static/%,$(B)/share/dashboard/%,$(wildcard dashboard/static/*)) \
	$(patsubst $(WEB)/static/%,$(B)/share/office/%,$(wildcard $(WEB)/static/*)) $(B)/share/office/app.js $(B)/share/office/board.js

# deploy/man/NAME.SECTION.scd; without scdoc there are no pages, and nothing else is missing.
MAN := $(if $(shell command -v scdoc 2>/dev/null),$(foreach p,$(basename $(wildcard deploy/man/*.scd)), \
	$(B)/share/man/man$(patsubst .%,%,$(suffix $(p)))/$(notdir $(p))))

# ---- targets -------------------------------------------------------------------------------------

.DELETE_ON_ERROR:
.SECONDARY:
.PHONY: all tests test test-long lint format fuzz fuzz-build bench faults demo demo-down sample \
	install clean help

all: $(PROGRAMS) $(ARCHIVES) $(SHARED) $(MAN) ## build the programs into build/bin (V=asan|tsan|clang: into build/V/bin)

tests: all $(UNIT) $(SIM) $(LONG) ## build the C test programs too

test: ## everything that CI runs, servers included; the last line counts what passed
	@tests/run

test-long: ## what does not fit into `make test`
	@tests/run --long

lint: ## layers, format, clang-tidy, sizes, forbidden words
	@tests/lint/run

format: ## write all C files as clang-format wants them
	@git ls-files -z -co --exclude-standard '*.c' '*.h' | xargs -0 -r clang-format -i

FUZZ_SECONDS ?= 20
fuzz: ## run each fuzz target for FUZZ_SECONDS (20)
	@$(MAKE) --no-print-directory V=fuzz fuzz-build
	@tests/fuzz/run $(FUZZ_SECONDS) build/fuzz/tests/fuzz

fuzz-build: $(FUZZERS)

# What another folder owns is called when it is there, and named when it is not.
define call_script
@if [ -x $(1) ]; then $(1) $(2); else echo "$(1) is missing" >&2; exit 69; fi
endef

bench: all $(BENCH) ## measure; prints one table
	$(call call_script,tests/bench/run,)

faults: all ## kill, cut and starve the daemons; every check of the fault programme
	$(call call_script,tests/faults/run,)

demo: ## the whole system with simulated callers, from nothing (ONCE=1: ends by itself)
	$(call call_script,deploy/demo,up)

demo-down: ## stop what `make demo` left running
	$(call call_script,deploy/demo,down)

sample: all ## write the sample roster
	$(call call_script,build/bin/hf-sample,$(SAMPLE_ARGS))

clean: ## remove what was built
	rm -rf build

help: ## this list
	@awk -F':.*## ' '/^[a-z-]+:.*## /{printf "  make %-10s %s\n", $$1, $$2}' Makefile

# ---- installation --------------------------------------------------------------------------------

install: all ## install below PREFIX (/usr/local), staged below DESTDIR
	install -d $(DESTDIR)$(PREFIX)/bin $(DESTDIR)$(SHARE)
	$(if $(PROGRAMS),install -m 755 $(PROGRAMS) $(DESTDIR)$(PREFIX)/bin)
	for file in $(patsubst $(B)/share/%,%,$(SHARED)); do \
		install -D -m 644 "$(B)/share/$$file" "$(DESTDIR)$(SHARE)/$$file"; done
	for page in $(MAN); do \
		install -D -m 644 "$$page" "$(DESTDIR)$(PREFIX)/share/man/man$${page##*.}/$${page##*/}"; done
	for unit in deploy/systemd/*.service deploy/systemd/*.timer deploy/systemd/*.target; do \
		[ -e "$$unit" ] || continue; \
		install -D -m 644 "$$unit" "$(DESTDIR)$(PREFIX)/lib/systemd/system/$${unit##*/}"; done

# ---- how things are made -------------------------------------------------------------------------

$(B)/obj/%.o: %.c Makefile
	@mkdir -p $(@D)
	$(call say,CC,$<)$(CC) -std=c11 $(WARN) $(CPP) $(CFLAGS) $(DEPS) -c -o $@ $<

$(B)/obj/tests/fuzz/%.o: WARN += -Wno-missing-prototypes

# An archive is made afresh when an object changed, and also when a source went away: its list of
# objects is kept beside it, and rewritten only if it differs.
define archive
$(if $(filter clean help format,$(MAKECMDGOALS)),,
$(if $(filter-out $(file <$(1).list),$(2))$(filter-out $(2),$(file <$(1).list)),
$(shell mkdir -p $(dir $(1)))$(file >$(1).list,$(2))))
$(1): $(2) $(1).list
	@mkdir -p $$(@D)
	$$(call say,AR,$$@)rm -f $$@ && ar rcsD $$@ $(2)
endef
$(foreach f,$(FULL),$(eval $(call archive,$(call archive_of,$(f)),$(call objects,$(call sources_of,$(f))))))
SIM_PARTS := $(wildcard tests/lib/sim_*.c)
$(if $(TEST_LIB),$(eval $(call archive,$(TEST_LIB),$(call objects,$(filter-out $(SIM_PARTS),$(wildcard tests/lib/*.c))))))

define program
$(B)/bin/$(2): $(B)/obj/$(1)/main.o $(call objects,$(if $(filter $(1),$(FOLDERS)),,$(call sources_of,$(1)))) \
    $(if $(filter $(1),$(FULL)),$(call archive_of,$(1))) \
    $(if $(filter ctl/sample,$(1)),$(call archive_of,ctl/import)) $(COMMON)
	@mkdir -p $$(@D)
	$$(call say,LD,$$@)$$(CC) $$(CFLAGS) $$(LDFLAGS) -o $$@ $$(filter %.o %.a,$$^) $$(LIBS)
endef
$(foreach p,$(PROGRAM_ROWS),$(eval $(call program,$(firstword $(subst :, ,$(p))),$(lastword $(subst :, ,$(p))))))

TEST_LINK = -Wl,--start-group $(filter %.a,$^) -Wl,--end-group $(LIBS) -llua5.1

$(UNIT) $(SIM): $(B)/%: $(B)/obj/%.o $(TEST_LIB) $(ARCHIVES)
	@mkdir -p $(@D)
	$(call say,LD,$@)$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $(filter %.o,$^) $(TEST_LINK) $(addprefix -Wl$(comma)--wrap=,$(WRAPPED)) -lcmocka

# The simulation puts its own world around the real router (tests/lib/sim.h).
comma := ,
$(B)/tests/sim/campaign: $(call objects,$(SIM_PARTS))
$(B)/tests/sim/campaign: WRAPPED := clock_boot_us clock_wall_ms clock_campaign_ms clock_until_us clock_boot_id uuid7 \
	log_line loop_timer_after loop_timer_stop rds_cmd rds_connected rds_type rds_int rds_str rds_len rds_at own_open \
	own_new_outbox timers_set

$(BENCH) $(LONG): $(B)/%: $(B)/obj/%.o $(ARCHIVES)
	@mkdir -p $(@D)
	$(call say,LD,$@)$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $(filter %.o,$^) $(TEST_LINK)

$(B)/tests/bench/load $(B)/tests/bench/raw: $(B)/obj/tests/bench/load_agent.o $(B)/obj/tests/bench/watch.o
$(B)/tests/bench/cost: $(B)/obj/tests/bench/load_agent.o

$(FUZZERS): $(B)/%: $(B)/obj/%.o $(TEST_LIB) $(ARCHIVES)
	@mkdir -p $(@D)
	$(call say,LD,$@)$(CC) $(CFLAGS) -fsanitize=fuzzer $(LDFLAGS) -o $@ $< $(TEST_LINK) $(addprefix -Wl$(comma)--wrap=,$(WRAPPED))

# A file of a fuzz target is memory (tests/fuzz/import_once.h).
$(addprefix $(B)/tests/fuzz/fuzz_,csv dbf xlsx): WRAPPED := pread fstat lseek file_write_all
$(B)/tests/fuzz/fuzz_segment: WRAPPED := crypt_sign

# The date of a page is that of the last commit, so that the same tree makes the same page.
define manual
$(B)/share/man/man$(2)/$(1).$(2): deploy/man/$(1).$(2).scd
	@mkdir -p $$(@D)
	$$(call say,MAN,$$@)SOURCE_DATE_EPOCH=$$$$(git log -1 --format=%ct -- $$< 2>/dev/null | grep . || stat -c %Y $$<) \
		scdoc <$$< >$$@
endef
$(foreach p,$(MAN),$(eval $(call manual,$(basename $(notdir $(p))),$(patsubst .%,%,$(suffix $(p))))))

$(B)/share/%: broker/%
	@mkdir -p $(@D)
	$(call say,COPY,$@)cp $< $@

$(B)/share/%: deploy/%
	@mkdir -p $(@D)
	$(call say,COPY,$@)cp $< $@

$(B)/share/dashboard/%: dashboard/static/%
	@mkdir -p $(@D)
	$(call say,COPY,$@)cp $< $@

# The caller's page: npm brings Preact and esbuild into build/web (its cache in build/npm), esbuild makes one file
# that Chromium 86 reads. npm runs again only when the lock file changed.
NPM_CA := NODE_EXTRA_CA_CERTS=$(or $(NODE_EXTRA_CA_CERTS),/etc/ssl/certs/ca-certificates.crt)
build/web/installed: $(WEB)/package.json $(WEB)/package-lock.json
	@command -v npm >/dev/null || { echo "make: npm is missing; deploy/install-deps installs it" >&2; exit 69; }
	@mkdir -p $(@D) && cp $^ $(@D)
	$(call say,NPM,$(WEB))cd $(@D) && $(NPM_CA) npm ci --ignore-scripts --no-audit --no-fund --no-update-notifier \
		--loglevel=error --cache ../npm >npm.log 2>&1 || { cat npm.log >&2; exit 1; }
	@touch $@

$(B)/share/office/app.js: WEB_ENTRY := $(WEB)/src/main.jsx
$(B)/share/office/board.js: WEB_ENTRY := $(WEB)/src/board/board.jsx
$(B)/share/office/app.js $(B)/share/office/board.js: build/web/installed $(wildcard $(WEB)/src/*.js*) $(wildcard $(WEB)/src/board/*)
	@mkdir -p $(@D)
	$(call say,JS,$@)NODE_PATH=build/web/node_modules node build/web/node_modules/esbuild/bin/esbuild $(WEB_ENTRY) \
		--bundle --minify --target=chrome86 --charset=utf8 --jsx=automatic --jsx-import-source=preact \
		--legal-comments=none --log-level=warning --outfile=$@

$(B)/share/office/%: $(WEB)/static/%
	@mkdir -p $(@D)
	$(call say,COPY,$@)cp $< $@

-include $(shell [ -d $(B)/obj ] && find $(B)/obj -name '*.d')
