# Four stories, six tools: a teaching kit for concurrency in C
#
#   make           builds every program into build/
#   make setup     installs what is missing, with the system's package manager
#   make demo      runs every story with every tool and prints a table
#   make sites     runs the practice web sites on port 8000 (PORT=n: on n)
#   make test      checks every program and the judges themselves
#   make matrix    the same under gcc and clang, plain and with sanitizers
#   make grade SUBMISSION=DIR (SEED=n)
#                  grades a directory with this layout: points, feedback
#   make check EXERCISE=02-threads/exercise_tables
#                  grades one exercise of this directory
#   make selftest  the grader grades what is known, wrong and right
#   make handout   packs the kit without solutions: build/kit.tar.gz
#   make gradescope (GRADE=hidden.conf)
#                  packs an autograder: build/gradescope.zip
#   make soak      the same verdicts hundreds of times, idle and under load
#   make bench     measures the programs side by side
#   make explore PROGRAM=06-locks/increment_race ARGS="-w 2 -n 1"
#                  runs a program in every order of its threads
#   make tsan PROGRAM=06-locks/increment_race, make helgrind PROGRAM=...
#                  runs a program under a detector of data races
#   make tidy      checks the format and the house rules
#   make clean     removes build/
#
# A program is built by the command in its own "Build:" line.

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
ifneq ($(shell tests/setup.sh >&2 || echo failed),)
$(error setup failed)
endif
endif

# ---- What can be built: all but what needs a library that is not there ----

# Where the headers of libxml2 are.
XML := -I/usr/include/libxml2
HEADERS := curl:curl/curl.h cunit:CUnit/CUnit.h hiredis:hiredis/hiredis.h \
    microhttpd:microhttpd.h jansson:jansson.h \
    xml2:libxml/xmlwriter.h
missing := $(strip $(foreach h,$(HEADERS),$(shell printf \
    '\043include <%s>\n' '$(lastword $(subst :, ,$h))' | $(CC) $(XML) -E -x c - \
    >/dev/null 2>&1 || echo $(firstword $(subst :, ,$h)))))
SOURCES := $(shell grep -l '^ \* Build: cc' 0[1-6]-*/*.c tests/wrong/*.c tests/programs/*.c)
LEFT_OUT := $(foreach m,$(missing),$(shell grep -l '^ \* Build:.* -l$m' $(SOURCES)))
PROGRAMS := $(patsubst %.c,$B/%,$(filter-out $(LEFT_OUT),$(SOURCES)))
LESSONS := $(filter $B/0%,$(PROGRAMS))
# 06-locks once more, for the thread sanitizer to judge; the grader sees to the
# exercise
RACES := $(patsubst $B/%,$B/tsan/%,$(filter-out \
    %/exercise_pantry,$(filter $B/06%,$(PROGRAMS))))

.PHONY: all setup demo sites test matrix grade check selftest grader handout \
    gradescope soak bench explore tsan helgrind tidy clean need-all need-web
all: $(LESSONS)
ifneq ($(missing),)
	@echo "Left out: $(filter 0%,$(LEFT_OUT))"
	@echo "because these libraries are missing: $(missing). See: make setup"
endif

# The command of the source's "Build:" line, with our flags and our paths.
build_line = $(shell sed -n 's/^ \* Build: cc //p' $<)
$B/%: %.c Makefile
	@mkdir -p $(@D)
	$(CC) $(WARNINGS) $(EXTRA) $(patsubst %.c,$(<D)/%.c,$(patsubst \
	    $(*F),$@,$(build_line)))

# Its runtime in the program, as clang always has it; asked once, if at all.
static_tsan = $(eval static_tsan := $(shell printf 'int main(void) {}' | \
    $(CC) -Werror -fsanitize=thread -static-libtsan -x c -o /dev/null - \
    2>/dev/null && echo -static-libtsan))$(static_tsan)
$(RACES): $B/tsan/%: %.c Makefile
	@mkdir -p $(@D)
	$(CC) -g -O2 -fsanitize=thread $(static_tsan) -pthread -o $@ $<

# These have modules beside them.
$B/05-queue/client $B/05-queue/worker: $(wildcard 05-queue/*.[ch])

# ---- The harness ----

CORE := program sandbox clock events sites
SUITES := $(patsubst tests/%.c,%,$(wildcard tests/test_*.c))
# The suites whose judges the grader uses for the lessons.
STORIES := test_messages test_download test_increment test_cooking
# The grader: its checks are all check_*.c.
GRADER := grade report submission hidden $(patsubst tests/%.c,%,$(wildcard \
    tests/exercises.c tests/check_*.c))
HARNESS := $(CORE) $(SUITES) main sites_main demo suite redis_server \
    bench_latency $(GRADER) probe
objects = $(patsubst %,$B/tests/%.o,$1)
EXPLORE := $(call objects,explore explore_run)
# What the grader needs beside it.
BESIDE := $(EXPLORE) $B/tests/launcher $B/tests/clock_shim.so
PROBE := $B/tests/grade_probe $(BESIDE)

$(call objects,$(HARNESS)): $B/tests/%.o: tests/%.c Makefile
	@mkdir -p $(@D)
	$(CC) $(WARNINGS) -O2 $(EXTRA) $(XML) -MMD -c -o $@ $<
-include $(wildcard $B/tests/*.d)

# The shim is preloaded into programs built with any flags: it has none.
$B/tests/clock_shim.so: tests/clock_shim.c tests/clock.h Makefile
	@mkdir -p $(@D)
	$(CC) $(WARNINGS) -O2 -fPIC -shared -nostdlib -o $@ $<

$B/tests/test_runner: $(call objects,main suite redis_server $(SUITES) $(CORE))
	$(CC) $(EXTRA) -o $@ $^ -lcunit -lmicrohttpd -lcurl -lhiredis \
	    -ljansson -lxml2 -pthread
$B/tests/demo: $(call objects,demo $(CORE))
	$(CC) $(EXTRA) -o $@ $^ -lmicrohttpd -pthread
$B/tests/bench_latency: $(call objects,bench_latency)
	$(CC) $(EXTRA) -o $@ $^ -lhiredis
$B/tests/sites: $(call objects,sites_main sites)
	$(CC) $(EXTRA) -o $@ $^ -lmicrohttpd -pthread
$(EXPLORE): $B/tests/%.o: tests/%.c tests/explore.h Makefile
	@mkdir -p $(@D)
	$(CC) -std=gnu17 -O2 -g -fno-pie -pthread -c -o $@ $<
# Like the shim, and unlike the harness, without more flags.
$B/tests/launcher: tests/launcher.c tests/launcher.h Makefile
	@mkdir -p $(@D)
	$(CC) $(WARNINGS) -O2 -o $@ $<
# The grader of test_grade.c, with exercises of its own.
$B/tests/grade_probe: $(call objects,suite probe $(filter-out \
    exercises check_%,$(GRADER)) $(CORE))
	$(CC) $(EXTRA) -o $@ $^ -lcunit -lmicrohttpd -ljansson -lxml2 -pthread
$B/tests/grade: $(call objects,suite $(GRADER) $(CORE) \
    $(STORIES))
	$(CC) $(EXTRA) -o $@ $^ -lcunit -lmicrohttpd -lcurl -ljansson -lxml2 -pthread

# ---- What to run ----

setup: # done above
	@:

need-all:
	$(if $(missing),$(error missing libraries: $(missing). See: make setup))

need-web:
	$(if $(filter microhttpd,$(missing)),$(error missing libraries: \
	    $(missing). See: make setup))

demo: need-web $(LESSONS) $B/tests/demo
	@$B/tests/demo $B

sites: need-web $B/tests/sites
	@$B/tests/sites -p $(PORT)

test: need-all $(PROGRAMS) $(RACES) $B/tests/test_runner $(PROBE)
	@$B/tests/test_runner $B $(SUITE)

GRADER_FILES := $B/tests/grade $(BESIDE)
SUBMISSION = .
REPORTS = $B/grade
grade check: need-all $(GRADER_FILES)
	@$B/tests/grade $(if $(filter check,$@),-e "$(EXERCISE)") \
	    $(if $(SEED),-s "$(SEED)") $(if $(SANDBOX),-b $(SANDBOX)) \
	    $(if $(filter 1,$(TRUST)),-t) $(if $(GRADE),-g "$(GRADE)") \
	    -o "$(REPORTS)" "$(SUBMISSION)"

# All that grading needs, built.
grader: need-all $(GRADER_FILES)

handout:
	@tests/handout.sh kit $B/kit.tar.gz

gradescope:
	@tests/handout.sh gradescope $B/gradescope.zip $(GRADE)

selftest: need-all $(GRADER_FILES)
	@tests/selftest.sh $B $(FILES)

soak: need-all $(PROGRAMS) $(RACES) $B/tests/test_runner $(PROBE) \
    $(GRADER_FILES)
	@tests/soak.sh $B

# gcc links its sanitizer runtime into the program, as clang always does, so
# that the runtime comes before the preloaded shim.
gcc-plain clang-plain: flags =
gcc-address: flags = -g -fsanitize=address,undefined -static-libasan \
    -fno-sanitize-recover=undefined
clang-address: flags = -g -fsanitize=address,undefined \
    -fno-sanitize-recover=undefined
gcc-thread: flags = -g -fsanitize=thread -static-libtsan
clang-thread: flags = -g -fsanitize=thread
# What does not depend on these flags is tested once a compiler; Redis is killed
# twice there, and not ten times.
gcc-address clang-address gcc-thread clang-thread: suites = program sites \
    messages download increment cooking processes async queue redis locks usage
MATRIX := $(foreach s,plain address thread,gcc-$s clang-$s)
.PHONY: $(MATRIX)
$(MATRIX):
	@echo "== $@"
	@$(MAKE) -s -j2 B=$B/$@ CC=$(firstword $(subst -, ,$@)) \
	    EXTRA='$(STRICT) $(flags)' \
	    SUITE='$(suites)' $(if $(suites),KILLS=2) test
matrix: $(MATRIX)
.NOTPARALLEL: matrix

explore:
	@EXPLORE_DIR=$B/explore tests/explore.sh

tsan helgrind:
	@tests/detect.sh $@

bench: need-all $(LESSONS) $B/tests/sites $B/tests/bench_latency
	@tests/bench.sh $B

tidy:
	@tests/tidy.sh

clean:
	rm -rf build
