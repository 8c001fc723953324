/*
 * A red-black tree with its links in the elements. Equal elements are allowed: a later one stands
 * behind the earlier. Its user's lock guards it; the tree itself allocates nothing.
 *
 * Invariants (rbtree_check() walks them):
 *   1. In-order, no element stands before one that is less than it.
 *   2. A red node has no red child, and the root is black.
 *   3. Every way from the root to a missing child passes the same number of black nodes, so that
 *      no way is more than twice as long as another.
 *   4. A child's parent link names its parent; the root's is NULL.
 */
#ifndef CORE_RBTREE_H
#define CORE_RBTREE_H

#include "core/klib.h"

struct rbtree_node {
	struct rbtree_node *parent, *left, *right;
	bool red;
};

struct rbtree {
	struct rbtree_node *root;
};

/* Whether element `a` belongs before element `b`. */
typedef bool rbtree_less(const struct rbtree_node *a, const struct rbtree_node *b);

/* < 0, 0, > 0: `key` belongs before, at, behind element `node`. */
typedef int rbtree_compare(const void *key, const struct rbtree_node *node);

#define RBTREE_ENTRY(node, type, member) CONTAINER_OF(node, type, member)

static inline bool rbtree_empty(const struct rbtree *tree)
{
	return !tree->root;
}

void rbtree_insert(struct rbtree *tree, struct rbtree_node *node, rbtree_less *less);
void rbtree_erase(struct rbtree *tree, struct rbtree_node *node);

/* In order; NULL where there is none. */
struct rbtree_node *rbtree_first(const struct rbtree *tree);
struct rbtree_node *rbtree_last(const struct rbtree *tree);
struct rbtree_node *rbtree_next(const struct rbtree_node *node);
struct rbtree_node *rbtree_prev(const struct rbtree_node *node);

/* The first element that `key` belongs at or before; NULL if it belongs behind all. */
struct rbtree_node *rbtree_find_from(const struct rbtree *tree, const void *key,
				     rbtree_compare *compare);

/* The first element that `key` belongs at, or NULL. */
struct rbtree_node *rbtree_find(const struct rbtree *tree, const void *key,
				rbtree_compare *compare);

/* Panics if an invariant does not hold. The number of elements. */
size_t rbtree_check(const struct rbtree *tree, rbtree_less *less);

#endif
