# Four stories, six tools: a teaching kit for concurrency in C
#
# `make help` lists what can be made. A program is built by the command in its
# own "Build:" line. tests/ has a folder a room; a new file in a room needs no
# edit here.

B := build
PORT := 8000
export CC
WARNINGS := -Wall -Wextra
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

missing := $(shell CC='$(CC)' tests/tools/setup.sh -l all)
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
.PHONY: all always arm64 bench browser check clean coverage covered demo \
    doctor editor everything explore grade grade-all grader gradescope handout \
    helgrind help hint matrix musl mutant play plots progress selftest setup \
    sites slides soak teacher test tidy timeline tsan watch world
all: $(LESSONS)
ifneq ($(missing),)
	@echo "Left out: $(filter 0%,$(LEFT_OUT))"
	@echo "because these libraries are missing: $(missing). See: make setup all"
endif
# The command of the source's "Build:" line, with our flags and our paths.
$B/%: %.c tests/run/build.sh Makefile
	@mkdir -p $(@D)
	$(CC) $(WARNINGS) $(EXTRA) $(shell tests/run/build.sh $< $@)
# These have modules beside them.
$B/05-queue/client $B/05-queue/worker: $(wildcard 05-queue/*.[ch])

# Its runtime in the program, as clang always has it; asked once, if at all.
static_tsan = $(eval static_tsan := $(shell printf 'int main(void) {}' | \
    $(CC) -Werror -fsanitize=thread -static-libtsan -x c -o /dev/null - \
    2>/dev/null && echo -static-libtsan))$(static_tsan)
$(RACES): $B/tsan/%: %.c Makefile
	@mkdir -p $(@D)
	$(CC) -g -O2 -fsanitize=thread $(static_tsan) -pthread -o $@ $<

# ---- The harness: a folder of tests/ is a room ----

# Sources that are programs by themselves; the rest of a room is linked.
ALONE := run/clock_shim run/clock_timers run/launcher sites/main \
    suites/counted_clock grader/probe/attack grader/checks/rare_wrap \
    grader/checks/rare_refuse $(addprefix pictures/,stdout_shim timeline \
    browser explored) $(addprefix tools/,demo bench_latency) \
    $(patsubst tests/%.c,%,$(filter tests/%,$(BUILT)))
objects = $(patsubst %,$B/objects/%.o,$1)
room = $(call objects,$(filter-out $(ALONE),$(patsubst tests/%.c,%,$(wildcard \
    $(patsubst %,tests/%/*.c,$1)))))
EVIDENCE := $(call room,run sites judge)
EXPLORE := $(call room,explore)

XML := -I/usr/include/libxml2
FLAGS := $(XML) $(EXTRA)
# These run inside programs that are built with any flags: of ours they get the
# warnings alone.
$(EXPLORE): FLAGS := -std=gnu17 -g -fno-pie -pthread $(filter -W%,$(EXTRA))
$B/objects/%.o: tests/%.c Makefile
	@mkdir -p $(@D)
	$(CC) $(WARNINGS) -O2 $(FLAGS) -Itests -MMD -c -o $@ $<
-include $(shell find $B/objects -name '*.d' 2>/dev/null)
$B/tests/explore.o: $(EXPLORE)
	@mkdir -p $(@D)
	$(CC) -r -nostdlib -o $@ $^

# What a program is run by or has in it: preloaded, or linked with a submission
# to make rare things happen.
INSIDE := $(addprefix $B/tests/,clock_shim.so counted_clock.so stdout_shim.so \
    rare.o launcher)
$B/tests/clock_shim.so: $(wildcard tests/run/clock_*.[ch]) tests/run/clock.h
$B/tests/clock_shim.so: KIND := -fPIC -shared -nostdlib
$B/tests/clock_shim.so: AFTER := -lgcc
$B/tests/counted_clock.so: $(wildcard tests/suites/counted_clock.*)
$B/tests/stdout_shim.so: $(addprefix tests/pictures/,stdout_shim.c records.h)
$B/tests/counted_clock.so $B/tests/stdout_shim.so: KIND := -fPIC -shared
$B/tests/rare.o: $(wildcard tests/grader/checks/rare_*.[ch])
$B/tests/rare.o: KIND := -fPIC -r -nostdlib
$B/tests/launcher: $(wildcard tests/run/launcher.*)
$(INSIDE): Makefile
	@mkdir -p $(@D)
	$(CC) $(WARNINGS) -O2 $(KIND) -Itests -o $@ $(filter %.c,$^) $(AFTER)
# To which calls it does so.
$B/tests/rare.wraps: $B/tests/rare.o
	nm $< | sed -n 's/.* T __wrap_/--wrap=/p' >$@

# The kit's version: as it was handed out, or of its repository.
VERSION := $(shell cat .version 2>/dev/null || git describe --always --dirty \
    2>/dev/null || echo without a version)
$B/version.c: always
	@mkdir -p $(@D)
	@echo 'extern const char kit_version[]; /* made by make */' \
	    'const char kit_version[] = "$(VERSION)";' >$@.new
	@cmp -s $@ $@.new && rm $@.new || mv $@.new $@

# Nothing is linked with a library that tests/tools/setup.sh does not know of.
LIBRARIES := -lmicrohttpd -lcurl -ljansson -lxml2 -lm
BINARIES := $(addprefix $B/tests/,test_runner runner_probe demo sites timeline \
    browser explored bench_latency grade grade_probe)
$B/tests/test_runner: $(call room,suites) $(EVIDENCE)
# The runner with suites of its own, for test_runner.c.
$B/tests/runner_probe: $(call objects,suites/main suites/run_suite \
    suites/suite) $(call room,suites/probe) $(EVIDENCE)
$B/tests/test_runner $B/tests/runner_probe: LIBRARIES += -lcunit -lhiredis
$B/tests/demo $B/tests/timeline $B/tests/browser: $(call room,pictures) \
    $(EVIDENCE)
$B/tests/timeline $B/tests/browser: $B/tests/%: $B/objects/pictures/%.o
$B/tests/demo $B/tests/bench_latency: $B/tests/%: $B/objects/tools/%.o
$B/tests/sites: $(call objects,sites/main) $(call room,sites)
$B/tests/sites: LIBRARIES := -lmicrohttpd
$B/tests/explored: $(call objects,pictures/explored pictures/svg \
    pictures/lanes judge/events judge/verdict)
$B/tests/explored: LIBRARIES := -lxml2 -lm
$B/tests/bench_latency: LIBRARIES := -lhiredis
$B/tests/grade: $(call room,grader grader/checks) $B/version.c $(EVIDENCE)
# The grader of test_grade.c, with exercises of its own.
$B/tests/grade_probe: $(call room,grader grader/probe) $B/version.c $(EVIDENCE)
$(BINARIES):
	@mkdir -p $(@D)
	$(CC) $(EXTRA) -o $@ $(sort $^) -Wl,--as-needed $(LIBRARIES) -pthread

# What the runner and the grader need beside them; what draws.
BESIDE := $(addprefix $B/tests/,explore.o rare.o rare.wraps launcher \
    clock_shim.so)
GRADER := $B/tests/grade $(BESIDE)
PICTURES := $(addprefix $B/tests/,timeline explored stdout_shim.so \
    clock_shim.so)
TESTED := $(PROGRAMS) $(RACES) $(BESIDE) $(PICTURES) $(addprefix $B/tests/, \
    test_runner runner_probe grade_probe counted_clock.so sites)
everything: $(TESTED) $(BINARIES)

# ---- What to run ----

help:
	@cat tests/tools/help.txt
setup: # done above
	@:
# What a target needs is looked for first, so that what is missing is named.
need-%:
	@tests/tools/setup.sh -n $*

# A program or an exercise, as the kit names it: without ./ and .c.
from_here = $(patsubst ./%,%,$(subst $(CURDIR)/,,$($1:.c=)))
exercise := $(call from_here,EXERCISE)
programs := $(call from_here,PROGRAM)
# What a target says that is called without one, or with one that is not there.
a_choice = tests/tools/choose.sh $@

doctor:
	@tests/workshop/doctor.sh $(PORT)
demo: need-demo $(LESSONS) $B/tests/demo $(PICTURES)
	@$B/tests/demo $B
sites: need-sites $B/tests/sites
	@$B/tests/sites -p $(PORT) $(if $(filter 1,$(LOG)),-v)
timeline: $(if $(programs),need-timeline $(PICTURES) $(patsubst %.c,$B/%, \
    $(wildcard $(addsuffix .c,$(programs)))))
	@$(a_choice) programs $(programs)
	@$B/tests/timeline $(if $(LIMIT),-l "$(LIMIT)") $(if $(TIME),-t "$(TIME)") \
	    $B $(programs) -- $(ARGS)
explore: $(if $(SVG),need-timeline $B/tests/explored)
explore play:
	@$(a_choice) threads "$(PROGRAM)$(SOURCES)"
	@EXPLORE_DIR=$B/explore PLAY=$(if $(filter play,$@),1) \
	    EXPLORED=$B/tests/explored tests/explore/explore.sh
tsan helgrind:
	@$(a_choice) threads "$(PROGRAM)"
	@tests/tools/detect.sh $@

options_for_all = $(if $(SANDBOX),-b $(SANDBOX)) \
    $(if $(filter 1,$(TRUST)),-t) $(if $(GRADE),-g "$(GRADE)")
# The exercises that were set: what else there is does not count.
those_set = $(patsubst %,-e %,$(EXERCISES:.c=))
grade_options = $(options_for_all) $(if $(SEED),-s "$(SEED)") \
    $(if $(filter 1,$(QUICK)),-q)
grade: $(if $(SUBMISSION),need-grade $(GRADER))
	@$(a_choice) submission "$(SUBMISSION)"
	@$B/tests/grade $(grade_options) $(those_set) -o "$(or $(REPORTS),$B/grade)" \
	    "$(SUBMISSION)"
check: $(if $(exercise),need-check $(GRADER))
	@$(a_choice) exercise "$(exercise)"
	@tests/grader/check.sh $B "$(exercise)" $(grade_options)
watch: $(if $(exercise),need-watch $(GRADER))
	@$(a_choice) exercise "$(exercise)"
	@tests/grader/watch.sh "$(exercise)" $(MAKE) -s check \
	    EXERCISE="$(exercise)"
hint:
	@$(a_choice) exercise "$(exercise)"
	@tests/grader/hint.sh $B "$(exercise)"
progress:
	@tests/grader/progress.sh $B
grade-all: need-grade-all $(GRADER)
	@tests/grader/grade_all.sh $B "$(SUBMISSIONS)" "$(or $(OUT),$B/grades)" \
	    $(options_for_all) $(those_set)
# All that grading needs, built.
grader: need-grader $(GRADER)

slides: need-slides $(LESSONS) $(PICTURES)
	@tests/workshop/slides.sh $B
handout:
	@tests/grader/handout.sh students $B/kit.tar.gz
# The same with solutions and slides, for the teacher alone.
teacher: slides
	@tests/grader/handout.sh teacher $B/teacher.tar.gz $B/slides.html
gradescope:
	@tests/grader/handout.sh gradescope $B/gradescope.zip "$(GRADE)" \
	    "$(EXERCISES)"

# A runner that cannot fail proves nothing by passing.
test: need-test $(TESTED)
	@! $B/tests/runner_probe $B fails >/dev/null
	@$B/tests/test_runner $B $(SUITE)
selftest: need-test $(GRADER)
	@tests/grader/known/selftest.sh $B $(FILES)
coverage: need-test $(TESTED)
	@$(MAKE) -s B=$B/coverage EXTRA='--coverage -O0' covered
	@tests/grader/known/coverage.sh $B $B/coverage $(FILES)
covered: $(GRADER) $B/tests/test_runner $B/tests/grade_probe $B/tests/sites
mutant:
	@tests/grader/known/mutant.sh write $B/mutants "$(NAME)"
matrix: need-matrix
	@tests/tools/matrix.sh $B $(ONLY)
arm64: $B/tests/test_runner
arm64 musl: %: need-% $(LESSONS)
	@tests/tools/elsewhere.sh $@ $B
bench: $(LESSONS) $B/tests/sites $B/tests/bench_latency
soak: $(TESTED) $(GRADER)
tidy: $(BINARIES) $(EXPLORE)
world: $(TESTED) $B/tests/demo
bench soak tidy world: %: need-%
	@tests/tools/$@.sh $B
plots: need-plots $(LESSONS) $B/tests/sites
	@tests/pictures/plots.sh $B
browser: need-browser $(LESSONS) $B/tests/demo $B/tests/browser $(PICTURES) \
    slides
	@$B/tests/demo $B >$B/demo.txt
	@$B/tests/timeline -t virtual $B 01-sequential/messages \
	    02-threads/messages >/dev/null
	@$B/tests/browser $B
	@tests/pictures/printed.sh $B
editor: need-editor
	@bear --output $B/compile_commands.json -- $(MAKE) -s -B all everything
clean:
	rm -rf $B
