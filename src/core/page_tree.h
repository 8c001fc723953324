/*
 * A sparse array of pages: a radix tree with PAGE_TREE_SLOTS ways at each node, as high as the
 * largest index needs. It owns one reference of each page in it. Its user's lock guards it; nodes
 * come from kmalloc, so nothing here waits.
 */
#ifndef CORE_PAGE_TREE_H
#define CORE_PAGE_TREE_H

#include "core/page.h"

#define PAGE_TREE_BITS 6u
#define PAGE_TREE_SLOTS (1u << PAGE_TREE_BITS)
#define PAGE_TREE_INDEX_END (1ull << 54)

struct page_tree_node;

struct page_tree {
	struct page_tree_node *root; /* NULL: empty */
	uint32_t height;	     /* levels of nodes; indices below SLOTS^height fit */
	uint64_t count;		     /* pages */
	struct page_tree_node *leaf; /* the one that the last search ended in, or NULL,... */
	uint64_t leaf_first;	     /* ...and the index of its first slot */
};

/* An empty tree is all zeroes. */

/* The page at `index`, or NULL. Takes no reference. */
struct page *page_tree_find(struct page_tree *tree, uint64_t index);

/* Puts a page where none is; the tree takes over the caller's reference. 0 or -ENOMEM. */
HAL_USE_RESULT int page_tree_insert(struct page_tree *tree, uint64_t index, struct page *page);

/* Puts `page` in the place of another one, whose reference goes to the caller. Cannot fail. */
struct page *page_tree_replace(struct page_tree *tree, uint64_t index, struct page *page);

/* The first page at or behind `*index`, which becomes its index; NULL if there is none. */
struct page *page_tree_next(struct page_tree *tree, uint64_t *index);

/* How many pages are in [first, end). */
uint64_t page_tree_count(struct page_tree *tree, uint64_t first, uint64_t end);

/* Drops all pages in [first, end). How many. */
uint64_t page_tree_drop(struct page_tree *tree, uint64_t first, uint64_t end);

/* Drops all pages. In a thread, without locks: lets others run in between. */
void page_tree_clear(struct page_tree *tree);

/* Makes the empty tree `copy` hold the same pages, with references. 0; -ENOMEM: it is empty. */
HAL_USE_RESULT int page_tree_clone(const struct page_tree *tree, struct page_tree *copy);

#endif
