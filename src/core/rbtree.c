/*
 * Red-black trees: a binary search tree whose nodes are coloured so that it stays balanced. See
 * rbtree.h for the invariants.
 *
 * An insertion can break only invariant 2 and an erasure only invariant 3, each at one place; the
 * fault is moved towards the root by recolouring until at most three rotations mend it.
 */
#include "core/rbtree.h"

static bool is_red(const struct rbtree_node *node)
{
	return node && node->red;
}

/* Puts `to` (may be NULL) where `from` hangs. */
static void replace_child(struct rbtree *tree, struct rbtree_node *from, struct rbtree_node *to)
{
	struct rbtree_node *parent = from->parent;

	if (!parent)
		tree->root = to;
	else if (parent->left == from)
		parent->left = to;
	else
		parent->right = to;
	if (to)
		to->parent = parent;
}

/* Turns the edge to the right child over: the child becomes the parent. */
static void rotate_left(struct rbtree *tree, struct rbtree_node *node)
{
	struct rbtree_node *child = node->right;

	replace_child(tree, node, child);
	node->right = child->left;
	if (node->right)
		node->right->parent = node;
	child->left = node;
	node->parent = child;
}

static void rotate_right(struct rbtree *tree, struct rbtree_node *node)
{
	struct rbtree_node *child = node->left;

	replace_child(tree, node, child);
	node->left = child->right;
	if (node->left)
		node->left->parent = node;
	child->right = node;
	node->parent = child;
}

/* `node` is red and may have a red parent: mends invariant 2. */
static void mend_insertion(struct rbtree *tree, struct rbtree_node *node)
{
	while (is_red(node->parent)) {
		struct rbtree_node *parent = node->parent;
		struct rbtree_node *grandparent = parent->parent;
		bool left = parent == grandparent->left;
		struct rbtree_node *uncle = left ? grandparent->right : grandparent->left;

		if (is_red(uncle)) {
			parent->red = uncle->red = false;
			grandparent->red = true;
			node = grandparent;
			continue;
		}
		if (left && node == parent->right) {
			rotate_left(tree, parent);
			parent = node;
		} else if (!left && node == parent->left) {
			rotate_right(tree, parent);
			parent = node;
		}
		parent->red = false;
		grandparent->red = true;
		if (left)
			rotate_right(tree, grandparent);
		else
			rotate_left(tree, grandparent);
		break;
	}
	tree->root->red = false;
}

void rbtree_insert(struct rbtree *tree, struct rbtree_node *node, rbtree_less *less)
{
	struct rbtree_node **place = &tree->root, *parent = NULL;

	while (*place) {
		parent = *place;
		place = less(node, parent) ? &parent->left : &parent->right;
	}
	node->parent = parent;
	node->left = node->right = NULL;
	node->red = true;
	*place = node;
	mend_insertion(tree, node);
}

/*
 * The ways through `parent`'s left child (`left`) or right child miss one black node. One round:
 * true if the fault is now at `parent` itself.
 */
static bool mend_erasure(struct rbtree *tree, struct rbtree_node *parent, bool left)
{
	struct rbtree_node *sibling = left ? parent->right : parent->left;
	struct rbtree_node *far;

	if (sibling->red) {
		sibling->red = false;
		parent->red = true;
		if (left)
			rotate_left(tree, parent);
		else
			rotate_right(tree, parent);
		sibling = left ? parent->right : parent->left;
	}
	if (!is_red(sibling->left) && !is_red(sibling->right)) {
		sibling->red = true;
		return true;
	}
	far = left ? sibling->right : sibling->left;
	if (!is_red(far)) {
		sibling->red = true;
		if (left)
			rotate_right(tree, sibling);
		else
			rotate_left(tree, sibling);
		far = sibling;
		sibling = sibling->parent;
		sibling->red = false;
	}
	sibling->red = parent->red;
	parent->red = far->red = false;
	if (left)
		rotate_left(tree, parent);
	else
		rotate_right(tree, parent);
	return false;
}

/* Puts `node`'s successor, which has no left child, into its place and colour. */
static void replace_by_successor(struct rbtree *tree, struct rbtree_node *node,
				 struct rbtree_node *successor)
{
	replace_child(tree, node, successor);
	successor->red = node->red;
	successor->left = node->left;
	successor->left->parent = successor;
	successor->right = node->right;
	if (successor->right)
		successor->right->parent = successor;
}

void rbtree_erase(struct rbtree *tree, struct rbtree_node *node)
{
	struct rbtree_node *gone = node; /* the node that leaves its place in the tree */
	struct rbtree_node *child, *parent;
	bool left, was_red;

	if (node->left && node->right) {
		gone = node->right;
		while (gone->left)
			gone = gone->left;
	}
	child = gone->left ? gone->left : gone->right;
	parent = gone->parent;
	left = parent && parent->left == gone;
	was_red = gone->red;
	replace_child(tree, gone, child);
	if (gone != node) {
		replace_by_successor(tree, node, gone);
		if (parent == node)
			parent = gone;
	}
	node->parent = node->left = node->right = NULL;
	if (was_red)
		return;
	while (parent && !is_red(child)) {
		if (!mend_erasure(tree, parent, left))
			return;
		child = parent;
		parent = child->parent;
		left = parent && parent->left == child;
	}
	if (child)
		child->red = false;
}

struct rbtree_node *rbtree_first(const struct rbtree *tree)
{
	struct rbtree_node *node = tree->root;

	while (node && node->left)
		node = node->left;
	return node;
}

struct rbtree_node *rbtree_last(const struct rbtree *tree)
{
	struct rbtree_node *node = tree->root;

	while (node && node->right)
		node = node->right;
	return node;
}

struct rbtree_node *rbtree_next(const struct rbtree_node *node)
{
	struct rbtree_node *up;

	if (node->right) {
		const struct rbtree right = {node->right};

		return rbtree_first(&right);
	}
	for (up = node->parent; up && node == up->right; up = node->parent)
		node = up;
	return up;
}

struct rbtree_node *rbtree_prev(const struct rbtree_node *node)
{
	struct rbtree_node *up;

	if (node->left) {
		const struct rbtree left = {node->left};

		return rbtree_last(&left);
	}
	for (up = node->parent; up && node == up->left; up = node->parent)
		node = up;
	return up;
}

struct rbtree_node *rbtree_find_from(const struct rbtree *tree, const void *key,
				     rbtree_compare *compare)
{
	struct rbtree_node *node = tree->root, *found = NULL;

	while (node) {
		if (compare(key, node) <= 0) {
			found = node;
			node = node->left;
		} else {
			node = node->right;
		}
	}
	return found;
}

struct rbtree_node *rbtree_find(const struct rbtree *tree, const void *key,
				rbtree_compare *compare)
{
	struct rbtree_node *node = rbtree_find_from(tree, key, compare);

	return node && compare(key, node) == 0 ? node : NULL;
}

/* The number of black nodes on the ways below `node`; counts elements. */
static size_t check_subtree(const struct rbtree_node *node, size_t *count)
{
	size_t black;

	if (!node)
		return 0;
	ASSERT(!node->red || (!is_red(node->left) && !is_red(node->right)));
	ASSERT(!node->left || node->left->parent == node);
	ASSERT(!node->right || node->right->parent == node);
	black = check_subtree(node->left, count);
	ASSERT(check_subtree(node->right, count) == black);
	(*count)++;
	return black + !node->red;
}

size_t rbtree_check(const struct rbtree *tree, rbtree_less *less)
{
	const struct rbtree_node *node = rbtree_first(tree), *next;
	size_t count = 0;

	ASSERT(!tree->root || (!tree->root->red && !tree->root->parent));
	check_subtree(tree->root, &count);
	for (; node; node = next) {
		next = rbtree_next(node);
		ASSERT(!next || !less(next, node));
	}
	return count;
}
