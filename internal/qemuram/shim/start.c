//go:build linux && cgo

/*
 * A library of Go starts the runtime as soon as it is loaded: its constructor
 * has runtime/cgo create a thread. The linker is told to call this file's
 * function instead (-wrap), which keeps what the thread is to run for later.
 */
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/resource.h>

#include "start.h"

static void *(*thread_function)(void *);
static void *thread_argument;
static pthread_mutex_t starting = PTHREAD_MUTEX_INITIALIZER;
static atomic_int started;
static struct rlimit files; /* as the program has it; 0 is not known */

void __wrap_x_cgo_sys_thread_create(void *(*function)(void *), void *argument)
{
    thread_function = function;
    thread_argument = argument;
}

int lzpage_started(void)
{
    return atomic_load(&started);
}

int lzpage_start(void)
{
    int error = 0;

    pthread_mutex_lock(&starting);
    if (!atomic_load(&started)) {
        pthread_t thread;
        pthread_attr_t attributes;
        sigset_t all, before;

        pthread_attr_init(&attributes);
        pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
        /* signals are for the program's own threads: Go's inherit this mask */
        sigfillset(&all);
        pthread_sigmask(SIG_SETMASK, &all, &before);
        if (thread_function) { /* none in a program, whose runtime runs */
            if (getrlimit(RLIMIT_NOFILE, &files)) {
                files.rlim_max = 0;
            }
            error = pthread_create(&thread, &attributes, thread_function,
                                   thread_argument);
        }
        pthread_sigmask(SIG_SETMASK, &before, NULL);
        pthread_attr_destroy(&attributes);
        atomic_store(&started, !error);
    }
    pthread_mutex_unlock(&starting);
    return error;
}

int lzpage_restore_limit(void)
{
    return files.rlim_max ? setrlimit(RLIMIT_NOFILE, &files) : 0;
}
