/*
 * Sparse arrays of pages.
 *
 * All leaves are at one depth. A node is nothing but its slots, so that it fills its kmalloc block;
 * whether it is empty is found by looking at them, which only page_tree_drop() has to. The leaf
 * that was found last is remembered: neighbouring pages are looked up together.
 *
 * Invariants:
 *   1. A node other than the root has at least one slot that is not NULL.
 *   2. The root is NULL if and only if count is 0; then height is 0, too.
 *   3. `leaf` is NULL or a leaf of the tree. It is forgotten whenever a node is freed.
 */
#include "core/page_tree.h"

#include "core/sched.h"
#include "core/slab.h"

#define CLEAR_BATCH 4096 /* pages between points where others may run */

/* Pages [first, end). */
struct run {
	uint64_t first, end;
};

struct page_tree_node {
	void *slots[PAGE_TREE_SLOTS]; /* struct page in a leaf, else struct page_tree_node */
};

/* How many indices one slot of a node covers; `height` counts from 1 at the leaves. */
static unsigned slot_shift(uint32_t height)
{
	return (height - 1) * PAGE_TREE_BITS;
}

static unsigned slot_of(uint64_t index, uint32_t height)
{
	return (unsigned)(index >> slot_shift(height)) & (PAGE_TREE_SLOTS - 1);
}

static bool index_fits(uint64_t index, uint32_t height)
{
	unsigned bits = height * PAGE_TREE_BITS;

	return bits >= 64 || index >> bits == 0;
}

/* The leaf that `index` belongs in, or NULL. */
static struct page_tree_node *find_leaf(struct page_tree *tree, uint64_t index)
{
	uint64_t first = ALIGN_DOWN(index, PAGE_TREE_SLOTS);
	struct page_tree_node *node = tree->root;

	if (tree->leaf && tree->leaf_first == first)
		return tree->leaf;
	if (!node || !index_fits(index, tree->height))
		return NULL;
	for (uint32_t height = tree->height; node && height > 1; height--)
		node = node->slots[slot_of(index, height)];
	if (node) {
		tree->leaf = node;
		tree->leaf_first = first;
	}
	return node;
}

struct page *page_tree_find(struct page_tree *tree, uint64_t index)
{
	struct page_tree_node *leaf = find_leaf(tree, index);

	return leaf ? leaf->slots[slot_of(index, 1)] : NULL;
}

/* Adds levels above the root until `index` fits. On failure the tree is valid, but higher. */
static int grow(struct page_tree *tree, uint64_t index)
{
	while (!index_fits(index, tree->height)) {
		struct page_tree_node *node = kmalloc(sizeof(*node));

		if (!node)
			return -ENOMEM;
		node->slots[0] = tree->root;
		tree->root = node;
		tree->height++;
	}
	return 0;
}

/* Frees a node that has become useless on a failed insertion: those without any slot in use. */
static void trim(struct page_tree *tree, struct page_tree_node **link, uint64_t index,
		 uint32_t height)
{
	struct page_tree_node *node = *link;

	if (!node)
		return;
	if (height > 1)
		trim(tree, (struct page_tree_node **)&node->slots[slot_of(index, height)], index,
		     height - 1);
	for (unsigned i = 0; i < PAGE_TREE_SLOTS; i++)
		if (node->slots[i])
			return;
	kfree(node);
	*link = NULL;
	tree->leaf = NULL;
}

int page_tree_insert(struct page_tree *tree, uint64_t index, struct page *page)
{
	struct page_tree_node *leaf = find_leaf(tree, index);
	struct page_tree_node **link = &tree->root;
	uint32_t height;

	ASSERT(index < PAGE_TREE_INDEX_END);
	if (!leaf) {
		if (!tree->root)
			tree->height = 1;
		while (tree->root == NULL && !index_fits(index, tree->height))
			tree->height++;
		if (grow(tree, index))
			goto no_memory;
		for (height = tree->height; height > 0; height--) {
			if (!*link)
				*link = kmalloc(sizeof(**link));
			if (!*link)
				goto no_memory;
			leaf = *link;
			link = (struct page_tree_node **)&leaf->slots[slot_of(index, height)];
		}
		tree->leaf = leaf;
		tree->leaf_first = ALIGN_DOWN(index, PAGE_TREE_SLOTS);
	}
	ASSERT(!leaf->slots[slot_of(index, 1)]);
	leaf->slots[slot_of(index, 1)] = page;
	tree->count++;
	return 0;

no_memory:
	trim(tree, &tree->root, index, tree->height);
	if (!tree->root)
		tree->height = 0;
	return -ENOMEM;
}

struct page *page_tree_replace(struct page_tree *tree, uint64_t index, struct page *page)
{
	struct page_tree_node *leaf = find_leaf(tree, index);
	struct page *old;

	ASSERT(leaf && leaf->slots[slot_of(index, 1)]);
	old = leaf->slots[slot_of(index, 1)];
	leaf->slots[slot_of(index, 1)] = page;
	return old;
}

/* The first page at or behind `*index` below a node whose first index is `first`. */
static struct page *next_below(const struct page_tree_node *node, uint32_t height, uint64_t first,
			       uint64_t *index)
{
	unsigned from = *index > first ? slot_of(*index, height) : 0;

	for (unsigned i = from; i < PAGE_TREE_SLOTS; i++) {
		uint64_t slot_first = first + ((uint64_t)i << slot_shift(height));
		struct page *page = node->slots[i];

		if (page && height > 1)
			page = next_below(node->slots[i], height - 1, slot_first, index);
		else if (page)
			*index = slot_first;
		if (page)
			return page;
	}
	return NULL;
}

struct page *page_tree_next(struct page_tree *tree, uint64_t *index)
{
	if (!tree->root || !index_fits(*index, tree->height))
		return NULL;
	return next_below(tree->root, tree->height, 0, index);
}

uint64_t page_tree_count(struct page_tree *tree, uint64_t first, uint64_t end)
{
	uint64_t count = 0;

	while (page_tree_next(tree, &first) && first < end) {
		count++;
		first++;
	}
	return count;
}

/* Drops what `run` has below a node whose first index is `base`. True: the node is empty now. */
static bool drop_below(struct page_tree *tree, struct page_tree_node *node, uint32_t height,
		       uint64_t base, const struct run *run)
{
	bool empty = true;

	for (unsigned i = 0; i < PAGE_TREE_SLOTS; i++) {
		uint64_t slot_first = base + ((uint64_t)i << slot_shift(height));
		uint64_t slot_end = slot_first + (1ull << slot_shift(height));

		if (!node->slots[i])
			continue;
		if (slot_first >= run->end || slot_end <= run->first) {
			empty = false;
		} else if (height == 1) {
			page_put(node->slots[i]);
			node->slots[i] = NULL;
			tree->count--;
		} else if (drop_below(tree, node->slots[i], height - 1, slot_first, run)) {
			kfree(node->slots[i]);
			node->slots[i] = NULL;
		} else {
			empty = false;
		}
	}
	return empty;
}

uint64_t page_tree_drop(struct page_tree *tree, uint64_t first, uint64_t end)
{
	const struct run run = {first, end};
	uint64_t before = tree->count;

	tree->leaf = NULL;
	if (tree->root && first < end && drop_below(tree, tree->root, tree->height, 0, &run)) {
		kfree(tree->root);
		tree->root = NULL;
		tree->height = 0;
	}
	return before - tree->count;
}

void page_tree_clear(struct page_tree *tree)
{
	uint64_t index = 0;

	while (page_tree_next(tree, &index)) {
		page_tree_drop(tree, index, index + CLEAR_BATCH);
		sched_point();
	}
}

/* A copy of a node and all below it, or NULL; then `count` pages have got a reference. */
static struct page_tree_node *clone_below(const struct page_tree_node *node, uint32_t height,
					  uint64_t *count, bool *failed)
{
	struct page_tree_node *copy = kmalloc(sizeof(*copy));

	if (!copy) {
		*failed = true;
		return NULL;
	}
	for (unsigned i = 0; i < PAGE_TREE_SLOTS && !*failed; i++) {
		if (!node->slots[i])
			continue;
		if (height == 1) {
			copy->slots[i] = page_get(node->slots[i]);
			(*count)++;
		} else {
			copy->slots[i] = clone_below(node->slots[i], height - 1, count, failed);
		}
	}
	return copy;
}

int page_tree_clone(const struct page_tree *tree, struct page_tree *copy)
{
	bool failed = false;

	ASSERT(!copy->root);
	if (!tree->root)
		return 0;
	copy->height = tree->height;
	copy->root = clone_below(tree->root, tree->height, &copy->count, &failed);
	if (!failed)
		return 0;
	page_tree_drop(copy, 0, PAGE_TREE_INDEX_END);
	copy->height = 0;
	return -ENOMEM;
}
