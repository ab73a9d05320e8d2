/* SPDX-License-Identifier: Apache-2.0 */
/* The verifier's thread under the thread sanitizer: submits while others end, and ends amid work.
 */
#include "daemon/http_verifier.h"

#include <stdio.h>

#include "daemon/util/macros.h"

#define UU     "$2a$04$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW"
#define ROUNDS 20

static unsigned int ended;

static void on_ended(struct http_verifier *verifier, struct http_check *check)
{
	(void)verifier;
	check->password[0] = '\0';
	ended++;
}

static int work(struct http_verifier *v, struct loop *loop)
{
	static struct http_check checks[ROUNDS];

	for (int i = 0; i < ROUNDS; i++) {
		checks[i] = (struct http_check){.hash = UU, .password = "U*U"};
		if (http_verifier_submit(v, &checks[i]) < 0)
			return 1;
		if (i % 4 == 3 && loop_turn(loop, 20000) < 0)
			return 1;
	}
	http_verifier_done(v);
	return ended != ROUNDS;
}

int main(void)
{
	struct http_verifier v;
	struct loop loop;
	int failed;

	if (loop_init(&loop) < 0 || http_verifier_init(&v, &loop, on_ended) < 0)
		return 1;
	failed = work(&v, &loop);
	loop_done(&loop);
	printf("%u of %d ended\n", ended, ROUNDS);
	return failed;
}
