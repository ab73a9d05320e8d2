/* SPDX-License-Identifier: Apache-2.0 */
/* Records of sockets made by hand, to say what no kernel of ours says. */
#pragma once

#include <stdint.h>

#include "daemon/core/sock.h"

/* The longest tcp_info of a kernel to come. */
#define TEST_TCP_INFO_MAX 320

/* A record with the bytes that it borrows: it must not be copied or moved. */
struct test_record {
	struct sock_record record;
	uint8_t tcp_info[TEST_TCP_INFO_MAX] __attribute__((aligned(8)));
	uint32_t skmem[16];
};

/* A socket of STATE with an inode of its own and without attributes. Ends as ss prints them:
 * "10.0.0.1:80", "[fe80::1]:80", "*:80", with "%7" before the colon for device 7. */
void test_record_init(struct test_record *r, unsigned int state, const char *local,
		      const char *remote);

/* Gives it LEN bytes of tcp_info, or skmem of COUNT words, all 0. */
void test_record_add_tcp_info(struct test_record *r, unsigned int len);
void test_record_add_skmem(struct test_record *r, unsigned int count);
/* Writes a value of WIDTH bytes into tcp_info. */
void test_record_set(struct test_record *r, unsigned int offset, unsigned int width,
		     uint64_t value);
