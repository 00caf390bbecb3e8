/* Looks names up as any C program does: one line for each `FAMILY NAME` of the arguments, addresses or what went wrong. */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <netdb.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

int main(int argc, char **argv) {
  for (int i = 1; i + 1 < argc; i += 2) {
    struct addrinfo hints = {0}, *found = NULL;
    hints.ai_socktype = SOCK_STREAM;
    hints.ai_family = argv[i][0] == '4' ? AF_INET : argv[i][0] == '6' ? AF_INET6 : AF_UNSPEC;
    int error = getaddrinfo(argv[i + 1], NULL, &hints, &found);
    printf("%s %s", argv[i], argv[i + 1]);
    if (error == EAI_AGAIN) printf(" again");
    else if (error != 0) printf(" none");
    for (struct addrinfo *each = found; each; each = each->ai_next) {
      char text[INET6_ADDRSTRLEN];
      const void *address = each->ai_family == AF_INET ? (void *)&((struct sockaddr_in *)each->ai_addr)->sin_addr
                                                       : (void *)&((struct sockaddr_in6 *)each->ai_addr)->sin6_addr;
      printf(" %s", inet_ntop(each->ai_family, address, text, sizeof text));
    }
    printf("\n");
    if (found) freeaddrinfo(found);
  }
  return 0;
}
