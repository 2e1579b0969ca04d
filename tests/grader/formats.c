/*
 * formats.c - the report in all its forms, whole at every moment
 */
#include "grader/formats.h"

#include <err.h>
#include <stdlib.h>

void report_as_lines(const struct report *report, FILE *file) {
    for (size_t i = 0; i < report->count; i++) {
        const struct result *r = &report->results[i];
        fprintf(file, "%s\t%s\t%s\t%g\t%g\t%lu\t%s\n", r->exercise->path,
            r->check->name, report_word(r->outcome), r->score,
            r->outcome == UNMEASURED ? 0 : r->points, report->seed,
            kit_version);
    }
}

void report_write(const struct report *report) {
    static const struct {
        const char *ending;
        void (*write)(const struct report *, FILE *);
    } forms[] = {{"json", report_as_json}, {"xml", report_as_xml},
        {"html", report_as_page}, {"tsv", report_as_lines}};

    for (size_t i = 0; i < sizeof forms / sizeof forms[0]; i++) {
        char path[4096], beside[4096 + 8];
        if (report->directory == NULL)
            return;
        snprintf(path, sizeof path, "%s/results.%s", report->directory,
            forms[i].ending);
        snprintf(beside, sizeof beside, "%s.new", path);
        FILE *file = fopen(beside, "we");
        if (file == NULL)
            err(EXIT_FAILURE, "%s", beside);
        forms[i].write(report, file);
        if (fclose(file) == EOF || rename(beside, path) == -1)
            err(EXIT_FAILURE, "%s", path);
    }
}
