/*
 * tables_novice - wrong: names no range, and no reason
 * Exercise: 02-threads/exercise_tables
 * Loses: refused
 * Loses: bad_input
 * Because: expected
 */

/* Build: cc -O2 -pthread -o exercise_tables exercise_tables.c */
#include <ctype.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

/* i use global variables because all threads have to see them */
char *names[100000];   /* the names of the tables */
long secs[100000];     /* how long each takes */
long rows[100000];     /* the result of each */
int how_many = 0;      /* number of tables */
int next = 0;          /* index of the next table that nobody has taken */
long ms = 1000;        /* -m */
long w = 3;            /* -w */
pthread_mutex_t mutex; /* protects next */

/* this function is run by every thread of the pool */
void *thread_function(void *p) {
    int my;             /* the table that is mine */
    struct timespec ts; /* for nanosleep */
    while (1) {
        /* take the lock, look for work, give the lock back */
        pthread_mutex_lock(&mutex);
        my = next;
        next = next + 1;
        pthread_mutex_unlock(&mutex);
        /* is there no more work? then this thread is finished */
        if (my >= how_many) {
            break;
        }
        /* say that we start */
        printf("%s: loading %ld s ...\n", names[my], secs[my]);
        fflush(stdout);
        /* sleep. tv_nsec must be less than 1000000000! */
        ts.tv_sec = secs[my] * ms / 1000;
        ts.tv_nsec = ((secs[my] * ms) % 1000) * 1000000;
        nanosleep(&ts, NULL);
        /* the rows */
        rows[my] = secs[my] * 100;
        printf("%s: loaded\n", names[my]);
        fflush(stdout);
    }
    return p;
}

int main(int argc, char **argv) {
    int i;
    int c;
    char *e;
    pthread_t threads[1000];
    int n;
    struct timespec begin, end;
    double elapsed;

    setvbuf(stdout, NULL, _IOLBF, BUFSIZ);
    /* read the options */
    while ((c = getopt(argc, argv, "w:m:h")) != -1) {
        if (c == 'w') {
            w = strtol(optarg, &e, 10);
            if (*e != 0 || w < 1 || w > 1000) {
                fprintf(stderr, "-w %s: must be between 1 and 1000\n", optarg);
                return 2;
            }
        } else if (c == 'm') {
            ms = strtol(optarg, &e, 10);
            if (*e != 0 || ms < 1 || ms > 60000) {
                fprintf(stderr, "-m %s: must be between 1 and 60000\n", optarg);
                return 2;
            }
        } else if (c == 'h') {
            printf(
                "usage: exercise_tables [-w workers] [-m ms_per_second] [NAME=SECONDS...]\n");
            return 0;
        } else {
            return 2;
        }
    }
    if (optind == argc) {
        /* no tables given, use A B C */
        names[0] = "A";
        secs[0] = 1;
        names[1] = "B";
        secs[1] = 2;
        names[2] = "C";
        secs[2] = 5;
        how_many = 3;
    } else {
        for (i = optind; i < argc && how_many < 100000; i++) {
            char *equal = strchr(argv[i], '=');
            if (equal == NULL || equal == argv[i] ||
                !isdigit((unsigned char)equal[1])) {
                fprintf(stderr, "%s: not NAME=SECONDS\n", argv[i]);
                return 2;
            }
            secs[how_many] = strtol(equal + 1, &e, 10);
            if (*e != 0 || secs[how_many] < 1 || secs[how_many] > 1000) {
                fprintf(stderr, "%s: seconds from 1 to 1000\n", argv[i]);
                return 2;
            }
            *equal = 0; /* cut the string in two */
            names[how_many] = argv[i];
            how_many++;
        }
    }
    clock_gettime(CLOCK_MONOTONIC, &begin);
    pthread_mutex_init(&mutex, NULL);
    n = w;
    if (n > how_many) {
        n = how_many;
    }
    for (i = 0; i < n; i++) {
        if (pthread_create(&threads[i], NULL, thread_function, NULL) != 0) {
            fprintf(stderr, "could not create thread\n");
            exit(1);
        }
    }
    for (i = 0; i < n; i++) {
        pthread_join(threads[i], NULL);
    }
    pthread_mutex_destroy(&mutex);
    clock_gettime(CLOCK_MONOTONIC, &end);
    for (i = 0; i < how_many; i++) {
        printf("result %d: %s has %ld rows\n", i + 1, names[i], rows[i]);
    }
    elapsed = (end.tv_sec - begin.tv_sec) +
              (end.tv_nsec - begin.tv_nsec) / 1000000000.0;
    fprintf(stderr, "%d tables in %.2f s\n", how_many, elapsed);
    if (fflush(stdout) != 0 || ferror(stdout)) {
        fprintf(stderr, "could not write\n");
        return 1;
    }
    return 0;
}
