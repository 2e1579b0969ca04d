/*
 * remove.h - the one way to remove a tree of files
 */
#ifndef REMOVE_H
#define REMOVE_H

/* Removes a directory and all that is in it, through no link. What cannot be
 * removed is warned of, except when it is not there. */
void remove_tree(const char *path);

/* Removes all that is in a directory, except what has this name at its top
 * (NULL: nothing), and leaves the directory. Closes fd, which is one of it. */
void remove_inside(int fd, const char *except);

#endif
