/*
 * System calls on memory: brk, mmap, munmap, mprotect, madvise.
 *
 * No state of its own; the heap's end is in struct linux_process, mappings are in core/space.c.
 */
#include "services/linux/linux_priv.h"

#include "services/linux/call_priv.h"

#define PROT_READ 1u
#define PROT_WRITE 2u
#define PROT_EXEC 4u
#define PROT_ALL (PROT_READ | PROT_WRITE | PROT_EXEC)

#define MAP_SHARED 0x01u
#define MAP_PRIVATE 0x02u
#define MAP_TYPE 0x0fu
#define MAP_FIXED 0x10u
#define MAP_ANONYMOUS 0x20u
#define MAP_32BIT 0x40u
#define MAP_GROWSDOWN 0x100u
#define MAP_LOCKED 0x2000u
#define MAP_POPULATE 0x8000u
#define MAP_HUGETLB 0x40000u
#define MAP_FIXED_NOREPLACE 0x100000u

static bool in_user_range(vaddr_t addr, uint64_t bytes)
{
	return addr >= HAL_USER_MIN && addr <= HAL_USER_MAX && bytes <= HAL_USER_MAX - addr;
}

static unsigned prot_of_linux(uint64_t prot)
{
	return (prot & PROT_READ ? HAL_PROT_READ : 0) | (prot & PROT_WRITE ? HAL_PROT_WRITE : 0) |
	       (prot & PROT_EXEC ? HAL_PROT_EXEC : 0);
}

/* Whether all of [addr, addr + bytes) is mapped. */
static bool all_mapped(vaddr_t addr, uint64_t bytes)
{
	struct space_region_info info;
	vaddr_t end = addr + bytes;

	while (addr < end) {
		if (space_region_next(space_this(), addr, &info) || info.start > addr)
			return false;
		addr = info.end;
	}
	return true;
}

/* Grows or shrinks the heap from page-aligned end `old` to `end`. */
static int move_heap_end(vaddr_t old, vaddr_t end)
{
	const struct space_map map = {
		.addr = old,
		.bytes = end - old,
		.prot = HAL_PROT_READ | HAL_PROT_WRITE,
		.flags = SPACE_PRIVATE | SPACE_FIXED | SPACE_NO_REPLACE,
		.name = "heap",
	};
	vaddr_t addr;

	if (end == old)
		return 0;
	if (end < old)
		return space_unmap(space_this(), end, old - end);
	return space_map(space_this(), &map, &addr);
}

/* brk(2), the system call: the new end, or the old one where it cannot be moved. */
int64_t linux_brk(const uint64_t args[6])
{
	struct linux_process *process = process_this();
	vaddr_t end = args[0];

	if (end < process->brk_start || end > HAL_USER_MAX - PAGE_SIZE)
		return (int64_t)process->brk;
	if (move_heap_end(ALIGN_UP(process->brk, PAGE_SIZE), ALIGN_UP(end, PAGE_SIZE)))
		return (int64_t)process->brk;
	process->brk = end;
	return (int64_t)end;
}

/* What cannot be served yet is refused with the error that Linux gives where it lacks it. */
static int check_mmap(const uint64_t args[6])
{
	uint64_t bytes = args[1], prot = args[2], flags = args[3];

	if ((flags & MAP_TYPE) != MAP_SHARED && (flags & MAP_TYPE) != MAP_PRIVATE)
		return -EINVAL;
	if (args[5] & (PAGE_SIZE - 1) || bytes == 0 || prot & ~(uint64_t)PROT_ALL)
		return -EINVAL;
	if (bytes > HAL_USER_MAX)
		return -ENOMEM;
	if (!(flags & MAP_ANONYMOUS)) {
		/* A pipe cannot be mapped; there are no other descriptors. */
		return linux_fd_is_open(args[4]) ? -ENODEV : -EBADF;
	}
	if (flags & (MAP_HUGETLB | MAP_32BIT))
		return -ENOMEM;
	if (flags & (MAP_FIXED | MAP_FIXED_NOREPLACE)) {
		if (args[0] & (PAGE_SIZE - 1))
			return -EINVAL;
		if (args[0] < HAL_USER_MIN)
			return -EPERM;
		if (!in_user_range(args[0], ALIGN_UP(bytes, PAGE_SIZE)))
			return -ENOMEM;
	}
	return 0;
}

/* Makes the pages present now. A page that cannot be had is left to a fault, as on Linux. */
static void populate(vaddr_t addr, uint64_t bytes, unsigned prot)
{
	unsigned access = prot & HAL_PROT_WRITE ? HAL_PROT_WRITE : HAL_PROT_READ;

	if (!(prot & (HAL_PROT_READ | HAL_PROT_WRITE)))
		return;
	for (uint64_t at = 0; at < bytes; at += PAGE_SIZE) {
		if (space_fault(space_this(), addr + at, access) || linux_must_stop())
			return;
	}
}

/* mmap(2) */
int64_t linux_mmap(const uint64_t args[6])
{
	uint64_t flags = args[3];
	struct space_map map = {
		.bytes = ALIGN_UP(args[1], PAGE_SIZE),
		.prot = prot_of_linux(args[2]),
		.flags = (flags & MAP_TYPE) == MAP_PRIVATE ? SPACE_PRIVATE : 0,
	};
	vaddr_t addr;
	int err = check_mmap(args);

	if (err)
		return err;
	if (flags & MAP_GROWSDOWN)
		map.flags |= SPACE_GROWS_DOWN;
	if (flags & (MAP_FIXED | MAP_FIXED_NOREPLACE))
		map.flags |= SPACE_FIXED;
	if (flags & MAP_FIXED_NOREPLACE)
		map.flags |= SPACE_NO_REPLACE;
	map.addr = ALIGN_DOWN(args[0], PAGE_SIZE);
	if (!(map.flags & SPACE_FIXED) && !in_user_range(map.addr, map.bytes))
		map.addr = 0;
	err = space_map(space_this(), &map, &addr);
	if (err)
		return err;
	if (flags & (MAP_POPULATE | MAP_LOCKED))
		populate(addr, map.bytes, map.prot);
	return (int64_t)addr;
}

/* munmap(2): what is not mapped in the range is no error. */
int64_t linux_munmap(const uint64_t args[6])
{
	uint64_t bytes = ALIGN_UP(args[1], PAGE_SIZE);

	if (args[0] & (PAGE_SIZE - 1) || bytes == 0 || args[0] > HAL_USER_MAX ||
	    bytes > HAL_USER_MAX - args[0])
		return -EINVAL;
	if (args[0] + bytes <= HAL_USER_MIN)
		return 0;
	if (args[0] < HAL_USER_MIN)
		return space_unmap(space_this(), HAL_USER_MIN, args[0] + bytes - HAL_USER_MIN);
	return space_unmap(space_this(), args[0], bytes);
}

/* mprotect(2); PROT_GROWSDOWN and PROT_GROWSUP are refused. */
int64_t linux_mprotect(const uint64_t args[6])
{
	uint64_t bytes = ALIGN_UP(args[1], PAGE_SIZE);

	if (args[0] & (PAGE_SIZE - 1) || args[2] & ~(uint64_t)PROT_ALL)
		return -EINVAL;
	if (args[1] == 0)
		return 0;
	if (bytes == 0 || !in_user_range(args[0], bytes) || !all_mapped(args[0], bytes))
		return -ENOMEM;
	return space_protect(space_this(), args[0], bytes, prot_of_linux(args[2]));
}

/* The advice of madvise(2) that a kernel is free to ignore, as bits. */
#define ADVICE(number) ((uint64_t)1 << (number))
#define ADVICE_NORMAL 0
#define ADVICE_RANDOM 1
#define ADVICE_SEQUENTIAL 2
#define ADVICE_WILLNEED 3
#define ADVICE_FREE 8
#define ADVICE_MERGEABLE 12
#define ADVICE_DODUMP 17
#define ADVICE_COLD 20
#define ADVICE_PAGEOUT 21

static const uint64_t ignorable_advice =
	ADVICE(ADVICE_NORMAL) | ADVICE(ADVICE_RANDOM) | ADVICE(ADVICE_SEQUENTIAL) |
	ADVICE(ADVICE_WILLNEED) | ADVICE(ADVICE_FREE) |
	(ADVICE(ADVICE_DODUMP + 1) - ADVICE(ADVICE_MERGEABLE)) | ADVICE(ADVICE_COLD) |
	ADVICE(ADVICE_PAGEOUT);

/* madvise(2): advice that changes what a program sees (MADV_DONTNEED, ...) is refused. */
int64_t linux_madvise(const uint64_t args[6])
{
	uint64_t bytes = ALIGN_UP(args[1], PAGE_SIZE);

	if (args[0] & (PAGE_SIZE - 1) || args[2] > 63 || !(ignorable_advice & ADVICE(args[2])))
		return -EINVAL;
	if (args[1] == 0)
		return 0;
	if (bytes == 0)
		return -EINVAL;
	return in_user_range(args[0], bytes) && all_mapped(args[0], bytes) ? 0 : -ENOMEM;
}
