/*
 * An SMTP server that takes mail and throws it away, for what smtp-sink hasn't got: STARTTLS and a
 * login.
 *
 *   sink CERTIFICATE_AND_KEY
 *
 * Prints its port on 127.0.0.1, and ends when its standard input does. A thread a connection;
 * replies leave together once everything that was said is answered (RFC 2920 section 3.2).
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <openssl/ssl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

static SSL_CTX *tls_context;

struct connection {
  int socket;
  SSL *tls; /* NULL before STARTTLS */
  size_t at, end, to_say; /* what is read: in[at..end); what is to be said: out[0..to_say) */
  char in[65536], out[8192];
};

/* The connection is over, for whatever reason: its thread ends. */
_Noreturn static void hang_up(struct connection *peer) {
  if (peer->tls) SSL_free(peer->tls);
  close(peer->socket);
  free(peer);
  pthread_exit(NULL);
}

static void flush(struct connection *peer) {
  for (size_t said = 0; said < peer->to_say;) {
    size_t left = peer->to_say - said;
    ssize_t count = peer->tls ? SSL_write(peer->tls, peer->out + said, (int)left)
                              : send(peer->socket, peer->out + said, left, MSG_NOSIGNAL);
    if (count <= 0) hang_up(peer);
    said += (size_t)count;
  }
  peer->to_say = 0;
}

static void say(struct connection *peer, const char *reply) {
  size_t length = strlen(reply);
  if (peer->to_say + length > sizeof peer->out) flush(peer);
  memcpy(peer->out + peer->to_say, reply, length);
  peer->to_say += length;
}

/* Reads more, behind what is there already. */
static void hear(struct connection *peer) {
  flush(peer);
  if (peer->at) {
    memmove(peer->in, peer->in + peer->at, peer->end - peer->at);
    peer->end -= peer->at;
    peer->at = 0;
  }
  if (peer->end == sizeof peer->in) hang_up(peer); /* a line as long as that */
  size_t room = sizeof peer->in - peer->end;
  ssize_t count = peer->tls ? SSL_read(peer->tls, peer->in + peer->end, (int)room)
                            : recv(peer->socket, peer->in + peer->end, room, 0);
  if (count <= 0) hang_up(peer);
  peer->end += (size_t)count;
}

/* The next line, its end cut off; it stays where it is until the next one is asked for. */
static char *line_of(struct connection *peer) {
  size_t searched = 0;
  for (;;) {
    char *start = peer->in + peer->at;
    char *newline = memchr(start + searched, '\n', peer->end - peer->at - searched);
    if (newline) {
      *newline = '\0';
      if (newline > start && newline[-1] == '\r') newline[-1] = '\0';
      peer->at = (size_t)(newline + 1 - peer->in);
      return start;
    }
    searched = peer->end - peer->at;
    hear(peer);
  }
}

static void greet(struct connection *peer) {
  say(peer, "250-sink\r\n250-8BITMIME\r\n250-ENHANCEDSTATUSCODES\r\n250-PIPELINING\r\n");
  say(peer, peer->tls ? "250-AUTH PLAIN\r\n" : "250-STARTTLS\r\n");
  say(peer, "250 SIZE 0\r\n");
}

static void start_tls(struct connection *peer) {
  say(peer, "220 2.0.0 Ready\r\n");
  flush(peer);
  peer->at = peer->end = 0; /* said in the clear: not to be believed (RFC 3207 section 4.2) */
  peer->tls = SSL_new(tls_context);
  if (!peer->tls || !SSL_set_fd(peer->tls, peer->socket) || SSL_accept(peer->tls) != 1)
    hang_up(peer);
}

static int is(const char *line, const char *verb) {
  return !strncasecmp(line, verb, strlen(verb));
}

static void *serve(void *argument) {
  struct connection *peer = argument;
  say(peer, "220 sink ESMTP\r\n");
  for (;;) {
    char *line = line_of(peer);
    if (is(line, "EHLO") || is(line, "HELO")) {
      greet(peer);
    } else if (is(line, "DATA")) {
      say(peer, "354 End with .\r\n");
      do line = line_of(peer);
      while (line[0] != '.' || line[1]);
      say(peer, "250 2.0.0 Ok\r\n");
    } else if (is(line, "AUTH")) {
      say(peer, "235 2.7.0 Welcome\r\n");
    } else if (is(line, "STARTTLS") && !peer->tls) {
      start_tls(peer);
    } else if (is(line, "MAIL") || is(line, "RCPT") || is(line, "RSET") || is(line, "NOOP")) {
      say(peer, "250 2.0.0 Ok\r\n");
    } else if (is(line, "QUIT")) {
      say(peer, "221 2.0.0 Bye\r\n");
      flush(peer);
      hang_up(peer);
    } else {
      say(peer, "500 5.5.1 What?\r\n");
    }
  }
}

static void *welcome(void *argument) {
  int listening = *(int *)argument;
  for (;;) {
    int socket = accept(listening, NULL, NULL);
    struct connection *peer = socket < 0 ? NULL : calloc(1, sizeof *peer);
    pthread_t thread;
    if (!peer) exit(1);
    setsockopt(socket, IPPROTO_TCP, TCP_NODELAY, &(int){1}, sizeof(int));
    peer->socket = socket;
    if (pthread_create(&thread, NULL, serve, peer)) exit(1);
    pthread_detach(thread);
  }
}

int main(int count, char **arguments) {
  signal(SIGPIPE, SIG_IGN); /* OpenSSL writes without MSG_NOSIGNAL */
  tls_context = SSL_CTX_new(TLS_server_method());
  if (count != 2 || !tls_context ||
      SSL_CTX_use_certificate_chain_file(tls_context, arguments[1]) != 1 ||
      SSL_CTX_use_PrivateKey_file(tls_context, arguments[1], SSL_FILETYPE_PEM) != 1) {
    fputs("usage: sink CERTIFICATE_AND_KEY\n", stderr);
    return 2;
  }
  int listening = socket(AF_INET, SOCK_STREAM, 0);
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
  socklen_t length = sizeof address;
  if (bind(listening, (struct sockaddr *)&address, length) || listen(listening, 128) ||
      getsockname(listening, (struct sockaddr *)&address, &length))
    return 1;
  printf("%d\n", ntohs(address.sin_port));
  fflush(stdout);
  pthread_t thread;
  if (pthread_create(&thread, NULL, welcome, &listening)) return 1;
  char ignored[256];
  while (read(0, ignored, sizeof ignored) > 0) {
  }
  return 0;
}
