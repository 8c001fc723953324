/*
 * The fair class: earliest eligible virtual deadline first.
 *
 * After Stoica and Abdel-Wahab, "Earliest Eligible Virtual Deadline First" (1995). The queue's
 * virtual time V is the mean of the vruntimes of all that joined, by weight. A thread's lag is
 * V - vruntime: what it is owed. It is eligible while its lag is not negative; of the eligible the
 * one with the earliest virtual deadline runs, which is its vruntime at its request plus the slice
 * by its weight.
 *
 * Invariants, but for rounding:
 *   1. sum(weight * (V - vruntime)) over all joined is 0: charge, join and leave keep it.
 *   2. A queued entity is in exactly one tree, `eligible` or `waiting`. V may fall below the
 *      vruntime of one in `eligible`; it stays there, which costs others no more than a slice.
 *   3. The lag that a sleeper keeps lies within a slice in either direction, so that nobody can
 *      save up time.
 */
#include "core/klib.h"
#include "core/sched_priv.h"

#define WEIGHT_NORMAL 1024
#define WEIGHT_IDLE 3

/* 1024 * 1.25^-nice, rounded, from -20 on. */
static const uint32_t weights[] = {
	88818, 71054, 56843, 45475, 36380, 29104, 23283, 18626, 14901, 11921,
	9537,  7629,  6104,  4883,  3906,  3125,  2500,	 2000,	1600,  1280,
	1024,  819,   655,   524,   419,   336,	  268,	 215,	172,   137,
	110,   88,    70,    56,    45,	   36,	  29,	 23,	18,    15,
};

_Static_assert(ARRAY_COUNT(weights) == SCHED_NICE_MAX - SCHED_NICE_MIN + 1, "a weight per level");

uint32_t sched_fair_weight(const struct sched_params *params)
{
	if (params->policy == SCHED_POLICY_IDLE)
		return WEIGHT_IDLE;
	return weights[params->nice - SCHED_NICE_MIN];
}

void sched_fair_init(struct fair_queue *fair)
{
	*fair = (struct fair_queue){0};
}

static struct sched_entity *entity_of(const struct rbtree_node *node)
{
	return node ? CONTAINER_OF(node, struct sched_entity, node) : NULL;
}

static bool deadline_less(const struct rbtree_node *a, const struct rbtree_node *b)
{
	return entity_of(a)->deadline - entity_of(b)->deadline < 0;
}

static bool vruntime_less(const struct rbtree_node *a, const struct rbtree_node *b)
{
	return entity_of(a)->vruntime - entity_of(b)->vruntime < 0;
}

/* Real time to virtual time at a weight. */
static int64_t to_virtual(uint64_t ns, uint64_t weight)
{
	return (int64_t)(ns * WEIGHT_NORMAL / weight);
}

static void renew_request(struct sched_entity *entity)
{
	entity->deadline = entity->vruntime + to_virtual(FAIR_SLICE_NS, entity->weight);
}

static void join(struct run_queue *rq, struct sched_entity *entity)
{
	struct fair_queue *fair = &rq->fair;
	int64_t lag = entity->vruntime; /* what leave() left there */
	int64_t weight = entity->weight, others = (int64_t)fair->weight;

	entity->vruntime = fair->virtual_ns;
	if (others) {
		/* Its coming moves V; so that its lag counts in full behind that. */
		entity->vruntime -= lag * (others + weight) / others;
		fair->virtual_ns -= lag * weight / others;
	}
	fair->weight += entity->weight;
	renew_request(entity);
}

static void leave(struct run_queue *rq, struct sched_entity *entity)
{
	struct fair_queue *fair = &rq->fair;
	int64_t lag = fair->virtual_ns - entity->vruntime;
	int64_t bound = to_virtual(FAIR_SLICE_NS, entity->weight);

	fair->weight -= entity->weight;
	if (fair->weight)
		fair->virtual_ns += lag * (int64_t)entity->weight / (int64_t)fair->weight;
	entity->vruntime = MAX(-bound, MIN(lag, bound));
}

static void enqueue(struct run_queue *rq, struct sched_entity *entity, bool resumes)
{
	struct fair_queue *fair = &rq->fair;

	(void)resumes;
	entity->eligible = fair->virtual_ns - entity->vruntime >= 0;
	if (entity->eligible)
		rbtree_insert(&fair->eligible, &entity->node, deadline_less);
	else
		rbtree_insert(&fair->waiting, &entity->node, vruntime_less);
}

static void dequeue(struct run_queue *rq, struct sched_entity *entity)
{
	rbtree_erase(entity->eligible ? &rq->fair.eligible : &rq->fair.waiting, &entity->node);
}

/* Moves those whose time has come; with `at_least_one` also the next one before its time. */
static void make_eligible(struct fair_queue *fair, bool at_least_one)
{
	struct sched_entity *entity;

	while ((entity = entity_of(rbtree_first(&fair->waiting)))) {
		if (!at_least_one && fair->virtual_ns - entity->vruntime < 0)
			break;
		at_least_one = false;
		rbtree_erase(&fair->waiting, &entity->node);
		entity->eligible = true;
		rbtree_insert(&fair->eligible, &entity->node, deadline_less);
	}
}

static struct sched_entity *first(struct run_queue *rq)
{
	struct fair_queue *fair = &rq->fair;

	/* Only rounding, or a current one that leaves, makes all wait for a time to come. */
	make_eligible(fair, rbtree_empty(&fair->eligible));
	return entity_of(rbtree_first(&fair->eligible));
}

static bool charge(struct run_queue *rq, struct sched_entity *entity, uint64_t ns)
{
	entity->vruntime += to_virtual(ns, entity->weight);
	rq->fair.virtual_ns += to_virtual(ns, rq->fair.weight);
	if (entity->vruntime - entity->deadline < 0)
		return false;
	renew_request(entity);
	return true;
}

static uint64_t slice_ns(struct run_queue *rq, const struct sched_entity *entity)
{
	int64_t left = entity->deadline - entity->vruntime;

	(void)rq;
	return left > 0 ? (uint64_t)left * entity->weight / WEIGHT_NORMAL + 1 : 1;
}

/* As if it had used its slice: so that each of several that only yield has its turn. */
static void yield(struct run_queue *rq, struct sched_entity *entity)
{
	charge(rq, entity, slice_ns(rq, entity));
}

static bool preempts(struct run_queue *rq, const struct sched_entity *woken,
		     const struct sched_entity *current)
{
	if (woken->params.policy == SCHED_POLICY_IDLE)
		return false;
	if (current->params.policy == SCHED_POLICY_IDLE)
		return true;
	return rq->fair.virtual_ns - woken->vruntime >= 0 &&
	       woken->deadline - current->deadline < 0;
}

const struct sched_class sched_fair_class = {
	.name = "fair",
	.join = join,
	.leave = leave,
	.enqueue = enqueue,
	.dequeue = dequeue,
	.first = first,
	.charge = charge,
	.yield = yield,
	.slice_ns = slice_ns,
	.preempts = preempts,
};
