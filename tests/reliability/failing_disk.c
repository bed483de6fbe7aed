// LD_PRELOAD: the process is killed, or the disk is full from then on, when it changes the files of one folder for the
// n-th time.
//   PREGRAD_DISK_FOLDER  the folder
//   PREGRAD_DISK_EVENT   n, from 1; 0 lets all succeed
//   PREGRAD_DISK_HOW     `kill` or `full`
//   PREGRAD_DISK_COUNT   a file elsewhere, to which the number of changes is written when the process ends by itself

#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <unistd.h>

static atomic_long events;
static const char* folder;
static long failing;
static int kills;

static void count_at_end(void) {
  const char* file = getenv("PREGRAD_DISK_COUNT");
  FILE* stream = file != NULL ? fopen(file, "w") : NULL;
  if (stream != NULL) {
    fprintf(stream, "%ld\n", atomic_load(&events));
    fclose(stream);
  }
}

__attribute__((constructor)) static void begin(void) {
  folder = getenv("PREGRAD_DISK_FOLDER");
  const char* event = getenv("PREGRAD_DISK_EVENT");
  failing = event != NULL ? atol(event) : 0;
  const char* how = getenv("PREGRAD_DISK_HOW");
  kills = how != NULL && strcmp(how, "kill") == 0;
  atexit(count_at_end);
}

static int is_inside(const char* path) {
  return folder != NULL && path != NULL && strncmp(path, folder, strlen(folder)) == 0;
}

static int is_inside_fd(int fd) {
  char link[64];
  char path[PATH_MAX];
  snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
  const ssize_t length = syscall(SYS_readlink, link, path, sizeof path - 1);
  if (length <= 0) {
    return 0;
  }
  path[length] = '\0';
  return is_inside(path);
}

// Whether this change fails. What frees room succeeds on a full disk.
static int fails(int needs_room) {
  const long event = atomic_fetch_add(&events, 1) + 1;
  if (failing == 0 || event < failing) {
    return 0;
  }
  if (kills) {
    syscall(SYS_kill, syscall(SYS_getpid), SIGKILL);
  }
  if (needs_room) {
    errno = ENOSPC;
    return 1;
  }
  return 0;
}

#define NEXT(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

ssize_t write(int fd, const void* bytes, size_t size) {
  return is_inside_fd(fd) && fails(1) ? -1 : syscall(SYS_write, fd, bytes, size);
}
ssize_t pwrite64(int fd, const void* bytes, size_t size, off64_t at) {
  return is_inside_fd(fd) && fails(1) ? -1 : syscall(SYS_pwrite64, fd, bytes, size, at);
}
ssize_t writev(int fd, const struct iovec* parts, int count) {
  return is_inside_fd(fd) && fails(1) ? -1 : syscall(SYS_writev, fd, parts, count);
}
int fsync(int fd) { return is_inside_fd(fd) && fails(1) ? -1 : (int)syscall(SYS_fsync, fd); }
int open64(const char* path, int flags, ...) {
  va_list rest;
  va_start(rest, flags);
  const mode_t mode = (flags & O_CREAT) != 0 ? va_arg(rest, mode_t) : 0;
  va_end(rest);
  if ((flags & O_CREAT) != 0 && is_inside(path) && fails(1)) {
    return -1;
  }
  return (int)syscall(SYS_openat, AT_FDCWD, path, flags, mode);
}
int mkdir(const char* path, mode_t mode) { return is_inside(path) && fails(1) ? -1 : NEXT(mkdir)(path, mode); }
int rename(const char* from, const char* to) { return is_inside(to) && fails(0) ? -1 : NEXT(rename)(from, to); }
int unlink(const char* path) { return is_inside(path) && fails(0) ? -1 : NEXT(unlink)(path); }
int rmdir(const char* path) { return is_inside(path) && fails(0) ? -1 : NEXT(rmdir)(path); }
