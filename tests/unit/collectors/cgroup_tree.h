/* SPDX-License-Identifier: Apache-2.0 */
/* A few cgroups that a test makes, and a walk that is to come by them among all others. */
#pragma once

#include <limits.h>

#include "collectors/cgroup_walk.h"
#include "tests/support/test_support.h"

/* The suite's: ends when what the test has made is gone. */
void cgroup_tree_clean_up(void);

/* A new directory below the root of the hierarchy, and in it "/a", "/a/b", "/a/b/c",
 * "/a/d.service",
 * "/e", "/f" and a name that is no text; itself it is "". False: not here, which was said. */
bool cgroup_tree_make(void);
/* A mount namespace of the test's own, in which it may cover what it likes. False: as above. */
bool cgroup_tree_enter_mounts(void);

/* Of one of ours, in the file system. */
void cgroup_tree_path(const char *name, char ret_path[PATH_MAX]);
void cgroup_tree_remove(const char *name);
/* How often the walk came by it. */
int *cgroup_tree_seen(const char *name);

/* Begins W, and forgets what was seen. */
void cgroup_tree_start(struct cgroup_walk *w);
/* One call with so much budget, whose result is held against what is there. */
void cgroup_tree_step(struct cgroup_walk *w, unsigned int budget);
/* Until it has come by NAME of ours; NULL: to its end. */
void cgroup_tree_walk(struct cgroup_walk *w, unsigned int budget, const char *name);

/* All of ours once, but for those that begin with MISSING; NULL: for none. */
void cgroup_tree_expect_all(const char *missing);
void cgroup_tree_expect_ended(struct cgroup_walk *w);
