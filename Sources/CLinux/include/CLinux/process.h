#ifndef CLINUX_PROCESS_H
#define CLINUX_PROCESS_H
#include <linux/sched.h>

// No header of the C library is included here: its types would then belong to this module as well as to Glibc.

// Each returns the value of its system call, or -errno.

// pidfd_open(2): a descriptor that becomes readable when the process ends. Has no wrapper in glibc before 2.36.
int clinux_pidfd_open(int pid);
// pidfd_send_signal(2).
int clinux_pidfd_send_signal(int pidfd, int signal);
// setns(2), for the calling thread.
int clinux_setns(int fd, int namespace_type);
// unshare(2), for the calling thread.
int clinux_unshare(int flags);
// sethostname(2).
int clinux_sethostname(const char *name, unsigned long length);
// W* macros of <sys/wait.h>, which Swift cannot import: exit code, or 128 + the signal that ended the process.
int clinux_exit_code(int wait_status);
// Waits for one of `count` blocked signals, `milliseconds` at most. Returns it, 0 when none came, or -errno.
int clinux_wait_signal(const int *signals, int count, long milliseconds);
// POSIX_SPAWN_SETSID, a GNU extension.
int clinux_posix_spawn_setsid(void);
// posix_spawn_file_actions_addchdir_np(3); `actions` points to a posix_spawn_file_actions_t.
int clinux_posix_spawn_addchdir(void *actions, const char *path);
// pthread_setname_np(3) for the calling thread.
void clinux_set_thread_name(const char *name);
// sched_setaffinity(2): keeps the calling thread on one processor. Returns 0 or -errno.
int clinux_pin_thread(int processor);
// The f_type of statfs(2), such as NSFS_MAGIC, or -errno.
long clinux_filesystem_type(const char *path);
// eventfd(2), close-on-exec, and a write of 1 to it.
int clinux_eventfd(void);
void clinux_eventfd_signal(int fd);
#endif
