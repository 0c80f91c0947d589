/* What meari bench does not tell of a TCP server on Linux: how fast it takes connections, what memory an idle one costs,
 * and how evenly many are answered.
 *
 * usage: connections PORT COUNT SECONDS PID
 * Opens COUNT connections to 127.0.0.1, each answered once; that is "accepts_per_s". With the PID of the server, tells
 * how its memory grew by that: "bytes_per_connection". With SECONDS, keeps one message in flight on each for so long:
 * "messages_per_s", and "fairness", the 5th percentile of answers per connection over their median. */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum {
  SIZE = 64,
  OPENING = 64,  /* At once: a longer queue than this may not fit into a server's backlog. */
  FIRST = 100,   /* Opened, answered and closed before anything is measured: a server that compiles has done so then. */
  LONGEST = 60,  /* Seconds that it may take besides SECONDS. */
};
#define WARMUP 0.3

struct connection {
  int fd, received;
  long answers;
};

static int epoll;
static struct sockaddr_in server = {.sin_family = AF_INET};

static void fail(const char *what) {
  fprintf(stderr, "%s: %s\n", what, strerror(errno));
  exit(1);
}

static double now(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return time.tv_sec + time.tv_nsec / 1e9;
}

static void ask(struct connection *connection) {
  static const char message[SIZE] = "The server answers this with the same bytes, and no others.";
  if (send(connection->fd, message, SIZE, MSG_NOSIGNAL) != SIZE) fail("send");
}

static void start(struct connection *connection) {
  int on = 1;
  connection->fd = socket(AF_INET, SOCK_STREAM, 0);
  if (connection->fd < 0) fail("socket");
  if (connect(connection->fd, (struct sockaddr *)&server, sizeof server)) fail("connect");
  setsockopt(connection->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  struct epoll_event event = {.events = EPOLLIN, .data.ptr = connection};
  if (epoll_ctl(epoll, EPOLL_CTL_ADD, connection->fd, &event)) fail("epoll_ctl");
  ask(connection);
}

/* Takes answers until a time, or until there are so many, and does what follows from each. */
static long take_answers(double until, long most, void (*answered)(struct connection *)) {
  static char buffer[SIZE];
  struct epoll_event events[256];
  long taken = 0;
  while (taken < most && now() < until) {
    int count = epoll_wait(epoll, events, 256, 100);
    for (int i = 0; i < count; i++) {
      struct connection *connection = events[i].data.ptr;
      ssize_t length = recv(connection->fd, buffer, SIZE - connection->received, 0);
      if (length == 0) errno = EPIPE;
      if (length <= 0) fail("recv");
      connection->received += length;
      if (connection->received < SIZE) continue;
      connection->received = 0;
      connection->answers++;
      taken++;
      answered(connection);
    }
  }
  return taken;
}

static struct connection *next, *last;

static void start_next(struct connection *answered) {
  (void)answered;
  if (next < last) start(next++);
}

/* Opens connections, each of which is answered once, and tells how long that took. */
static double open_all(struct connection *connections, int count) {
  double begun = now();
  next = connections;
  last = connections + count;
  for (int i = 0; i < OPENING; i++) start_next(NULL);
  take_answers(1e12, count, start_next);
  return now() - begun;
}

static long memory_of(int pid) {
  char path[64], line[256];
  long kilobytes = -1;
  snprintf(path, sizeof path, "/proc/%d/status", pid);
  FILE *file = fopen(path, "r");
  if (!file) fail(path);
  while (fgets(line, sizeof line, file)) sscanf(line, "VmRSS: %ld kB", &kilobytes);
  fclose(file);
  return kilobytes * 1024;
}

static int by_answers(const void *a, const void *b) {
  long x = ((const struct connection *)a)->answers, y = ((const struct connection *)b)->answers;
  return (x > y) - (x < y);
}

int main(int argc, char **argv) {
  if (argc != 5) return 2;
  server.sin_port = htons(atoi(argv[1]));
  server.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  int count = atoi(argv[2]), pid = atoi(argv[4]);
  double seconds = atof(argv[3]);
  alarm(LONGEST + (unsigned)seconds);
  epoll = epoll_create1(0);

  struct connection *first = calloc(FIRST, sizeof *first), *connections = calloc(count, sizeof *connections);
  open_all(first, FIRST);
  for (int i = 0; i < FIRST; i++) close(first[i].fd);
  usleep(200000);

  long before = pid ? memory_of(pid) : 0;
  printf("{\"accepts_per_s\":%.1f", count / open_all(connections, count));
  if (pid) {
    usleep(300000);
    printf(",\"bytes_per_connection\":%.1f", (double)(memory_of(pid) - before) / count);
  }
  if (seconds > 0) {
    for (int i = 0; i < count; i++) ask(&connections[i]);
    take_answers(now() + WARMUP, 1L << 62, ask);
    for (int i = 0; i < count; i++) connections[i].answers = 0;
    double begun = now();
    long taken = take_answers(begun + seconds, 1L << 62, ask);
    printf(",\"messages_per_s\":%.1f", taken / (now() - begun));
    qsort(connections, count, sizeof *connections, by_answers);
    long median = connections[count / 2].answers;
    printf(",\"fairness\":%.4f", median ? (double)connections[count / 20].answers / median : 0.0);
  }
  printf("}\n");
  return 0;
}
