/*
 * Time, the timer, the wall clock and entropy.
 *
 * Time is the time stamp counter, which counts alike on all CPUs of this machine; its frequency
 * comes from CPUID or is measured once against HPET, ACPI's timer or the PIT, together with that of
 * the APIC's timer. Conversions are 32.32 fixed point. The timer is the APIC's: with a deadline in
 * TSC ticks where the CPU can, else one-shot; a one-shot that ends too early is set again.
 * Set once at boot; deadlines belong to their CPU, with hardware interrupts off.
 */
#include "hal/base.h"
#include "hal/x86_64/apic.h"
#include "hal/x86_64/asm.h"
#include "hal/x86_64/boot_priv.h"
#include "hal/x86_64/cpu_priv.h"

#define NS_PER_S 1000000000ull
#define CALIBRATION_PER_S 200u /* 1 / 5 ms */
#define SAMPLES 8u
#define REFERENCE_READS_MAX 500000u /* of a reference that stands still */
#define HPET_CAPABILITIES 0x004
#define HPET_CONFIG 0x010
#define HPET_COUNTER 0x0f0
#define HPET_PERIOD_MAX_FS 100000000u
#define FS_PER_S 1000000000000000ull
#define PM_TIMER_HZ 3579545u
#define PIT_HZ 1193182u
#define PIT_CHANNEL2 0x42
#define PIT_COMMAND 0x43
#define PIT_GATE 0x61
#define FALLBACK_HZ 1000000000ull
#define ONE_SHOT_MAX 0x7fffffffu
#define RANDOM_TRIES 10

/* Something that counts at a known rate. */
struct reference {
	uint32_t (*read)(void);
	uint64_t hz;
	uint32_t mask;
};

struct sample {
	uint64_t tsc;
	uint32_t reference, apic_left;
};

static struct {
	uint64_t tsc_hz, apic_hz;
	uint64_t ns_per_tick, ticks_per_ns, apic_ticks_per_ns; /* 32.32 */
	uint64_t epoch_ns;
	uintptr_t hpet;
} clock = {.ticks_per_ns = 4ull << 32}; /* Set once; until then delays are long enough */

static uint64_t scale(uint64_t value, uint64_t factor)
{
	return (uint64_t)((unsigned __int128)value * factor >> 32);
}

static uint64_t make_factor(uint64_t to_hz, uint64_t from_hz)
{
	return (uint64_t)(((unsigned __int128)to_hz << 32) / from_hz);
}

/* ---- References ---- */

static uint32_t read_hpet(void)
{
	return hal_mmio_read32(clock.hpet + HPET_COUNTER);
}

static uint32_t read_pm_timer(void)
{
	return in32((uint16_t)x86_acpi.pm_timer.addr);
}

/* Channel 2 counts down from 65535 while its gate is open. */
static uint32_t read_pit(void)
{
	uint32_t low;

	out8(PIT_COMMAND, 0x80); /* latch channel 2 */
	low = in8(PIT_CHANNEL2);
	return 0xffffu - (low | (uint32_t)in8(PIT_CHANNEL2) << 8);
}

static bool find_hpet(struct reference *reference)
{
	uint32_t period;

	if (!x86_acpi.hpet || hal_mmio_map(x86_acpi.hpet, HAL_PAGE_SIZE, &clock.hpet))
		return false;
	period = hal_mmio_read32(clock.hpet + HPET_CAPABILITIES);
	if (!period || period > HPET_PERIOD_MAX_FS)
		return false;
	hal_mmio_write32(clock.hpet + HPET_CONFIG, hal_mmio_read32(clock.hpet + HPET_CONFIG) | 1);
	*reference = (struct reference){read_hpet, FS_PER_S / period, UINT32_MAX};
	return true;
}

static bool find_pm_timer(struct reference *reference)
{
	*reference = (struct reference){read_pm_timer, PM_TIMER_HZ, 0xffffff};
	return x86_acpi.pm_timer.addr && x86_acpi.pm_timer.space == ACPI_SPACE_IO;
}

static bool start_pit(struct reference *reference)
{
	out8(PIT_GATE, (uint8_t)((in8(PIT_GATE) & ~2u) | 1)); /* gate open, speaker off */
	out8(PIT_COMMAND, 0xb0);			      /* channel 2, mode 0 */
	out8(PIT_CHANNEL2, 0xff);
	out8(PIT_CHANNEL2, 0xff);
	*reference = (struct reference){read_pit, PIT_HZ, 0xffff};
	return true;
}

/* ---- Calibration ---- */

/* All clocks at one moment: the tightest of a few tries. */
static struct sample take_sample(const struct reference *reference)
{
	struct sample best = {0};
	uint64_t least = UINT64_MAX;

	for (unsigned i = 0; i < SAMPLES; i++) {
		uint64_t before = rdtsc(), after;
		uint32_t value = reference->read(), left = x86_apic_timer_left();

		after = rdtsc();
		if (after - before < least) {
			least = after - before;
			best = (struct sample){before + (after - before) / 2, value, left};
		}
	}
	return best;
}

/* Measures the frequencies that are not known yet. False if the reference stands still. */
static bool measure(const struct reference *reference)
{
	uint64_t span = reference->hz / CALIBRATION_PER_S, elapsed;
	struct sample start, end;
	unsigned reads = 0;

	x86_apic_timer_start(UINT32_MAX);
	start = take_sample(reference);
	while (((reference->read() - start.reference) & reference->mask) < span)
		if (++reads > REFERENCE_READS_MAX)
			return false;
	end = take_sample(reference);
	x86_apic_timer_start(0);
	elapsed = (end.reference - start.reference) & reference->mask;
	if (!clock.tsc_hz)
		clock.tsc_hz = (end.tsc - start.tsc) * reference->hz / elapsed;
	clock.apic_hz = (uint64_t)(start.apic_left - end.apic_left) * reference->hz / elapsed;
	return clock.tsc_hz && clock.apic_hz;
}

/* CPUID leaf 0x15: TSC ticks per tick of a crystal, and the crystal's frequency. */
static uint64_t read_tsc_hz(void)
{
	struct cpuid_result r = {0};

	if (cpuid(0, 0).eax >= 0x15)
		r = cpuid(0x15, 0);
	return r.eax && r.ebx && r.ecx ? (uint64_t)r.ecx * r.ebx / r.eax : 0;
}

static void calibrate(void)
{
	static bool (*const find[])(struct reference *) = {find_hpet, find_pm_timer, start_pit};
	struct reference reference;

	clock.tsc_hz = read_tsc_hz();
	if (clock.tsc_hz && x86_features.tsc_deadline)
		return;
	for (unsigned i = 0; i < ARRAY_COUNT(find); i++)
		if (find[i](&reference) && measure(&reference))
			return;
	if (!clock.tsc_hz && cpuid(0, 0).eax >= 0x16)
		clock.tsc_hz = (cpuid(0x16, 0).eax & 0xffff) * 1000000ull;
	if (!clock.tsc_hz) {
		x86_boot_warn("clock", "no timer counts, so that the speed of time is a guess");
		clock.tsc_hz = FALLBACK_HZ;
	}
	clock.apic_hz = clock.apic_hz ? clock.apic_hz : FALLBACK_HZ;
}

/* ---- Wall clock: the RTC (MC146818) ---- */

static uint8_t read_cmos(uint8_t reg)
{
	out8(0x70, reg);
	return in8(0x71);
}

static void read_rtc(uint8_t *fields)
{
	static const uint8_t regs[] = {0, 2, 4, 7, 8, 9, 0x0b};

	for (unsigned i = 0; i < ARRAY_COUNT(regs); i++)
		fields[i] = read_cmos(regs[i]);
}

/* Days from 1970-01-01 to a date of the Gregorian calendar. */
static int64_t days_to(int64_t year, unsigned month, unsigned day)
{
	int64_t era, year_of_era, day_of_year;

	year -= month <= 2; /* years that begin in March end with the leap day */
	era = year / 400;
	year_of_era = year - era * 400;
	day_of_year = (153 * (int64_t)(month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
	return era * 146097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 +
	       day_of_year - 719468;
}

/* Seconds since 1970, or 0 if there is no clock that makes sense. */
static uint64_t read_wall_clock(void)
{
	uint8_t now[7], again[7];
	uint64_t seconds;

	read_rtc(again);
	for (unsigned tries = 0; tries < 10; tries++) {
		memcpy(now, again, sizeof(now));
		if (read_cmos(0x0a) & 0x80)
			x86_clock_delay_us(250); /* it is being set; up to 2 ms */
		read_rtc(again);
		if (!memcmp(now, again, sizeof(now)))
			break;
	}
	for (unsigned i = 0; i < 6 && !(now[6] & 4); i++) {
		uint8_t pm = i == 2 ? now[i] & 0x80 : 0;

		now[i] = (uint8_t)((now[i] & 0x0f) + (now[i] >> 4 & (i == 2 ? 7 : 15)) * 10) | pm;
	}
	if (!(now[6] & 2)) /* twelve hours */
		now[2] = (uint8_t)((now[2] & 0x7f) % 12 + (now[2] & 0x80 ? 12 : 0));
	if (now[0] > 60 || now[1] > 59 || now[2] > 23 || now[3] < 1 || now[3] > 31 || now[4] < 1 ||
	    now[4] > 12 || now[5] > 99)
		return 0;
	seconds = (uint64_t)days_to(2000 + now[5], now[4], now[3]) * 86400;
	return seconds + now[2] * 3600u + now[1] * 60u + now[0];
}

void x86_clock_init(void)
{
	uint64_t seconds;

	calibrate();
	clock.ns_per_tick = make_factor(NS_PER_S, clock.tsc_hz);
	clock.ticks_per_ns = make_factor(clock.tsc_hz, NS_PER_S);
	clock.apic_ticks_per_ns = make_factor(clock.apic_hz ? clock.apic_hz : 1, NS_PER_S);
	x86_clock_init_cpu();
	seconds = read_wall_clock();
	if (seconds)
		clock.epoch_ns = seconds * NS_PER_S - hal_time_ns();
}

void x86_clock_init_cpu(void)
{
	x86_cpu_this()->timer_deadline_ns = HAL_TIME_NEVER;
	if (x86_features.tsc_deadline)
		x86_apic_timer_use_deadline();
}

/* ---- Time and timer ---- */

uint64_t hal_time_ns(void)
{
	return scale(rdtsc(), clock.ns_per_tick);
}

uint64_t hal_time_epoch_ns(void)
{
	return clock.epoch_ns;
}

void x86_clock_delay_us(unsigned us)
{
	uint64_t end = rdtsc() + scale(us * 1000ull, clock.ticks_per_ns);

	while (rdtsc() < end)
		hal_cpu_relax();
}

/* Sets the hardware for the deadline, which may come a little late, and early only if it is far. */
static void start_timer(uint64_t now, uint64_t deadline)
{
	uint64_t ticks;

	if (x86_features.tsc_deadline) {
		wrmsr(MSR_TSC_DEADLINE,
		      deadline == HAL_TIME_NEVER ? 0 : scale(deadline, clock.ticks_per_ns) + 2);
		return;
	}
	ticks = deadline == HAL_TIME_NEVER ? 0
					   : scale(MIN(deadline - now, NS_PER_S),
						   clock.apic_ticks_per_ns) + 1;
	x86_apic_timer_start((uint32_t)MIN(ticks, ONE_SHOT_MAX));
}

void hal_timer_set(uint64_t deadline_ns)
{
	struct x86_cpu *cpu = x86_cpu_this();
	bool restore = hardware_irq_disable();
	uint64_t now = hal_time_ns();

	cpu->timer_deadline_ns = deadline_ns;
	x86_irq_clear_pending(cpu, HAL_IRQ_TIMER);
	if (deadline_ns <= now) {
		cpu->timer_deadline_ns = HAL_TIME_NEVER;
		start_timer(now, HAL_TIME_NEVER);
		x86_irq_set_pending(cpu, HAL_IRQ_TIMER);
	} else {
		start_timer(now, deadline_ns);
	}
	hardware_irq_restore(restore);
}

void x86_clock_timer_vector(void)
{
	struct x86_cpu *cpu = x86_cpu_this();
	uint64_t now = hal_time_ns();

	if (cpu->timer_deadline_ns == HAL_TIME_NEVER)
		return;
	if (now < cpu->timer_deadline_ns) {
		start_timer(now, cpu->timer_deadline_ns);
		return;
	}
	cpu->timer_deadline_ns = HAL_TIME_NEVER;
	x86_irq_set_pending(cpu, HAL_IRQ_TIMER);
}

/* ---- Entropy ---- */

static bool read_random(uint64_t *value)
{
	bool ok = false;

	for (unsigned i = 0; i < RANDOM_TRIES && !ok && x86_features.rdseed; i++)
		__asm__ volatile("rdseed %0; setc %1" : "=r"(*value), "=qm"(ok) : : "cc");
	for (unsigned i = 0; i < RANDOM_TRIES && !ok && x86_features.rdrand; i++)
		__asm__ volatile("rdrand %0; setc %1" : "=r"(*value), "=qm"(ok) : : "cc");
	return ok;
}

int hal_entropy(void *buf, size_t bytes)
{
	uint8_t *to = buf;
	uint64_t value;

	while (bytes) {
		size_t part = MIN(bytes, sizeof(value));

		if (!read_random(&value))
			return -ENODEV;
		memcpy(to, &value, part);
		to += part;
		bytes -= part;
	}
	return 0;
}
