/*
 * record - a record is copied while another thread writes it
 * Build: cc -pthread -o record record.c
 * Usage: ./record
 */
#include <pthread.h>
#include <stdio.h>
#include <string.h>

struct record {
    long number;
    char name[8];
    long check;
};

static struct record current = {1, "one", 1};

static void *set(void *arg) {
    struct record two = {2, "two", 2};

    memcpy(&current, &two, sizeof current);
    return arg;
}

int main(void) {
    pthread_t thread;
    struct record copy;

    pthread_create(&thread, NULL, set, NULL);
    memcpy(&copy, &current, sizeof copy);
    pthread_join(thread, NULL);
    puts(copy.number == copy.check ? "whole" : "torn");
    return 0;
}
