/* SPDX-License-Identifier: Apache-2.0 */
/* One inet_diag message to one record. Pure: bytes in, record out, no socket, no clock. */
#pragma once

#include <stddef.h>
#include <stdint.h>

struct nlmsghdr;
struct sock_record;

/* Parses the payload of a TCPDIAG_GETSOCK or SOCK_DIAG_BY_FAMILY message whose nlmsg_len was
 * already checked against the bytes that are there. The record borrows from the message.
 * 0; -EBADMSG: shorter than struct inet_diag_msg, or an attribute that does not fit;
 * -EAFNOSUPPORT: a family, -EPROTO: a state unknown to us (both are data, not faults: skip). */
int inetdiag_parse(const struct nlmsghdr *message, struct sock_record *ret_record);
