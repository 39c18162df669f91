# SPDX-License-Identifier: Apache-2.0
#
# Everything that a person or a service types. Objects are built per flavour into
# build/obj/<flavour>/; a room of the source tree is one static library of a flavour, so that a
# lower room cannot quietly use a higher one (ARCHITECTURE.md has the order).
#
#   plain      the command line program, the stand-in, the launcher
#   check      the same with AddressSanitizer and UBSan, for the unit tests
#   libfuzzer  the libFuzzer target       afl  the AFL++ target

V ?= 0
Q := $(if $(filter 0,$(V)),@,)
say = $(if $(filter 0,$(V)),@printf '  %-8s %s\n' '$(1)' '$(2)')

CC ?= cc
CLANG ?= clang
AFL_CC ?= afl-clang-fast
CFLAGS ?= -O2 -g
WARN := -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wvla -Wformat=2
CPPFLAGS_ALL := -D_GNU_SOURCE -I. -Iharness $(CPPFLAGS)
CFLAGS_ALL = -std=c11 $(WARN) $(if $(WERROR),-Werror) $(CFLAGS) $(CPPFLAGS_ALL) -MMD -MP

LIBS := -lcjson -lzstd -lz

# Rooms, lowest first. Each may use those before it.
ROOMS := base image exec testcase tool oracles report run
DIR_base := harness/base
DIR_image := harness/image
DIR_exec := harness/exec
DIR_testcase := harness/testcase
DIR_tool := harness/tool
DIR_oracles := oracles
DIR_report := harness/report
DIR_run := harness
# Programs of their own, not part of their room's library.
MAINS := harness/exec/launcher.c

srcs = $(filter-out $(MAINS),$(sort $(wildcard $(DIR_$(1))/*.c)))
objs = $(patsubst %.c,build/obj/$(2)/%.o,$(call srcs,$(1)))
# Link order: highest room first.
libs = $(foreach r,run report oracles tool testcase exec image base,build/lib/$(1)/lib$(r).a)

.PHONY: all
all: build/instar-fuzz build/launcher build/standin/instar ## build the programs (default)

# --- flavours -------------------------------------------------------------------------------
build/obj/plain/%.o: %.c
	$(call say,CC,$<)
	@mkdir -p $(@D)
	$(Q)$(CC) $(CFLAGS_ALL) -c -o $@ $<

CHECK_FLAGS := -O1 -g -fsanitize=address,undefined -fno-sanitize-recover=undefined
build/obj/check/%.o: %.c
	$(call say,CC check,$<)
	@mkdir -p $(@D)
	$(Q)$(CC) $(CFLAGS_ALL) $(CHECK_FLAGS) -c -o $@ $<

LIBFUZZER_FLAGS ?= -fsanitize=fuzzer-no-link
build/obj/libfuzzer/%.o: %.c
	$(call say,CC fuzzer,$<)
	@mkdir -p $(@D)
	$(Q)$(CLANG) $(CFLAGS_ALL) $(LIBFUZZER_FLAGS) -c -o $@ $<

build/obj/afl/%.o: %.c
	$(call say,CC afl,$<)
	@mkdir -p $(@D)
	$(Q)AFL_QUIET=1 $(AFL_CC) $(CFLAGS_ALL) -c -o $@ $<

define room_library
build/lib/$(1)/lib$(2).a: $(call objs,$(2),$(1))
	$$(call say,AR,$$@)
	@mkdir -p $$(@D)
	$(Q)rm -f $$@ && ar rcs $$@ $$^
endef
$(foreach f,plain check libfuzzer afl,$(foreach r,$(ROOMS),$(eval $(call room_library,$(f),$(r)))))

# --- programs -------------------------------------------------------------------------------
build/launcher: build/obj/plain/harness/exec/launcher.o build/lib/plain/libexec.a build/lib/plain/libbase.a
	$(call say,LINK,$@)
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) -static -o $@ $^

STANDIN_OBJS := $(patsubst %.c,build/obj/plain/%.o,$(sort $(wildcard standin/*.c)))
build/standin/instar: $(STANDIN_OBJS) build/lib/plain/libimage.a build/lib/plain/libbase.a
	$(call say,LINK,$@)
	@mkdir -p $(@D)
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^ $(LIBS)

# --- unit tests: tests/unit/<room>_*.c link their room and everything below it -----------------
CHECK_LIBS_base := base
CHECK_LIBS_image := image base
CHECK_LIBS_exec := exec base
CHECK_LIBS_testcase := testcase image base
CHECK_LIBS_tool := tool exec image testcase image base
CHECK_LIBS_oracles := oracles tool testcase exec image base
CHECK_LIBS_run := run report oracles tool testcase exec image base

define unit_test
build/tests/$(1): build/obj/check/tests/unit/$(1).o $(foreach r,$(CHECK_LIBS_$(firstword $(subst _, ,$(1)))),build/lib/check/lib$(r).a)
	$$(call say,LINK,$$@)
	@mkdir -p $$(@D)
	$(Q)$(CC) $(CHECK_FLAGS) $(LDFLAGS) -o $$@ $$^ -lcmocka $(LIBS)
endef
UNIT_TESTS := $(patsubst tests/unit/%.c,%,$(sort $(wildcard tests/unit/*.c)))
$(foreach t,$(UNIT_TESTS),$(eval $(call unit_test,$(t))))

.PHONY: clean
clean: ## remove everything that was built
	rm -rf build

-include $(shell find build/obj -name '*.d' 2>/dev/null)
