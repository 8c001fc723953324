/*
 * A doubly linked list with its links in the elements. The list is a ring through `head`; an
 * element that is in no list points at itself. Its user's lock guards it.
 */
#ifndef CORE_LIST_H
#define CORE_LIST_H

#include "core/klib.h"

struct list {
	struct list *prev, *next;
};

#define LIST_INIT(head) {&(head), &(head)}

static inline void list_init(struct list *head)
{
	head->prev = head->next = head;
}

static inline bool list_empty(const struct list *head)
{
	return head->next == head;
}

static inline void list_insert_between(struct list *node, struct list *prev, struct list *next)
{
	node->prev = prev;
	node->next = next;
	prev->next = node;
	next->prev = node;
}

static inline void list_add_first(struct list *head, struct list *node)
{
	list_insert_between(node, head, head->next);
}

static inline void list_add_last(struct list *head, struct list *node)
{
	list_insert_between(node, head->prev, head);
}

/* Leaves the node pointing at itself; harmless for a node in no list. */
static inline void list_remove(struct list *node)
{
	node->prev->next = node->next;
	node->next->prev = node->prev;
	list_init(node);
}

#define LIST_ENTRY(node, type, member) CONTAINER_OF(node, type, member)
#define LIST_FIRST(head, type, member)                                                             \
	(list_empty(head) ? NULL : CONTAINER_OF((head)->next, type, member))

/* Walks; the body may not remove `it` (LIST_FOR_EACH) or may (LIST_FOR_EACH_SAFE). */
#define LIST_FOR_EACH(it, head, member)                                                            \
	for (it = CONTAINER_OF((head)->next, __typeof__(*it), member); &it->member != (head);      \
	     it = CONTAINER_OF(it->member.next, __typeof__(*it), member))
#define LIST_FOR_EACH_SAFE(it, after, head, member)                                                \
	for (it = CONTAINER_OF((head)->next, __typeof__(*it), member),                             \
	    after = CONTAINER_OF(it->member.next, __typeof__(*it), member);                        \
	     &it->member != (head);                                                                \
	     it = after, after = CONTAINER_OF(it->member.next, __typeof__(*it), member))

#endif
