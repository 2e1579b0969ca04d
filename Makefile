# Four stories, six tools: a teaching kit for concurrency in C
#
# `make help` lists what can be made. A program is built by the command in its
# own "Build:" line. tests/ has a folder a room; a new file in a room needs no
# edit here.

B := build
PORT := 8000
export CC
WARNINGS := -Wall -Wextra
STRICT := -std=gnu17 -Werror -Wpedantic -Wshadow -Wconversion \
    -Wsign-conversion -Wstrict-prototypes -Wmissing-prototypes -Wvla \
    -Wformat=2 -Wundef -Wwrite-strings
# More flags for all of it, as the matrix sets them.
EXTRA :=

# Setup runs before the rest of this file is read: in `make setup test` the
# lines below must find what it has just installed.
ifneq ($(filter setup,$(MAKECMDGOALS)),)
ifneq ($(shell tests/tools/setup.sh $(filter-out setup,$(MAKECMDGOALS)) >&2 \
    || echo failed),)
$(error setup failed)
endif
endif

# ---- What can be built: all but what needs a library that is not there ----

# Where the headers of libxml2 are.
XML := -I/usr/include/libxml2
missing := $(strip $(foreach h,curl:curl/curl.h hiredis:hiredis/hiredis.h, \
    $(shell printf '\043include <%s>\n' '$(lastword $(subst :, ,$h))' | \
    $(CC) -E -x c - >/dev/null 2>&1 || echo $(firstword $(subst :, ,$h)))))
BUILT := $(shell grep -sl '^ \* Build: cc' 0[1-6]-*/*.c tests/run/*.c \
    tests/suites/wrong/*.c)
LEFT_OUT := $(sort $(foreach m,$(missing), \
    $(shell grep -l '^ \* Build:.* -l$m' $(BUILT))))
PROGRAMS := $(patsubst %.c,$B/%,$(filter-out $(LEFT_OUT),$(BUILT)))
LESSONS := $(filter $B/0%,$(PROGRAMS))
# 06-locks once more, for the thread sanitizer to judge; the grader sees to the
# exercise
RACES := $(patsubst $B/%,$B/tsan/%,$(filter-out \
    %/exercise_pantry,$(filter $B/06%,$(PROGRAMS))))

.PHONY: all help setup demo sites test matrix grade check selftest grader \
    handout gradescope soak bench explore tsan helgrind tidy clean \
    arm64 musl everything doctor world slides teacher editor
all: $(LESSONS)
ifneq ($(missing),)
	@echo "Left out: $(filter 0%,$(LEFT_OUT))"
	@echo "because these libraries are missing: $(missing). See: make setup all"
endif

# The command of the source's "Build:" line, with our flags and our paths.
$B/%: %.c tests/run/build.sh Makefile
	@mkdir -p $(@D)
	$(CC) $(WARNINGS) $(EXTRA) $(shell tests/run/build.sh $< $@)

# Its runtime in the program, as clang always has it; asked once, if at all.
static_tsan = $(eval static_tsan := $(shell printf 'int main(void) {}' | \
    $(CC) -Werror -fsanitize=thread -static-libtsan -x c -o /dev/null - \
    2>/dev/null && echo -static-libtsan))$(static_tsan)
$(RACES): $B/tsan/%: %.c Makefile
	@mkdir -p $(@D)
	$(CC) -g -O2 -fsanitize=thread $(static_tsan) -pthread -o $@ $<

# These have modules beside them.
$B/05-queue/client $B/05-queue/worker: $(wildcard 05-queue/*.[ch])

# ---- The harness: a folder of tests/ is a room ----

# Sources that are programs by themselves; the rest of a room is linked.
ALONE := run/clock_shim run/clock_timers run/launcher sites/main tools/demo \
    tools/bench_latency pictures/stdout_shim pictures/timeline \
    suites/counted_clock pictures/browser pictures/explored grader/probe/attack \
    grader/checks/rare_wrap grader/checks/rare_refuse \
    $(patsubst tests/%.c,%,$(filter tests/%,$(BUILT)))
objects = $(patsubst %,$B/objects/%.o,$1)
room = $(call objects,$(filter-out $(ALONE),$(patsubst tests/%.c,%,$(wildcard \
    $(patsubst %,tests/%/*.c,$1)))))
EVIDENCE := $(call room,run sites judge)
EXPLORE := $(call room,explore)

$B/objects/%.o: tests/%.c Makefile
	@mkdir -p $(@D)
	$(CC) $(WARNINGS) -O2 $(EXTRA) $(XML) -Itests -MMD -c -o $@ $<
-include $(shell find $B/objects -name '*.d' 2>/dev/null)
# These run inside programs that are built with any flags: of ours they get the
# warnings alone.
$(EXPLORE): $B/objects/%.o: tests/%.c $(wildcard tests/explore/*.h) Makefile
	@mkdir -p $(@D)
	$(CC) $(WARNINGS) $(filter -W%,$(EXTRA)) -std=gnu17 -O2 -g -fno-pie \
	    -pthread -Itests -c -o $@ $<
$B/tests/explore.o: $(EXPLORE)
	@mkdir -p $(@D)
	$(CC) -r -nostdlib -o $@ $^
$B/tests/clock_shim.so: tests/run/clock_shim.c tests/run/clock_timers.c \
    tests/run/clock_shim.h tests/run/clock.h Makefile
	@mkdir -p $(@D)
	$(CC) $(WARNINGS) -O2 -fPIC -shared -nostdlib -Itests -o $@ \
	    $(filter %.c,$^) -lgcc
$B/tests/counted_clock.so: tests/suites/counted_clock.c \
    tests/suites/counted_clock.h Makefile
	@mkdir -p $(@D)
	$(CC) $(WARNINGS) -O2 -fPIC -shared -Itests -o $@ $<
$B/tests/stdout_shim.so: tests/pictures/stdout_shim.c \
    tests/pictures/records.h Makefile
	@mkdir -p $(@D)
	$(CC) $(WARNINGS) -O2 -fPIC -shared -Itests -o $@ $<
# Linked with a submission: what makes rare things happen, and to which calls.
$B/tests/rare.o: $(wildcard tests/grader/checks/rare_*.[ch]) Makefile
	@mkdir -p $(@D)
	$(CC) $(WARNINGS) -O2 -fPIC -Itests -r -nostdlib -o $@ $(filter %.c,$^)
	nm $@ | sed -n 's/.* T __wrap_/--wrap=/p' >$(@:.o=.wraps)
$B/tests/launcher: tests/run/launcher.c tests/run/launcher.h Makefile
	@mkdir -p $(@D)
	$(CC) $(WARNINGS) -O2 -Itests -o $@ $<

# The kit's version: as it was handed out, or of its repository.
VERSION := $(shell cat .version 2>/dev/null || git describe --always --dirty \
    2>/dev/null || echo without a version)
$B/version.c: always
	@mkdir -p $(@D)
	@echo 'extern const char kit_version[]; /* made by make */' \
	    'const char kit_version[] = "$(VERSION)";' >$@.new
	@cmp -s $@ $@.new && rm $@.new || mv $@.new $@
.PHONY: always

BINARIES := $(patsubst %,$B/tests/%,test_runner runner_probe demo sites \
    timeline browser explored bench_latency grade grade_probe)
$B/tests/test_runner: $(call room,suites) $(EVIDENCE)
# The runner with suites of its own, for test_runner.c.
$B/tests/runner_probe: $(call objects,suites/main suites/run_suite \
    suites/suite) \
    $(call room,suites/probe) $(EVIDENCE)
$B/tests/demo: $(call objects,tools/demo) $(call room,pictures) $(EVIDENCE)
$B/tests/sites: $(call objects,sites/main) $(call room,sites)
$B/tests/timeline: $(call objects,pictures/timeline) $(call room,pictures) \
    $(EVIDENCE)
$B/tests/explored: $(call objects,pictures/explored pictures/svg \
    pictures/lanes judge/events judge/verdict)
$B/tests/browser: $(call objects,pictures/browser) $(call room,pictures) \
    $(EVIDENCE)
$B/tests/bench_latency: $(call objects,tools/bench_latency)
$B/tests/grade: $(call room,grader grader/checks) $B/version.c $(EVIDENCE)
# The grader of test_grade.c, with exercises of its own.
$B/tests/grade_probe: $(call room,grader grader/probe) $B/version.c $(EVIDENCE)
# None is linked with a library that tests/tools/setup.sh has not installed for
# it.
LIBRARIES := -lmicrohttpd -lcurl -ljansson -lxml2 -lm
$B/tests/test_runner $B/tests/runner_probe: LIBRARIES += -lcunit -lhiredis
$B/tests/sites: LIBRARIES := -lmicrohttpd
$B/tests/explored: LIBRARIES := -lxml2 -lm
$B/tests/bench_latency: LIBRARIES := -lhiredis
$(BINARIES):
	@mkdir -p $(@D)
	$(CC) $(EXTRA) -o $@ $(sort $^) -Wl,--as-needed $(LIBRARIES) -pthread

# What the runner and the grader need beside them.
BESIDE := $B/tests/explore.o $B/tests/rare.o $B/tests/launcher \
    $B/tests/clock_shim.so
GRADER := $B/tests/grade $(BESIDE)
# What draws, and what it needs beside it.
PICTURES := $B/tests/timeline $B/tests/explored $B/tests/stdout_shim.so \
    $B/tests/clock_shim.so
TESTED := $(PROGRAMS) $(RACES) $B/tests/test_runner $B/tests/runner_probe \
    $B/tests/grade_probe $B/tests/counted_clock.so $B/tests/sites \
    $(BESIDE) $(PICTURES)

everything: $(TESTED) $(BINARIES)

# ---- What to run ----

help:
	@cat tests/tools/help.txt

setup: # done above
	@:

# What a target needs is looked for first, so that what is missing is named.
need-%:
	@tests/tools/setup.sh -n $*

doctor:
	@tests/workshop/doctor.sh $(PORT)

demo: need-demo $(LESSONS) $B/tests/demo $(PICTURES)
	@$B/tests/demo $B

sites: need-sites $B/tests/sites
	@$B/tests/sites -p $(PORT) $(if $(filter 1,$(LOG)),-v)

.PHONY: timeline
timeline: $(if $(PROGRAM),need-timeline $(addprefix $B/,$(PROGRAM:.c=)) \
    $(PICTURES))
ifeq ($(PROGRAM),)
	@echo "Which programs? PROGRAM=\"01-sequential/messages" \
	    "02-threads/messages\", or:" >&2
	@echo "$(filter 0%,$(LESSONS:$B/%=%))" | fmt -w 78 >&2
	@false
endif
	@$B/tests/timeline $(if $(LIMIT),-l "$(LIMIT)") $(if $(TIME),-t "$(TIME)") \
	    $B $(PROGRAM:.c=) -- $(ARGS)

slides: need-slides $(LESSONS) $(PICTURES)
	@tests/workshop/slides.sh $B

# A runner that cannot fail proves nothing by passing.
test: need-test $(TESTED)
	@! $B/tests/runner_probe $B fails >/dev/null
	@$B/tests/test_runner $B $(SUITE)

grade check: grade_options = $(if $(SEED),-s "$(SEED)") \
    $(if $(SANDBOX),-b $(SANDBOX)) $(if $(filter 1,$(TRUST)),-t) \
    $(if $(filter 1,$(QUICK)),-q) $(if $(GRADE),-g "$(GRADE)")
grade-all: grade_options = $(if $(SANDBOX),-b $(SANDBOX)) \
    $(if $(filter 1,$(TRUST)),-t) $(if $(GRADE),-g "$(GRADE)")
# What a target that is about an exercise says without one that there is.
an_exercise = case "$(EXERCISE:.c=).c" in 0[1-6]-*/exercise_*) \
    test -f "$(EXERCISE:.c=).c" ;; *) false ;; esac || { \
    echo "make $@ EXERCISE=...: one of"; \
    ls 0[1-6]-*/exercise_*.c | sed 's/^/    /; s/\.c$$//'; exit 2; } >&2

grade: REPORTS = $B/grade
grade: $(if $(SUBMISSION),need-grade $(GRADER))
	@[ -n "$(SUBMISSION)" ] || { echo "make grade SUBMISSION=DIR: a folder" \
	    "with any of"; ls 0[1-6]-*/exercise_*.c | sed 's/^/    /'; \
	    exit 2; } >&2
	@$B/tests/grade $(grade_options) -o "$(REPORTS)" "$(SUBMISSION)"

# Another's points are no progress.
whose = $(if $(filter-out . ./,$(SUBMISSION)),check-of-others,check)
check: REPORTS = $B/$(whose)/$(EXERCISE:.c=)
check: $(if $(EXERCISE),need-check $(GRADER))
	@$(an_exercise)
	@mkdir -p "$(REPORTS)"
	@$B/tests/grade -e "$(EXERCISE:.c=)" $(grade_options) -o "$(REPORTS)" \
	    "$(or $(SUBMISSION),.)"; status=$$?; [ $$status -gt 1 ] || \
	    $(if $(filter 1,$(QUICK)),touch,rm -f) "$(REPORTS)/quick"; \
	    exit $$status

.PHONY: grade-all watch hint progress
grade-all: need-grade-all $(GRADER)
	@SEED="$(SEED)" JOBS="$(JOBS)" tests/grader/grade_all.sh $B \
	    "$(SUBMISSIONS)" "$(or $(OUT),$B/grades)" $(grade_options)

watch: $(if $(EXERCISE),need-watch $(GRADER))
	@$(an_exercise)
	@tests/grader/watch.sh "$(EXERCISE)" $(MAKE) -s check \
	    EXERCISE="$(EXERCISE)"

hint:
	@tests/grader/hint.sh $B "$(EXERCISE)"

progress:
	@tests/grader/progress.sh $B

# All that grading needs, built.
grader: need-grader $(GRADER)

handout:
	@tests/grader/handout.sh students $B/kit.tar.gz

# The same with solutions and slides, for the teacher alone.
teacher: slides
	@tests/grader/handout.sh teacher $B/teacher.tar.gz $B/slides.html

editor: need-editor
	@bear --output $B/compile_commands.json -- $(MAKE) -s -B all everything

gradescope:
	@tests/grader/handout.sh gradescope $B/gradescope.zip $(GRADE)

selftest: need-test $(GRADER)
	@tests/grader/known/selftest.sh $B $(FILES)

.PHONY: coverage
coverage:
	@$(MAKE) -s B=$B/coverage EXTRA='--coverage -O0' grader
	@tests/grader/known/coverage.sh $B/coverage $(FILES)

.PHONY: mutant
mutant:
	@tests/grader/known/mutant.sh write $B/mutants "$(NAME)"

soak: need-soak $(TESTED) $(GRADER)
	@tests/tools/soak.sh $B

world: need-test $(TESTED) $B/tests/demo
	@tests/tools/world.sh $B

arm64: need-arm64
musl: need-musl
arm64 musl: $(LESSONS)
	@tests/tools/elsewhere.sh $@ $B

matrix: need-matrix
	@tests/tools/matrix.sh $B "$(STRICT)" $(ONLY)

# What a target that runs a program says without one.
a_program = [ -n "$(PROGRAM)$(SOURCES)" ] || { \
    echo "make $@ PROGRAM=...: one of"; \
    grep -l pthread_create 0[1-6]-*/*.c | sed 's/^/    /; s/\.c$$//'; \
    exit 2; } >&2

explore: $(if $(SVG),need-timeline $B/tests/explored)
	@$(a_program)
	@mkdir -p $B/explore; report=$(if $(SVG),$B/explore/report.$$$$); \
	EXPLORE_DIR=$B/explore REPORT=$$report tests/explore/explore.sh; \
	status=$$?; $(if $(SVG),$B/tests/explored $$report "$B/explore/$(subst \
	    /,-,$(or $(PROGRAM:.c=),sources)).svg"; rm -f $$report;) exit $$status

.PHONY: play
play:
	@$(a_program)
	@EXPLORE_DIR=$B/explore PLAY=1 tests/explore/explore.sh

tsan helgrind:
	@$(a_program)
	@tests/tools/detect.sh $@

bench: need-bench $(LESSONS) $B/tests/sites $B/tests/bench_latency
	@tests/tools/bench.sh $B

.PHONY: plots browser
plots: need-plots $(LESSONS) $B/tests/sites
	@tests/pictures/plots.sh $B

browser: need-browser $(LESSONS) $B/tests/demo $B/tests/browser $(PICTURES)
	@$B/tests/demo $B >$B/demo.txt
	@$B/tests/timeline -t virtual $B 01-sequential/messages \
	    02-threads/messages >/dev/null
	@$B/tests/browser $B

tidy: need-tidy need-test $(BINARIES) $(EXPLORE)
	@tests/tools/tidy.sh $B

clean:
	rm -rf $B
