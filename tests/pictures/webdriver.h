/*
 * webdriver.h - a browser without a screen, told what to do by WebDriver
 *
 * WebDriver (a W3C recommendation) is HTTP and JSON. All functions end this
 * process by errx() when the driver does not answer as it should: without it
 * there is nothing to find out.
 */
#ifndef WEBDRIVER_H
#define WEBDRIVER_H

#include <jansson.h>
#include <stddef.h>

struct browser;

/* Starts chromedriver and a headless Chromium. */
struct browser *browser_open(void);

/* Ends both. */
void browser_close(struct browser *);

/* Loads a page and waits for its load event; gives the window this size. */
void browser_load(struct browser *, const char *url, int width, int height);

/* Runs a script as the body of a function and returns what it returns; one that
 * waits calls arguments[0] with it in the end, within two minutes. The caller
 * gives the value back by json_decref(). */
json_t *browser_run(struct browser *, const char *script);
json_t *browser_wait(struct browser *, const char *script);

/* Writes a picture of the window as PNG. */
void browser_screenshot(struct browser *, const char *path);

/* How many errors the console has had since the last call; the first of them
 * goes to text. */
size_t browser_errors(struct browser *, char *text, size_t size);

#endif
