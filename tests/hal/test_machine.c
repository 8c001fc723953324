/*
 * What the machine says of itself: RAM, direct map, guard pages, devices, entropy.
 */
#include "hal/conformance.h"

static void test_ram_is_whole_pages_in_order(void)
{
	const struct hal_boot *boot = hal_boot_info();
	uint64_t end = HAL_PAGE_SIZE;

	CHECK(boot->ram_count >= 1 && boot->ram_count <= HAL_RAM_RANGES_MAX);
	for (unsigned i = 0; i < boot->ram_count; i++) {
		CHECK(boot->ram[i].base % HAL_PAGE_SIZE == 0);
		CHECK(boot->ram[i].bytes % HAL_PAGE_SIZE == 0 && boot->ram[i].bytes);
		CHECK(boot->ram[i].base >= end);
		end = boot->ram[i].base + boot->ram[i].bytes;
	}
}

static void test_initrd_lies_outside_of_ram(void)
{
	const struct hal_boot *boot = hal_boot_info();
	uint64_t base = boot->initrd.base, end = base + boot->initrd.bytes;
	volatile const char *image = hal_phys_to_virt(base);

	if (!boot->initrd.bytes) {
		test_skip("booted without an initial image");
		return;
	}
	for (unsigned i = 0; i < boot->ram_count; i++)
		CHECK(end <= boot->ram[i].base ||
		      base >= boot->ram[i].base + boot->ram[i].bytes);
	(void)image[0];
	(void)image[boot->initrd.bytes - 1];
}

static void test_strings_of_the_boot_are_there(void)
{
	const struct hal_boot *boot = hal_boot_info();
	size_t length = 0;

	CHECK(boot->cmdline && boot->loader && boot->loader[0]);
	while (boot->cmdline[length] && length < HAL_CMDLINE_MAX)
		length++;
	CHECK(length < HAL_CMDLINE_MAX);
}

static void test_direct_map_reaches_all_ram(void)
{
	const struct hal_boot *boot = hal_boot_info();

	for (unsigned i = 0; i < boot->ram_count; i++) {
		uint64_t step = boot->ram[i].bytes / 16 / HAL_PAGE_SIZE * HAL_PAGE_SIZE;

		for (unsigned k = 8; k <= 16; k++) { /* the lower half may hold taken pages */
			uint64_t offset = k < 16 ? k * step : boot->ram[i].bytes - HAL_PAGE_SIZE;
			volatile uint64_t *word = hal_phys_to_virt(boot->ram[i].base + offset);

			CHECK(hal_virt_to_phys((void *)word) == boot->ram[i].base + offset);
			*word = offset ^ 0x5a5a5a5a;
			CHECK(*word == (offset ^ 0x5a5a5a5a));
		}
	}
}

static void test_guard_can_be_taken_away_again(void)
{
	paddr_t page = page_take();
	volatile uint64_t *word = hal_phys_to_virt(page);

	*word = 77;
	CHECK(hal_guard_set((void *)word, true) == 0);
	CHECK(hal_guard_set((void *)word, false) == 0);
	CHECK(*word == 77);
	*word = 78;
	CHECK(*word == 78);
	page_give(page);
}

static bool same_device(const struct hal_device *a, const struct hal_device *b)
{
	return a->bus == b->bus && a->name == b->name && a->regs == b->regs &&
	       a->regs_bytes == b->regs_bytes && a->irq == b->irq && a->pci == b->pci;
}

static void test_devices_come_in_the_same_order(void)
{
	struct hal_device first, second;
	unsigned a = 0, b = 0, count = 0;

	while (hal_device_next(&a, &first)) {
		CHECK(hal_device_next(&b, &second));
		CHECK(same_device(&first, &second));
		CHECK(first.name && first.name[0]);
		CHECK(!first.irq || (first.irq >= HAL_IRQ_DEVICE && first.irq < HAL_IRQ_MAX));
		CHECK(++count < 1000);
	}
	CHECK(!hal_device_next(&b, &second));
}

#define VIRTIO_MAGIC 0x74726976u /* virtio 1.2, 4.2.2: MagicValue, little-endian "virt" */

static void test_virtio_mmio_devices_have_their_magic(void)
{
	struct hal_device device;
	unsigned cursor = 0, seen = 0;

	while (hal_device_next(&cursor, &device)) {
		uintptr_t base;

		if (device.bus != HAL_BUS_VIRTIO_MMIO)
			continue;
		CHECK(device.irq);
		CHECK(hal_mmio_map(device.regs, device.regs_bytes, &base) == 0);
		CHECK(hal_mmio_read32(base) == VIRTIO_MAGIC);
		seen++;
	}
	if (!seen)
		test_skip("the machine has no virtio-mmio device");
}

static void test_entropy_differs(void)
{
	uint8_t a[64] = {0}, b[64] = {0};
	unsigned zeros = 0;

	if (hal_entropy(a, sizeof(a)) == -ENODEV) {
		test_skip("the machine has no source of random numbers");
		return;
	}
	CHECK(hal_entropy(b, sizeof(b)) == 0);
	CHECK(memcmp(a, b, sizeof(a)) != 0);
	for (unsigned i = 0; i < sizeof(a); i++)
		zeros += !a[i];
	CHECK(zeros < 16);
	memset(a, 0, sizeof(a));
	CHECK(hal_entropy(a, 3) == 0);
	CHECK(!a[3] && !a[4]);
}

static void test_seed_is_told(void)
{
	CHECK(hal_has(HAL_HAS_SEED) == (hal_seed() != 0));
	CHECK(!hal_has(HAL_HAS_SEED) || hal_cpu_count() == 1);
}

const struct test tests_machine[] = {
	TEST(test_ram_is_whole_pages_in_order),
	TEST(test_initrd_lies_outside_of_ram),
	TEST(test_strings_of_the_boot_are_there),
	TEST(test_direct_map_reaches_all_ram),
	TEST(test_guard_can_be_taken_away_again),
	TEST(test_devices_come_in_the_same_order),
	TEST(test_virtio_mmio_devices_have_their_magic),
	TEST(test_entropy_differs),
	TEST(test_seed_is_told),
	{0},
};
