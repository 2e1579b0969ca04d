/*
 * remove.c - the one way to remove a tree of files
 *
 * Every name is taken relative to a directory that is open, and none through a
 * link: a program that still runs may put one anywhere at any moment.
 */
#define _GNU_SOURCE
#include "run/remove.h"

#include <dirent.h>
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

enum { AS_DIRECTORY = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC };

void remove_inside(int fd, const char *except) {
    DIR *entries = fd == -1 ? NULL : fdopendir(fd);
    struct dirent *entry;

    while (entries != NULL && (entry = readdir(entries)) != NULL) {
        const char *name = entry->d_name;
        if (strcmp(name, ".") == 0 || strcmp(name, "..") == 0 ||
            (except != NULL && strcmp(name, except) == 0) ||
            unlinkat(fd, name, 0) == 0 || errno == ENOENT)
            continue;
        remove_inside(openat(fd, name, AS_DIRECTORY), NULL);
        if (unlinkat(fd, name, AT_REMOVEDIR) == -1 && errno != ENOENT)
            warn("%s", name);
    }
    if (entries != NULL)
        closedir(entries);
}

void remove_tree(const char *path) {
    remove_inside(open(path, AS_DIRECTORY), NULL);
    if (rmdir(path) == -1 && errno != ENOENT)
        warn("%s", path);
}
