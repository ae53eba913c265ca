// SPDX-License-Identifier: Apache-2.0
/// Runs a command, and prints a line with what it took of the host after what the command prints. The status
/// is the command's, or 128 and the number of the signal that ended it.
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>

int main(int argc, char** argv) {
  if (argc < 2) {
    std::fprintf(stderr, "Usage: %s COMMAND [ARGUMENTS]\n", argv[0]);
    return 2;
  }
  const auto child = fork();
  if (child == 0) {
    execvp(argv[1], argv + 1);
    std::perror(argv[1]);
    _exit(127);
  }
  int status = 0;
  rusage used{};
  if (child < 0 || wait4(child, &status, 0, &used) != child) {
    std::perror(argv[0]);
    return 1;
  }
  const auto seconds = [](const timeval& t) {
    return static_cast<double>(t.tv_sec) + 1e-6 * static_cast<double>(t.tv_usec);
  };
  std::printf("%.2f CPU seconds (%.2f user), peak memory %.0f MiB\n",
              seconds(used.ru_utime) + seconds(used.ru_stime), seconds(used.ru_utime),
              static_cast<double>(used.ru_maxrss) / 1024);
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}
