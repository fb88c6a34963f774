#include "generator.h"
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

uint64_t now_us(void) {
  struct timespec now;
  clock_gettime(CLOCK_REALTIME, &now);
  return (uint64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

uint64_t monotonic_ns(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (uint64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

uint64_t own_cpu_us(void) {
  struct rusage usage;
  getrusage(RUSAGE_SELF, &usage);
  return (uint64_t)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * 1000000 + usage.ru_utime.tv_usec +
         usage.ru_stime.tv_usec;
}

/* The clock of a process: user and system time of all its threads, in nanoseconds rather than the ticks of /proc. */
static uint64_t process_cpu_us(int pid) {
  clockid_t clock;
  struct timespec time;
  if (clock_getcpuclockid(pid, &clock) != 0 || clock_gettime(clock, &time) != 0) return 0;
  return (uint64_t)time.tv_sec * 1000000 + time.tv_nsec / 1000;
}

static uint64_t process_rss(int pid) {
  char path[64];
  unsigned long size = 0, resident = 0;
  snprintf(path, sizeof path, "/proc/%d/statm", pid);
  FILE *file = fopen(path, "r");
  if (!file) return 0;
  if (fscanf(file, "%lu %lu", &size, &resident) != 2) resident = 0;
  fclose(file);
  return (uint64_t)resident * sysconf(_SC_PAGESIZE);
}

static int pids[MAX_SERVERS], pid_count;

void servers_prepare(void) {
  for (const char *at = options.pids; at && *at; at = strchr(at, ',') ? strchr(at, ',') + 1 : NULL) {
    if (pid_count == MAX_SERVERS) fail("At most %d processes", MAX_SERVERS);
    pids[pid_count++] = atoi(at);
  }
}

int servers(void) { return pid_count; }

uint64_t core_busy_us(void) {
  char line[256], name[16];
  uint64_t user, nice, system, idle, wait, interrupt, soft, steal, busy = 0;
  snprintf(name, sizeof name, "cpu%ld ", options.core);
  FILE *file = fopen("/proc/stat", "r");
  while (file && fgets(line, sizeof line, file)) {
    if (strncmp(line, name, strlen(name)) != 0) continue;
    if (sscanf(line + strlen(name), "%lu %lu %lu %lu %lu %lu %lu %lu", &user, &nice, &system, &idle, &wait, &interrupt,
               &soft, &steal) == 8)
      busy = (user + nice + system + interrupt + soft + steal) * (1000000 / (uint64_t)sysconf(_SC_CLK_TCK));
    break;
  }
  if (file) fclose(file);
  return busy;
}

uint64_t server_cpu_us(uint64_t each[MAX_SERVERS]) {
  uint64_t sum = 0;
  for (int i = 0; i < pid_count; i++) sum += each[i] = process_cpu_us(pids[i]);
  return sum;
}

uint64_t server_rss_bytes(void) {
  uint64_t sum = 0;
  for (int i = 0; i < pid_count; i++) sum += process_rss(pids[i]);
  return sum;
}

/* Steps of 10 us up to a second, then of 1 ms up to a minute. */
#define FINE_US 10
#define FINE_STEPS 100000
#define COARSE_US 1000
#define COARSE_STEPS 60000
static uint64_t fine[FINE_STEPS], coarse[COARSE_STEPS], recorded, greatest;

void latency_record(uint64_t microseconds) {
  if (microseconds < (uint64_t)FINE_US * FINE_STEPS) fine[microseconds / FINE_US]++;
  else {
    uint64_t step = microseconds / COARSE_US;
    coarse[step < COARSE_STEPS ? step : COARSE_STEPS - 1]++;
  }
  recorded++;
  if (microseconds > greatest) greatest = microseconds;
}

void latency_reset(void) {
  memset(fine, 0, sizeof fine);
  memset(coarse, 0, sizeof coarse);
  recorded = greatest = 0;
}

static double percentile(double share) {
  uint64_t wanted = (uint64_t)(share * (double)recorded), seen = 0;
  for (size_t i = 0; i < FINE_STEPS; i++)
    if ((seen += fine[i]) > wanted) return (double)(i * FINE_US + FINE_US / 2) / 1000;
  for (size_t i = 0; i < COARSE_STEPS; i++)
    if ((seen += coarse[i]) > wanted) return (double)(i * COARSE_US) / 1000;
  return (double)greatest / 1000;
}

void latency_write(struct buffer *json) {
  appendf(json, "\"latencyMs\":{\"count\":%lu,\"p50\":%.3f,\"p90\":%.3f,\"p99\":%.3f,\"max\":%.3f}", recorded,
          percentile(0.5), percentile(0.9), percentile(0.99), (double)greatest / 1000);
}
