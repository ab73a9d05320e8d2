/* SPDX-License-Identifier: Apache-2.0 */
/* A byte that says which walk it is, then one datagram of it. Sequence number 7, port id 4242. */
#include "collectors/inetdiag_dump.h"

#include <assert.h>
#include <string.h>
#include <sys/socket.h>

#if defined(__SANITIZE_ADDRESS__)
#define HAVE_ASAN 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define HAVE_ASAN 1
#endif
#endif

#ifdef HAVE_ASAN
#include <sanitizer/asan_interface.h>
#else
#define ASAN_POISON_MEMORY_REGION(bytes, n)   ((void)(bytes), (void)(n))
#define ASAN_UNPOISON_MEMORY_REGION(bytes, n) ((void)(bytes), (void)(n))
#endif

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void assert_verdict(const struct sock_batch *batch, enum inetdiag_verdict verdict,
			   enum poll_failure failure)
{
	bool rows = verdict == INETDIAG_VERDICT_ROWS || verdict == INETDIAG_VERDICT_END;

	assert(batch->count <= SOCK_BATCH_RECORDS);
	assert(rows || batch->count == 0);
	assert((verdict == INETDIAG_VERDICT_FAILED) == (failure != POLL_FAILURE_NONE));
	for (unsigned int i = 0; i < batch->count; i++)
		assert(sock_state_name(batch->records[i].state));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const uint8_t families[] = {AF_UNSPEC, AF_INET, AF_INET6};
	static struct sock_batch batch;
	enum poll_failure failure = POLL_FAILURE_NONE;
	enum inetdiag_verdict verdict;
	struct inetdiag_dump d;
	size_t n = size - 1;

	if (size == 0 || n > sizeof(batch.bytes))
		return 0;
	inetdiag_dump_init(&d, SOCK_STATES_ALL, 0);
	d.family = families[data[0] % sizeof(families)];
	d.sequence = 7;
	d.socket.port_id = 4242;
	memcpy(batch.bytes, data + 1, n);
	ASAN_POISON_MEMORY_REGION(batch.bytes + n, sizeof(batch.bytes) - n);
	verdict = inetdiag_dump_digest(&d, &batch, n, &failure);
	ASAN_UNPOISON_MEMORY_REGION(batch.bytes, sizeof(batch.bytes));
	assert_verdict(&batch, verdict, failure);
	return 0;
}
