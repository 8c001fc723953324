/*
 * Red-black trees.
 */
#include "core/rbtree.h"

#include "core/slab.h"
#include "tests/kernel/stress.h"

#define ELEMENTS 300
#define ROUNDS 20000

struct element {
	struct rbtree_node node;
	uint64_t key;
	bool used;
};

static uint64_t key_of(const struct rbtree_node *node)
{
	return RBTREE_ENTRY(node, const struct element, node)->key;
}

static bool is_less(const struct rbtree_node *a, const struct rbtree_node *b)
{
	return key_of(a) < key_of(b);
}

static int compare(const void *key, const struct rbtree_node *node)
{
	uint64_t wanted = *(const uint64_t *)key;

	return wanted < key_of(node) ? -1 : wanted > key_of(node);
}

static void test_rbtree_of_nothing_finds_nothing(void)
{
	struct rbtree tree = {0};
	uint64_t key = 1;

	CHECK(rbtree_empty(&tree));
	CHECK(!rbtree_first(&tree) && !rbtree_last(&tree));
	CHECK(!rbtree_find(&tree, &key, compare) && !rbtree_find_from(&tree, &key, compare));
}

static void test_rbtree_keeps_equal_elements_in_the_order_of_insertion(void)
{
	struct element elements[5] = {0};
	struct rbtree tree = {0};
	const struct rbtree_node *node;
	unsigned i = 0;

	for (unsigned j = 0; j < 5; j++)
		rbtree_insert(&tree, &elements[j].node, is_less);
	for (node = rbtree_first(&tree); node; node = rbtree_next(node))
		CHECK(node == &elements[i++].node);
	CHECK(i == 5);
}

/* The least key of the elements in use that is not below `key`, or UINT64_MAX. */
static uint64_t least_from(const struct element *elements, uint64_t key)
{
	uint64_t least = UINT64_MAX;

	for (unsigned i = 0; i < ELEMENTS; i++)
		if (elements[i].used && elements[i].key >= key)
			least = MIN(least, elements[i].key);
	return least;
}

static bool agrees(const struct rbtree *tree, const struct element *elements, uint64_t key)
{
	const struct rbtree_node *from = rbtree_find_from(tree, &key, compare);
	uint64_t least = least_from(elements, key);

	if ((from ? key_of(from) : UINT64_MAX) != least)
		return false;
	if (from && rbtree_prev(from) && key_of(rbtree_prev(from)) >= key)
		return false;
	return !rbtree_find(tree, &key, compare) == (least != key);
}

static void test_rbtree_agrees_with_an_array_over_random_changes(void)
{
	struct element *elements = kmalloc(ELEMENTS * sizeof(*elements));
	struct rbtree tree = {0};
	uint64_t random = 42;
	size_t count = 0;

	CHECK(elements);
	for (unsigned round = 0; round < ROUNDS; round++) {
		struct element *element = &elements[stress_random(&random, ELEMENTS)];

		if (element->used)
			rbtree_erase(&tree, &element->node);
		else
			element->key = stress_random(&random, 200);
		element->used = !element->used;
		count += element->used ? 1 : -1ul;
		if (element->used)
			rbtree_insert(&tree, &element->node, is_less);
		if (round % 16 && count > 8)
			continue;
		EXPECT(rbtree_check(&tree, is_less) == count);
		EXPECT(agrees(&tree, elements, stress_random(&random, 210)));
	}
	kfree(elements);
}

const struct ktest ktests_rbtree[] = {
	KTEST(test_rbtree_of_nothing_finds_nothing),
	KTEST(test_rbtree_keeps_equal_elements_in_the_order_of_insertion),
	KTEST(test_rbtree_agrees_with_an_array_over_random_changes),
	{0},
};
