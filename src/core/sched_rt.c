/*
 * The real-time class: FIFO and RR, a list for each priority, found by a bitmap. A thread that is
 * preempted stays first in its list; one that yields or has used its slice (RR) goes to the end.
 */
#include "core/klib.h"
#include "core/sched_priv.h"

void sched_rt_init(struct rt_queue *rt)
{
	*rt = (struct rt_queue){0};
	for (unsigned i = 0; i < ARRAY_COUNT(rt->lists); i++)
		list_init(&rt->lists[i]);
}

bool sched_rt_throttled(struct run_queue *rq, uint64_t now_ns)
{
	if (now_ns - rq->rt.window_ns >= SCHED_RT_PERIOD_NS) {
		rq->rt.window_ns = now_ns;
		rq->rt.used_ns = 0;
	}
	return rq->rt.used_ns >= SCHED_RT_SHARE_NS;
}

static void join(struct run_queue *rq, struct sched_entity *entity)
{
	(void)rq;
	entity->slice_left_ns = RR_SLICE_NS;
	entity->vruntime = 0; /* no lag, should it become fair */
}

static void leave(struct run_queue *rq, struct sched_entity *entity)
{
	(void)rq;
	(void)entity;
}

static void enqueue(struct run_queue *rq, struct sched_entity *entity, bool resumes)
{
	unsigned priority = (unsigned)entity->params.priority;
	struct list *list = &rq->rt.lists[priority];

	if (resumes)
		list_add_first(list, &entity->link);
	else
		list_add_last(list, &entity->link);
	rq->rt.bitmap[priority / 64] |= 1ull << priority % 64;
}

static void dequeue(struct run_queue *rq, struct sched_entity *entity)
{
	unsigned priority = (unsigned)entity->params.priority;

	list_remove(&entity->link);
	if (list_empty(&rq->rt.lists[priority]))
		rq->rt.bitmap[priority / 64] &= ~(1ull << priority % 64);
}

static struct sched_entity *first(struct run_queue *rq)
{
	for (unsigned i = 2; i-- > 0;) {
		if (rq->rt.bitmap[i]) {
			unsigned bit = 63 - (unsigned)__builtin_clzll(rq->rt.bitmap[i]);

			return LIST_FIRST(&rq->rt.lists[i * 64 + bit], struct sched_entity, link);
		}
	}
	return NULL;
}

static bool charge(struct run_queue *rq, struct sched_entity *entity, uint64_t ns)
{
	rq->rt.used_ns += ns;
	if (entity->params.policy == SCHED_POLICY_FIFO)
		return false;
	if (entity->slice_left_ns > ns) {
		entity->slice_left_ns -= ns;
		return false;
	}
	entity->slice_left_ns = RR_SLICE_NS;
	return true;
}

static void yield(struct run_queue *rq, struct sched_entity *entity)
{
	(void)rq;
	entity->slice_left_ns = RR_SLICE_NS;
}

static uint64_t slice_ns(struct run_queue *rq, const struct sched_entity *entity)
{
	uint64_t share = SCHED_RT_SHARE_NS - MIN(rq->rt.used_ns, SCHED_RT_SHARE_NS) + 1;

	if (entity->params.policy == SCHED_POLICY_RR)
		return MIN(share, entity->slice_left_ns);
	return share;
}

static bool preempts(struct run_queue *rq, const struct sched_entity *woken,
		     const struct sched_entity *current)
{
	(void)rq;
	return woken->params.priority > current->params.priority;
}

const struct sched_class sched_rt_class = {
	.name = "real-time",
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
