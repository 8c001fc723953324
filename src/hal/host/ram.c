/*
 * The machine's memory: one memfd, mapped whole at HAL_DIRECT_MAP_BASE. RAM is [0, mem_bytes).
 *
 * Frame 0 is not given to the kernel. The initial image lies at the top, outside of what is
 * given. A guarded page is one that mprotect() has taken away. The registers of devices have
 * physical addresses from HOST_DEVICE_BASE on; nothing is mapped there.
 */
#include "hal/host/host_priv.h"

#include "hal/base.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

_Static_assert(HOST_MEM_MAX <= HOST_DEVICE_BASE, "device registers lie above all RAM");

static void map_memory(void)
{
	void *want = (void *)HAL_DIRECT_MAP_BASE;
	void *got;

	host.mem_fd = memfd_create("cloudos-memory", MFD_CLOEXEC);
	if (host.mem_fd < 0 || ftruncate(host.mem_fd, (off_t)host.mem_bytes))
		host_refuse("cannot make a memory of %lu MiB: %s; try a smaller --mem",
			    host.mem_bytes >> 20, strerror(errno));
	got = mmap(want, host.mem_bytes, PROT_READ | PROT_WRITE,
		   MAP_SHARED | MAP_FIXED_NOREPLACE | MAP_NORESERVE, host.mem_fd, 0);
	if (got == MAP_FAILED && errno == EEXIST)
		host_refuse("the addresses from %p on, where the machine's memory belongs, are in "
			    "use in this process; a preloaded library may have taken them: try "
			    "without LD_PRELOAD, or a smaller --mem", want);
	if (got == MAP_FAILED)
		host_refuse("cannot map a memory of %lu MiB at %p: %s; try a smaller --mem, or a "
			    "larger limit (ulimit -v)", host.mem_bytes >> 20, want,
			    strerror(errno));
	if (got != want)
		host_refuse("this Linux maps memory elsewhere than asked (%p, not %p); it needs "
			    "to be 4.17 or later", got, want);
}

/* Reads the initial image to the top of RAM, and leaves the rest to the kernel. */
static void load_initrd(const char *path)
{
	struct hal_range *range = &host.boot.initrd;
	uint64_t done = 0;
	struct stat status;
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0 || fstat(fd, &status))
		host_refuse("cannot open the initial image %s: %s", path, strerror(errno));
	if (!S_ISREG(status.st_mode))
		host_refuse("the initial image %s is no file", path);
	range->bytes = (uint64_t)status.st_size;
	if (range->bytes > host.mem_bytes / 2)
		host_refuse("the initial image %s has %lu MiB: too much for a memory of %lu MiB; "
			    "give more with --mem", path, range->bytes >> 20,
			    host.mem_bytes >> 20);
	range->base = ALIGN_DOWN(host.mem_bytes - range->bytes, HAL_PAGE_SIZE);
	while (done < range->bytes) {
		ssize_t got = read(fd, (char *)hal_phys_to_virt(range->base) + done,
				   range->bytes - done);

		if (got <= 0)
			host_refuse("cannot read the initial image %s: %s", path,
				    got ? strerror(errno) : "it got shorter");
		done += (uint64_t)got;
	}
	close(fd);
}

void host_ram_create(void)
{
	uint64_t end = host.mem_bytes;

	map_memory();
	if (host.options->initrd)
		load_initrd(host.options->initrd);
	if (host.boot.initrd.bytes)
		end = host.boot.initrd.base;
	host.boot.ram[0] = (struct hal_range){HAL_PAGE_SIZE, end - HAL_PAGE_SIZE};
	host.boot.ram_count = 1;
}

void *host_ram_find(paddr_t addr, uint64_t bytes)
{
	if (addr >= host.mem_bytes || bytes > host.mem_bytes - addr)
		return NULL;
	return hal_phys_to_virt(addr);
}

int hal_guard_set(void *page, bool guarded)
{
	paddr_t addr = hal_virt_to_phys(page);

	if (addr % HAL_PAGE_SIZE || !host_ram_find(addr, HAL_PAGE_SIZE))
		up_panic(0, 0, "hal_guard_set: %p is no page of the direct map", page);
	if (mprotect(page, HAL_PAGE_SIZE, guarded ? PROT_NONE : PROT_READ | PROT_WRITE))
		return -ENOMEM;
	return 0;
}
