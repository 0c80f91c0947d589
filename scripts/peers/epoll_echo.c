/* Plain C's echo over TCP and UDP on Linux: one thread, level-triggered epoll, one buffer for all. Prints the two ports. */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

/* What a client has not taken yet; until it has, nothing more is read from it. */
struct rest {
  char *bytes;
  size_t length, done;
};

static char buffer[1 << 16];
static struct rest *rests; /* By descriptor. */
static int epoll;

static void watch(int operation, int fd, unsigned events) {
  struct epoll_event event = {.events = events, .data.fd = fd};
  epoll_ctl(epoll, operation, fd, &event);
}

static void end(int fd) {
  free(rests[fd].bytes);
  rests[fd].bytes = NULL;
  close(fd);
}

static void serve(int fd) {
  ssize_t length = recv(fd, buffer, sizeof buffer, 0);
  if (length < 0 && errno == EAGAIN) return;
  if (length <= 0) return end(fd);
  ssize_t sent = send(fd, buffer, length, 0);
  if (sent < 0 && errno != EAGAIN) return end(fd);
  if (sent < 0) sent = 0;
  if (sent == length) return;
  rests[fd] = (struct rest){malloc(length - sent), length - sent, 0};
  memcpy(rests[fd].bytes, buffer + sent, length - sent);
  watch(EPOLL_CTL_MOD, fd, EPOLLOUT);
}

static void send_rest(int fd) {
  struct rest *rest = &rests[fd];
  ssize_t sent = send(fd, rest->bytes + rest->done, rest->length - rest->done, 0);
  if (sent < 0 && errno == EAGAIN) return;
  if (sent < 0) return end(fd);
  rest->done += sent;
  if (rest->done < rest->length) return;
  free(rest->bytes);
  rest->bytes = NULL;
  watch(EPOLL_CTL_MOD, fd, EPOLLIN);
}

static void accept_one(int listener) {
  int fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK), on = 1;
  if (fd < 0) return;
  setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  watch(EPOLL_CTL_ADD, fd, EPOLLIN);
}

static void answer_datagrams(int socket) {
  struct sockaddr_in from;
  socklen_t size = sizeof from;
  ssize_t length;
  while ((length = recvfrom(socket, buffer, sizeof buffer, 0, (struct sockaddr *)&from, &size)) >= 0) {
    sendto(socket, buffer, length, 0, (struct sockaddr *)&from, size);
    size = sizeof from;
  }
}

static int port_of(int socket) {
  struct sockaddr_in address;
  socklen_t size = sizeof address;
  if (getsockname(socket, (struct sockaddr *)&address, &size)) exit(1);
  return ntohs(address.sin_port);
}

int main(void) {
  struct sockaddr_in any = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  int tcp = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0), udp = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0);
  if (bind(tcp, (struct sockaddr *)&any, sizeof any) || listen(tcp, 4096) ||
      bind(udp, (struct sockaddr *)&any, sizeof any)) {
    perror("epoll_echo");
    return 1;
  }
  signal(SIGPIPE, SIG_IGN);
  rests = calloc(sysconf(_SC_OPEN_MAX), sizeof *rests);
  epoll = epoll_create1(0);
  watch(EPOLL_CTL_ADD, tcp, EPOLLIN);
  watch(EPOLL_CTL_ADD, udp, EPOLLIN);
  printf("%d %d\n", port_of(tcp), port_of(udp));
  fflush(stdout);
  for (struct epoll_event events[256];;) {
    int count = epoll_wait(epoll, events, 256, -1);
    for (int i = 0; i < count; i++) {
      int fd = events[i].data.fd;
      if (fd == tcp) accept_one(tcp);
      else if (fd == udp) answer_datagrams(udp);
      else if (rests[fd].bytes) send_rest(fd);
      else serve(fd);
    }
  }
}
