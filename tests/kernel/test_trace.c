/*
 * Facts of the trace.
 */
#include "core/sched.h"
#include "core/state.h"
#include "core/trace.h"
#include "tests/kernel/ktest.h"

/* What is true of JSON text that is correct as far as brackets, strings and commas go. */
struct json {
	uint64_t bytes, entries;
	int depth;
	bool in_string;
	char last;
};

static void read_json(void *arg, const char *text, size_t bytes)
{
	struct json *json = arg;

	for (size_t i = 0; i < bytes; i++) {
		char c = text[i];

		json->bytes++;
		if (c == '"')
			json->in_string = !json->in_string;
		if (json->in_string || c == '\n' || c == ' ')
			continue;
		if (c == '{' || c == '[')
			json->depth++;
		if (c == '}' || c == ']')
			json->depth--;
		json->entries += c == '{' && json->depth == 3;
		/* "},{" between entries; never ",," or ",]". */
		EXPECT(!(json->last == ',' && (c == ',' || c == ']' || c == '}')));
		EXPECT(!(json->last == '}' && c == '{'));
		EXPECT(json->depth >= 0);
		json->last = c;
	}
}

static void test_trace_export_is_json(void)
{
	bool before = trace_recording();
	struct json json = {0};

	trace_enable(true);
	for (unsigned i = 0; i < 10; i++) {
		trace_event(TRACE_MARK, i, UINT64_MAX);
		sched_yield_now();
	}
	trace_enable(false);
	trace_export(read_json, &json);
	trace_enable(before);
	CHECK(json.depth == 0 && !json.in_string && json.last == '}');
	CHECK(json.entries >= 10);
}

static void test_trace_events_name_their_cause(void)
{
	bool recording = trace_recording();
	struct trace_cause before, cause, event;
	struct trace_event read;

	trace_enable(true);
	before = trace_begin(TRACE_MARK, 1, 0);
	cause = cpu_this()->cause;
	event = trace_event(TRACE_MARK, 2, 0);
	trace_end(before);
	trace_enable(recording);
	CHECK(cause.sequence && event.sequence > cause.sequence);
	CHECK(trace_read(event.cpu, event.sequence - 1, &read));
	CHECK(read.cause == cause.sequence && read.a == 2 && read.id == TRACE_MARK);
	CHECK(!trace_read(event.cpu, event.sequence + 100000, &read));
}

static void test_trace_ring_keeps_the_newest(void)
{
	bool recording = trace_recording();
	struct trace_cause last = {0};
	struct trace_event read;

	trace_enable(true);
	for (uint32_t i = 0; i < kernel.trace.ring_events + 10; i++)
		last = trace_event(TRACE_MARK, i, 0);
	trace_enable(recording);
	CHECK(trace_oldest(last.cpu) >= 10);
	CHECK(!trace_read(last.cpu, 0, &read));
	CHECK(trace_read(last.cpu, trace_oldest(last.cpu), &read));
	CHECK(trace_read(last.cpu, last.sequence - 1, &read));
}

static void test_trace_off_costs_no_event(void)
{
	bool recording = trace_recording();

	trace_enable(false);
	EXPECT(!trace_event(TRACE_MARK, 1, 2).sequence);
	trace_enable(recording);
}

static void test_trace_hash_changes_with_hashed_events_alone(void)
{
	uint64_t events[3], hashes[3];
	bool hashing = kernel.trace.hashing;

	if (hal_cpu_count() > 1) {
		ktest_skip("the hash is that of one CPU");
		return;
	}
	kernel.trace.hashing = true;
	hashes[0] = trace_hash(&events[0]);
	trace_event(TRACE_MARK, 1, 2);
	hashes[1] = trace_hash(&events[1]);
	trace_event(TRACE_SERVICE, 1, 2);
	hashes[2] = trace_hash(&events[2]);
	kernel.trace.hashing = hashing;
	CHECK(hashes[0] == hashes[1] && events[0] == events[1]);
	CHECK(hashes[1] != hashes[2] && events[2] == events[1] + 1);
}

const struct ktest ktests_trace[] = {
	KTEST_MACHINE(test_trace_export_is_json),
	KTEST_MACHINE(test_trace_events_name_their_cause),
	KTEST_MACHINE(test_trace_ring_keeps_the_newest),
	KTEST_MACHINE(test_trace_off_costs_no_event),
	KTEST_MACHINE(test_trace_hash_changes_with_hashed_events_alone),
	{0},
};
