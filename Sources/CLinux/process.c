#define _GNU_SOURCE
#include "CLinux/process.h"
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <spawn.h>
#include <sys/eventfd.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static int result(long value) { return value < 0 ? -errno : (int)value; }

int clinux_pidfd_open(int pid) { return result(syscall(SYS_pidfd_open, pid, 0)); }

int clinux_pidfd_send_signal(int pidfd, int signal) {
    return result(syscall(SYS_pidfd_send_signal, pidfd, signal, 0, 0));
}

int clinux_setns(int fd, int namespace_type) { return result(syscall(SYS_setns, fd, namespace_type)); }

int clinux_unshare(int flags) { return result(syscall(SYS_unshare, flags)); }

int clinux_sethostname(const char *name, unsigned long length) { return result(sethostname(name, length)); }

int clinux_exit_code(int wait_status) {
    return WIFEXITED(wait_status) ? WEXITSTATUS(wait_status) : 128 + WTERMSIG(wait_status);
}

int clinux_posix_spawn_setsid(void) { return POSIX_SPAWN_SETSID; }

int clinux_posix_spawn_addchdir(void *actions, const char *path) {
    return posix_spawn_file_actions_addchdir_np(actions, path);
}

void clinux_set_thread_name(const char *name) { pthread_setname_np(pthread_self(), name); }

int clinux_pin_thread(int processor) {
    if (processor < 0 || processor >= CPU_SETSIZE) return -EINVAL;
    cpu_set_t set;
    CPU_ZERO(&set);
    CPU_SET(processor, &set);
    return result(sched_setaffinity(0, sizeof set, &set));
}

long clinux_filesystem_type(const char *path) {
    struct statfs status;
    return statfs(path, &status) < 0 ? -errno : (long)status.f_type;
}

int clinux_eventfd(void) { return result(eventfd(0, EFD_CLOEXEC)); }

void clinux_eventfd_signal(int fd) { (void)eventfd_write(fd, 1); }

int clinux_wait_signal(const int *signals, int count, long milliseconds) {
    sigset_t set;
    sigemptyset(&set);
    for (int i = 0; i < count; i++) sigaddset(&set, signals[i]);
    struct timespec timeout = {milliseconds / 1000, milliseconds % 1000 * 1000000};
    int signal = sigtimedwait(&set, 0, &timeout);
    return signal < 0 ? (errno == EAGAIN ? 0 : -errno) : signal;
}
