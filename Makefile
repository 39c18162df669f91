# SPDX-License-Identifier: Apache-2.0
#
# Everything that a person or a service types. Objects are built per flavour into
# build/obj/<flavour>/; a room of the source tree is one static library of a flavour, so that a
# lower room cannot quietly use a higher one (ARCHITECTURE.md has the order).
#
#   plain      the command line program, the stand-in, the launcher
#   check      the same with AddressSanitizer and UBSan, for the unit tests
#   libfuzzer  the libFuzzer target       afl  the AFL++ target     pic  what afl-fuzz loads

V ?= 0
Q := $(if $(filter 0,$(V)),@,)
say = $(if $(filter 0,$(V)),@printf '  %-8s %s\n' '$(1)' '$(2)')

CC ?= cc
CLANG ?= clang
AFL_CC ?= afl-clang-fast
CFLAGS ?= -O2 -g
WARN := -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wvla -Wformat=2 -Wno-format-truncation -Wno-unknown-warning-option
CPPFLAGS_ALL := -D_GNU_SOURCE -I. -Iharness $(CPPFLAGS)
CFLAGS_ALL = -std=c11 $(WARN) $(if $(WERROR),-Werror) $(CFLAGS) $(CPPFLAGS_ALL) -MMD -MP

LIBS := -lcjson -lzstd -lz

# Rooms, lowest first. Each may use those before it.
ROOMS := base image exec testcase mutators tool oracles guide report run page command engine
DIR_base := harness/base
DIR_image := harness/image
DIR_exec := harness/exec
DIR_testcase := harness/testcase
DIR_tool := harness/tool
DIR_oracles := oracles
DIR_mutators := mutators
DIR_guide := harness/guide
DIR_report := harness/report
DIR_run := harness
DIR_page := harness/page
DIR_command := harness/command
DIR_engine := harness/engine
# Programs of their own, not part of their room's library.
MAINS := harness/exec/launcher.c harness/engine/afl.c mutators/libfuzzer.c mutators/afl.c

srcs = $(filter-out $(MAINS),$(sort $(wildcard $(DIR_$(1))/*.c)))
objs = $(patsubst %.c,build/obj/$(2)/%.o,$(call srcs,$(1)))
# Link order: highest room first.
HARNESS := run report guide oracles tool mutators testcase exec image base
libs = $(foreach r,$(2),build/lib/$(1)/lib$(r).a)
# What an engine is guided by: the decoder, the builders and readers, the rules. Counters, waiting for
# processes, clocks and the tools' own words differ from run to run and would only be noise in its
# map, so those rooms are linked without instrumentation.
GUIDED := engine oracles testcase image
engine_libs = $(foreach r,$(HARNESS),build/lib/$(if $(filter $(r),$(GUIDED)),$(1),plain)/lib$(r).a)
# Nor is what is asked in one case of so many: in which, follows from a hash of its bytes. That are
# rules, and what only they use of `image`. Of readers and writers that they share with every case an
# engine still sees how often they ran.
BY_TURN := $(basename $(shell grep -l '\.by_turn = true' oracles/*.c)) oracles/third_support \
	$(basename $(wildcard harness/image/damage*.c)) harness/image/identity
$(BY_TURN:%=build/obj/libfuzzer/%.o): LIBFUZZER_FLAGS :=
$(BY_TURN:%=build/obj/afl/%.o): AFL_CC := $(CLANG)
$(BY_TURN:%=build/obj/service/%.o): unguided := yes

# What a program around the harness is linked with, for who builds one by hand.
.PHONY: harness-libs
harness-libs:
	@echo '$(call libs,plain,page $(HARNESS)) $(LIBS)'

.DEFAULT_GOAL := all
.PHONY: all fuzz test replay minimize bench ablation help
all: programs ## build the programs

PROGRAMS := build/instar-fuzz build/launcher build/warm.so build/standin/instar
# The third reader is left out where libyal is missing; everything else does without it. libvmdk's
# header includes libbfio's.
THIRD_LIBS := -lqcow -lvmdk -lvhdi -lbfio
THIRD_HEADERS := libqcow.h libvmdk.h libvhdi.h libbfio.h
HAVE_THIRD := $(shell $(CC) $(CPPFLAGS) $(THIRD_HEADERS:%=-include %) -E -x c /dev/null >/dev/null 2>&1 && echo yes)
THIRD := $(if $(HAVE_THIRD),build/third-reader)
ENGINE ?= libfuzzer
DURATION ?= 60
JOBS ?= 1
SEEDS ?=
CASE ?=
ROUNDS ?=
PARTS ?=
CASES ?=
CORE ?=
CORES ?=
TIME ?=

fuzz: deps ## fuzz now: ENGINE=libfuzzer|afl|loop DURATION=60 JOBS=1 SEEDS=build/seeds INSTAR=path QEMU_IMG=path
	@case '$(ENGINE)' in libfuzzer|afl|loop) ;; \
	    *) echo 'ENGINE=$(ENGINE): expected libfuzzer, afl or loop' >&2; exit 2 ;; esac
	@$(MAKE) -s --no-print-directory build-$(ENGINE)
	@ENGINE='$(ENGINE)' DURATION='$(DURATION)' JOBS='$(JOBS)' SEEDS='$(SEEDS)' INSTAR='$(INSTAR)' QEMU_IMG='$(QEMU_IMG)' ci/fuzz

test: deps ## unit tests, shell tests, seeds and past finds replayed
	@$(MAKE) --no-print-directory build-tests
	@ci/test

# The story is told by the program; make's own words about its exit code would only stand in the way.
replay: deps-programs ## the story of a case: CASE=file...
	@$(MAKE) -s --no-print-directory programs
	@if [ -z '$(CASE)' ]; then echo 'make replay needs CASE=file' >&2; exit 2; fi; \
	    INSTAR='$(INSTAR)' QEMU_IMG='$(QEMU_IMG)' build/instar-fuzz replay --out build/replay $(CASE) || \
	    { status=$$?; [ $$status = 1 ] || [ $$status = 4 ] || exit $$status; }

minimize: deps-programs ## a case as simple as it can be and still show its divergence: CASE=file...
	@$(MAKE) -s --no-print-directory programs
	@if [ -z '$(CASE)' ]; then echo 'make minimize needs CASE=file' >&2; exit 2; fi; \
	    INSTAR='$(INSTAR)' QEMU_IMG='$(QEMU_IMG)' build/instar-fuzz minimize $(CASE)

bench: deps ## what commands and iterations cost, interleaved: ROUNDS=9 PARTS=all CASES=pattern CORE=1
	@$(MAKE) --no-print-directory build-bench
	@ROUNDS='$(ROUNDS)' PARTS='$(PARTS)' CASES='$(CASES)' CORE='$(CORE)' bench/run

ablation: deps ## the runs of the ablation that are missing: CORES=2 TIME=seconds (bench/ablation/run)
	@$(MAKE) --no-print-directory build-ablation
	@CORES='$(CORES)' TIME='$(TIME)' bench/ablation/run

.PHONY: programs
programs: $(PROGRAMS) $(THIRD)
	$(if $(THIRD),,@echo 'third-reader is not built: libqcow-dev, libvmdk-dev, libvhdi-dev or libbfio-dev is missing; all else works.' >&2)

.PHONY: deps deps-programs build-libfuzzer build-afl build-loop build-bench build-ablation build-tests seeds
deps:
	@ci/install-deps --if-missing
# What replays a case needs no engine.
deps-programs:
	@ci/install-deps --programs

seeds: build/seeds.stamp
build-libfuzzer: programs build/fuzz_instar seeds
build-afl: programs build/afl/fuzz_instar build/afl/mutator.so seeds
build-loop: programs
build-bench: programs seeds build/bench/bench build/bench/loop_cost build/bench/fork_floor.so build/bench/cases.stamp

help: ## what you may want to type
	@sed -n 's/^\([a-z][a-z-]*\):.*## \(.*\)/  make \1\t\2/p' $(firstword $(MAKEFILE_LIST)) | expand -t 16

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
$(foreach f,plain check libfuzzer afl pic service service-plain,$(foreach r,$(ROOMS),$(eval $(call room_library,$(f),$(r)))))

# --- programs -------------------------------------------------------------------------------
build/launcher: build/obj/plain/harness/exec/launcher.o build/lib/plain/libexec.a build/lib/plain/libbase.a
	$(call say,LINK,$@)
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) -static -o $@ $^

# Lives inside the tools: it exports what it takes the place of, and nothing else.
build/obj/preload/%.o: %.c
	$(call say,CC preload,$<)
	@mkdir -p $(@D)
	$(Q)$(CC) $(CFLAGS_ALL) -fPIC -fvisibility=hidden -U_FORTIFY_SOURCE -c -o $@ $<

PRELOAD_OBJS := $(patsubst %.c,build/obj/preload/%.o,$(sort $(wildcard harness/exec/preload/*.c)))
build/warm.so: $(PRELOAD_OBJS)
	$(call say,LINK,$@)
	@mkdir -p $(@D)
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) -shared -o $@ $^ -ldl

# Lives inside instrumented tools, whoever builds them (docs/guidance.md).
build/coverage.o: build/obj/plain/harness/exec/coverage/runtime.o
	$(Q)cp $< $@

.PHONY: instrumented-qemu-img
instrumented-qemu-img: ## a qemu-img that guides an engine by its own coverage; takes minutes
	@ci/instrumented-qemu-img

build/instar-fuzz: $(call libs,plain,command page $(HARNESS))
	$(call say,LINK,$@)
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) -o $@ -Wl,--whole-archive build/lib/plain/libcommand.a -Wl,--no-whole-archive \
	    $(call libs,plain,page $(HARNESS)) $(LIBS)

STANDIN_OBJS := $(patsubst %.c,build/obj/plain/%.o,$(sort $(wildcard standin/*.c)))
build/standin/instar: $(STANDIN_OBJS) build/lib/plain/libimage.a build/lib/plain/libbase.a
	$(call say,LINK,$@)
	@mkdir -p $(@D)
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^ $(LIBS)

build/third-reader: build/obj/plain/third/reader.o
	$(call say,LINK,$@)
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^ $(THIRD_LIBS)

# The registry is inside every program that judges (oracles/registry_built_in.c).
$(foreach f,plain check libfuzzer afl service service-plain,build/obj/$(f)/oracles/registry_built_in.o): oracles/known-divergences.json

# Which harness judged: asked each time, written where it is another one than before. Who may not write here
# runs what is built.
build/version: FORCE
	@mkdir -p $(@D); version=$$(ci/version); \
	    { [ -e $@ ] && [ ! -w $@ ]; } || [ "$$version" = "$$(cat $@ 2>/dev/null)" ] || printf %s "$$version" >$@
$(foreach f,plain check libfuzzer afl service service-plain,build/obj/$(f)/harness/report/version.o): build/version

# So are style and script of a campaign's page (harness/page/style.c).
$(foreach f,plain check,build/obj/$(f)/harness/page/style.o): harness/page/page.css harness/page/page.js

# --- engines --------------------------------------------------------------------------------
# libFuzzer by default; a fuzzing service passes its own LIB_FUZZING_ENGINE and LIBFUZZER_FLAGS=.
LIB_FUZZING_ENGINE ?= -fsanitize=fuzzer
# The mutator's hooks are not instrumented: how a case was made says nothing of what it does.
LIBFUZZER_HOOKS := build/obj/plain/mutators/libfuzzer.o
build/fuzz_instar: $(call libs,libfuzzer,engine) $(LIBFUZZER_HOOKS) $(call engine_libs,libfuzzer)
	$(call say,LINK,$@)
	$(Q)$(CLANG) $(CFLAGS) $(LDFLAGS) -o $@ -Wl,--whole-archive build/lib/libfuzzer/libengine.a -Wl,--no-whole-archive \
	    $(LIBFUZZER_HOOKS) $(call engine_libs,libfuzzer) $(LIB_FUZZING_ENGINE) $(LIBS)

build/obj/afl-plain/%.o: %.c
	@mkdir -p $(@D)
	$(Q)$(CLANG) $(CFLAGS_ALL) -c -o $@ $<

build/afl/fuzz_instar: $(call libs,afl,engine) $(call engine_libs,afl) build/obj/afl-plain/harness/engine/afl.o
	$(call say,LINK,$@)
	@mkdir -p $(@D)
	$(Q)AFL_QUIET=1 $(AFL_CC) $(CFLAGS) $(LDFLAGS) -fsanitize=fuzzer -o $@ \
	    -Wl,--whole-archive build/lib/afl/libengine.a -Wl,--no-whole-archive \
	    build/obj/afl-plain/harness/engine/afl.o $(call engine_libs,afl) $(LIBS)

# afl-fuzz loads the mutator into itself.
build/obj/pic/%.o: %.c
	$(call say,CC pic,$<)
	@mkdir -p $(@D)
	$(Q)$(CC) $(CFLAGS_ALL) -fPIC -c -o $@ $<

build/afl/mutator.so: build/obj/pic/mutators/afl.o $(call libs,pic,mutators testcase image base)
	$(call say,LINK,$@)
	@mkdir -p $(@D)
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) -shared -Wl,-Bsymbolic -Wl,-z,defs -o $@ $(filter %.o,$^) $(filter %.a,$^) $(LIBS)

# A fuzzing service's target, with its compiler, flags and engine; ci/build-fuzzers calls this with CC,
# CXX, CFLAGS, CXXFLAGS, LIB_FUZZING_ENGINE and FUZZING_ENGINE of the service. What must not guide the
# engine has the service's sanitizer, but none of its instrumentation for coverage.
service_cc = AFL_QUIET=1 $(if $(unguided),AFL_NOOPT=1) $(CC) $(CFLAGS_ALL) $(if $(unguided),-fno-sanitize=fuzzer-no-link)
build/obj/service/%.o: %.c
	$(call say,CC service,$<)
	@mkdir -p $(@D)
	$(Q)$(service_cc) -c -o $@ $<

build/obj/service-plain/%.o: unguided := yes
build/obj/service-plain/%.o: %.c
	$(call say,CC service,$<)
	@mkdir -p $(@D)
	$(Q)$(service_cc) -c -o $@ $<

SERVICE_LIBS := $(foreach r,$(HARNESS),build/lib/$(if $(filter $(r),$(GUIDED)),service,service-plain)/lib$(r).a)
SERVICE_HOOKS := build/obj/service-plain/$(if $(filter afl,$(FUZZING_ENGINE)),harness/engine/afl,mutators/libfuzzer).o
build/service/fuzz_instar: build/lib/service/libengine.a $(SERVICE_HOOKS) $(SERVICE_LIBS)
	$(call say,LINK,$@)
	@mkdir -p $(@D)
	$(Q)AFL_QUIET=1 $(CXX) $(CXXFLAGS) $(LDFLAGS) -o $@ -Wl,--whole-archive build/lib/service/libengine.a -Wl,--no-whole-archive \
	    $(SERVICE_HOOKS) $(SERVICE_LIBS) $(LIB_FUZZING_ENGINE) $(LIBS)

# The job of a campaign that has a sanitizer (ci/campaign): built as a service builds, in its objects.
.PHONY: FORCE
FORCE:
build/afl-asan/fuzz_instar: FORCE
	@mkdir -p $(@D)
	$(Q)$(MAKE) -s --no-print-directory CC=$(AFL_CC) CXX=$(AFL_CC)++ CFLAGS='-O1 -g -fsanitize=address' \
	    CXXFLAGS='-O1 -g -fsanitize=address' FUZZING_ENGINE=afl LIB_FUZZING_ENGINE=-fsanitize=fuzzer build/service/fuzz_instar
	$(Q)cmp -s build/service/fuzz_instar $@ || cp build/service/fuzz_instar $@

BENCH_OBJS := $(patsubst %.c,build/obj/plain/%.o,$(filter-out bench/fork_floor.c bench/loop_cost.c,$(wildcard bench/*.c)))
build/bench/bench: $(BENCH_OBJS) $(call libs,plain,$(HARNESS)) | programs
	$(call say,LINK,$@)
	@mkdir -p $(@D)
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^ $(LIBS)

build/bench/fork_floor.so: bench/fork_floor.c
	$(call say,LINK,$@)
	@mkdir -p $(@D)
	$(Q)$(CC) $(CFLAGS_ALL) $(LDFLAGS) -fPIC -shared -o $@ $<

# A stopwatch around the functions where a phase of an iteration begins.
LOOP_WRAPS := case_decode workdir_clear_case material_build image_write tool_run exec_run tool_classify \
    tool_parse output_open output_check output_fit third_ask cross_ask material_modified oracle_judge \
    image_compare image_all_same source_classes_of step_count output_end guide_step
build/bench/loop_cost: build/obj/plain/bench/loop_cost.o $(call libs,plain,$(HARNESS)) | build/launcher build/standin/instar $(THIRD)
	$(call say,LINK,$@)
	@mkdir -p $(@D)
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $(LOOP_WRAPS:%=-Wl,--wrap=%) $< $(call libs,plain,$(HARNESS)) $(LIBS)

# What fuzzing services look for beside a target, by its name.
.PHONY: bundle
bundle: build/fuzz_instar build/fuzz_instar_seed_corpus.zip build/fuzz_instar.dict build/fuzz_instar.options ## the libFuzzer target with its seeds, dictionary and options beside it

build/fuzz_instar_seed_corpus.zip: build/seeds.stamp
	$(call say,ZIP,$@)
	$(Q)rm -f $@ && zip -q -j -X -r $@ build/seeds

build/fuzz_instar.dict: dict/fuzz_instar.dict
	$(Q)cp $< $@

build/fuzz_instar.options: ci/fuzz_instar.options
	$(Q)cp $< $@

SEED_CASES := $(sort $(wildcard corpus/seeds/*.json))
BENCH_CASES := $(sort $(wildcard bench/cases/*.json))
# Their names, written anew where one came or went: what is built of them follows.
build/seeds.list: names = $(SEED_CASES)
build/bench/cases.list: names = $(BENCH_CASES)
build/seeds.list build/bench/cases.list: FORCE
	@mkdir -p $(@D)
	@echo '$(names)' | cmp -s - $@ || echo '$(names)' >$@
# $(call assemble,FOLDER,CASES): the cases as bytes in a fresh folder.
define assemble
	$(call say,GEN,$(1))
	$(Q)rm -rf $(1) && mkdir -p $(1)
	$(Q)for text in $(2); do build/instar-fuzz assemble $$text $(1)/$$(basename $$text .json) || exit 1; done
	@touch $@
endef
build/seeds.stamp: build/instar-fuzz $(SEED_CASES) build/seeds.list
	$(call assemble,build/seeds,$(SEED_CASES))
build/bench/cases.stamp: build/instar-fuzz $(BENCH_CASES) build/bench/cases.list
	$(call assemble,build/bench/cases,$(BENCH_CASES))

# --- the ablation: is guidance worth it, is the structured mutator worth it? -------------------
# The engine targets of the project with a journal around each case, with and without our mutator;
# what is asked of a journal afterwards; the table. bench/ablation/run has the matrix.
ABLATION := bench/ablation
ablation_objs = $(patsubst %,build/obj/plain/$(ABLATION)/%.o,$(1))
# A target: name, flavour of its objects, what else is in it, linker, engine.
define ablation_target
build/ablation/$(1): $(call libs,$(2),engine) $(call engine_libs,$(2)) $(3) $(call ablation_objs,journal_write)
	$$(call say,LINK,$$@)
	@mkdir -p $$(@D)
	$$(Q)$(4) $$(CFLAGS) $$(LDFLAGS) -o $$@ $(ABLATION_WRAPS) -Wl,--whole-archive $$< -Wl,--no-whole-archive $(3) \
	    $(call ablation_objs,journal_write) $(call engine_libs,$(2)) $(5) $$(LIBS)
endef
ablation_libfuzzer = $(call ablation_target,$(1),$(2),$(3),$$(CLANG),$$(LIB_FUZZING_ENGINE))
ablation_afl = $(call ablation_target,$(1),$(2),$(3),AFL_QUIET=1 $$(AFL_CC),-fsanitize=fuzzer)
ABLATION_WRAPS := -Wl,--wrap=harness_run
$(eval $(call ablation_libfuzzer,fuzz_bytes,libfuzzer,))
$(eval $(call ablation_libfuzzer,fuzz_structured,libfuzzer,$(LIBFUZZER_HOOKS)))
$(eval $(call ablation_afl,fuzz_afl,afl,build/obj/afl-plain/harness/engine/afl.o))
# The same of an engine that sees nothing.
ABLATION_WRAPS += -Wl,--wrap=LLVMFuzzerTestOneInput
$(eval $(call ablation_libfuzzer,blind_bytes,plain,$(call ablation_objs,blind)))
$(eval $(call ablation_libfuzzer,blind_structured,plain,$(LIBFUZZER_HOOKS) $(call ablation_objs,blind)))
$(eval $(call ablation_afl,blind_afl,plain,$(call ablation_objs,blind)))

build/ablation/cpu_budget: $(call ablation_objs,cpu_budget) build/lib/plain/libexec.a build/lib/plain/libbase.a
	$(call say,LINK,$@)
	@mkdir -p $(@D)
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^

# The stand-in as a function: its names are its own, its questions about lies and its way to hang
# are subject.c's.
SUBJECT_OBJS := $(filter-out build/obj/plain/standin/lies.o,$(STANDIN_OBJS))
build/obj/plain/$(ABLATION)/standin.o: $(SUBJECT_OBJS)
	$(call say,LINK,$@)
	@mkdir -p $(@D)
	$(Q)$(LD) -r -o $@ $^
	$(Q)objcopy --redefine-sym main=subject_main --redefine-sym lie=subject_lie --redefine-sym pause=subject_pause \
	    --keep-global-symbol=subject_main $@

CLOCK_WRAPS := chain_run oracle_judge output_check material_modified tool_run
CLOCK_OBJS := $(call ablation_objs,clock detect narrow trigger subject journal timeline standin) build/obj/plain/standin/lies.o
build/ablation/clock: $(CLOCK_OBJS) $(call libs,plain,$(HARNESS)) | build/launcher build/standin/instar
	$(call say,LINK,$@)
	@mkdir -p $(@D)
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $(CLOCK_WRAPS:%=-Wl,--wrap=%) $^ $(LIBS)

build/ablation/edges: $(call ablation_objs,edges) $(call libs,plain,$(HARNESS)) | build/launcher build/standin/instar
	$(call say,LINK,$@)
	@mkdir -p $(@D)
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^ $(LIBS)

build/ablation/report: $(call ablation_objs,report rows table plot statistics) build/lib/plain/libbase.a
	$(call say,LINK,$@)
	@mkdir -p $(@D)
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^ -lm

build-ablation: build-libfuzzer build-afl $(addprefix build/ablation/,fuzz_bytes fuzz_structured fuzz_afl \
    blind_bytes blind_structured blind_afl cpu_budget clock edges report)

# --- unit tests: tests/unit/<room>_*.c link their room and everything below it -----------------
CHECK_LIBS_base := base
CHECK_LIBS_image := image base
CHECK_LIBS_exec := exec base
CHECK_LIBS_testcase := testcase image base
CHECK_LIBS_mutators := mutators testcase image base
CHECK_LIBS_tool := tool testcase exec image base
CHECK_LIBS_oracles := oracles tool testcase exec image base
CHECK_LIBS_guide := guide oracles tool testcase exec image base
CHECK_LIBS_report := report oracles tool testcase exec image base
CHECK_LIBS_run := $(HARNESS)
CHECK_LIBS_page := page $(HARNESS)
CHECK_LIBS_engine := base
CHECK_LIBS_ablation := ablation base
# What of the ablation is neither a program nor linked around the harness.
build/lib/check/libablation.a: $(patsubst %,build/obj/check/$(ABLATION)/%.o,statistics timeline rows table plot)
	$(call say,AR,$@)
	@mkdir -p $(@D)
	$(Q)rm -f $@ && ar rcs $@ $^


define unit_test
build/tests/$(1): build/obj/check/tests/unit/$(1).o $(foreach r,$(CHECK_LIBS_$(firstword $(subst _, ,$(1)))),build/lib/check/lib$(r).a)
	$$(call say,LINK,$$@)
	@mkdir -p $$(@D)
	$(Q)$(CC) $(CHECK_FLAGS) $(LDFLAGS) -o $$@ $$^ -lcmocka $(LIBS) -lm
endef
UNIT_TESTS := $(patsubst tests/unit/%.c,%,$(sort $(wildcard tests/unit/*.c)))
$(foreach t,$(UNIT_TESTS),$(eval $(call unit_test,$(t))))

# Not a unit test: it runs for as long as it is asked to.
SOAK_OBJS := $(patsubst %.c,build/obj/plain/%.o,$(sort $(wildcard tests/soak/*.c)))
build/tests/soak_backends: $(SOAK_OBJS) $(call libs,plain,$(HARNESS)) | build/launcher build/warm.so build/standin/instar
	$(call say,LINK,$@)
	@mkdir -p $(@D)
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $(SOAK_OBJS) $(call libs,plain,$(HARNESS)) $(LIBS)

# Makes what ci/triage-load has sorted.
build/tests/crashers: build/obj/plain/tests/triage/crashers.o $(call libs,plain,$(HARNESS)) | build/launcher build/warm.so build/standin/instar
	$(call say,LINK,$@)
	@mkdir -p $(@D)
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^ $(LIBS)

# Neither is this: it asks an instrumented qemu-img whether it counts the same each time.
build/tests/soak_maps: build/obj/plain/tests/instrumented/maps.o $(call libs,plain,$(HARNESS)) | build/launcher build/warm.so
	$(call say,LINK,$@)
	@mkdir -p $(@D)
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^ $(LIBS)

# Tests that run tools need the launcher, and some the stand-in.
$(addprefix build/tests/,$(filter tool_% exec_% run_%,$(UNIT_TESTS))): | build/launcher build/warm.so build/standin/instar $(THIRD)
build-tests: programs build/fuzz_instar build/afl/fuzz_instar build/afl/mutator.so seeds build-bench build-ablation build/tests/soak_backends build/tests/crashers \
    $(addprefix build/tests/,$(UNIT_TESTS))

# A tool of the tests' own, which waits at its options as qemu-img does; and one that cannot.
build/tests/subject: build/obj/plain/tests/subject/subject.o
	$(call say,LINK,$@)
	@mkdir -p $(@D)
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $<

build/tests/subject-static: build/obj/plain/tests/subject/subject.o
	$(call say,LINK,$@)
	@mkdir -p $(@D)
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) -static -o $@ $<

build/tests/forgetful: build/obj/plain/tests/subject/forgetful.o
	$(call say,LINK,$@)
	@mkdir -p $(@D)
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $<

# Two that count their edges: one of the tests' own, and one that lets qemu-img do the work.
build/obj/covered/%.o: %.c
	$(call say,CC covered,$<)
	@mkdir -p $(@D)
	$(Q)$(CLANG) $(CFLAGS_ALL) -O0 -fsanitize-coverage=trace-pc-guard -c -o $@ $<

build/tests/covered: build/obj/covered/tests/subject/covered.o build/coverage.o
build/tests/guide: build/obj/covered/tests/subject/forgetful.o build/coverage.o
build/tests/covered build/tests/guide:
	$(call say,LINK,$@)
	@mkdir -p $(@D)
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^
build/tests/exec_coverage build/tests/run_coverage: | build/tests/covered build/tests/guide

build/tests/exec_warm: | build/tests/subject build/tests/subject-static
build-tests: build/tests/forgetful

.PHONY: clean
clean: ## remove everything that was built
	rm -rf build

-include $(shell find build/obj -name '*.d' 2>/dev/null)
