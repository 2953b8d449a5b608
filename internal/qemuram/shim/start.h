/* Whether the Go runtime runs, and its start. */
#ifndef LZPAGE_START_H
#define LZPAGE_START_H

/* Returns 1 if Go functions may be called. */
int lzpage_started(void);

/* Starts the Go runtime, unless it runs. Returns 0 or an errno. */
int lzpage_start(void);

/*
 * Undoes what the start of the runtime does to the limit of open files. Returns
 * 0, or -1 if the limit stays as it is.
 */
int lzpage_restore_limit(void);

#endif
