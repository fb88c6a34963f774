/* Asks the kernel for the state of the other end of a connection on this machine. */
#include "generator.h"
#include <arpa/inet.h>
#include <errno.h>
#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/sock_diag.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define ESTABLISHED 1

/*
 * A client that never reads does not see an end that waits behind what it has not read. So the server's socket is
 * looked up: once the server has closed it, it is not established any more, or gone.
 */
bool peer_established(const char *host, int server_port, int own_port) {
  static int netlink = -1;
  if (netlink < 0) netlink = socket(AF_NETLINK, SOCK_DGRAM | SOCK_CLOEXEC, NETLINK_SOCK_DIAG);
  if (netlink < 0) fail("No netlink socket: %s", strerror(errno));
  struct {
    struct nlmsghdr header;
    struct inet_diag_req_v2 request;
  } question = {
      .header = {.nlmsg_len = sizeof question, .nlmsg_type = SOCK_DIAG_BY_FAMILY, .nlmsg_flags = NLM_F_REQUEST},
      .request = {.sdiag_family = AF_INET, .sdiag_protocol = IPPROTO_TCP, .idiag_states = ~0u},
  };
  struct inet_diag_sockid *id = &question.request.id;
  id->idiag_sport = htons((uint16_t)server_port);
  id->idiag_dport = htons((uint16_t)own_port);
  inet_pton(AF_INET, host, id->idiag_src);
  inet_pton(AF_INET, host, id->idiag_dst);
  id->idiag_cookie[0] = id->idiag_cookie[1] = INET_DIAG_NOCOOKIE;
  if (send(netlink, &question, sizeof question, 0) < 0) fail("Netlink: %s", strerror(errno));

  _Alignas(struct nlmsghdr) char answer[8192];
  ssize_t length = recv(netlink, answer, sizeof answer, 0);
  const struct nlmsghdr *header = (const void *)answer;
  if (length < (ssize_t)NLMSG_LENGTH(sizeof(struct inet_diag_msg)) || header->nlmsg_type != SOCK_DIAG_BY_FAMILY) return false;
  const struct inet_diag_msg *found = NLMSG_DATA(header);
  return found->idiag_state == ESTABLISHED;
}
