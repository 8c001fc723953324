/*
 * Copies between the kernel and user memory.
 *
 * Page by page: the space is walked to the page under its lock, and the bytes are copied through
 * the direct map before the lock is let go, so that the page cannot be taken away meanwhile. A
 * page that is not there, or must be copied before it is written, is made by a page fault. Other
 * CPUs may change the bytes at any time: who checks what it has copied must not copy it again.
 */
#include "core/space_priv.h"

/* What is done with each piece of a page. Nonzero ends the walk. */
struct copy {
	unsigned access; /* of the user memory */
	int (*step)(struct copy *copy, char *user, size_t bytes);
	char *kernel; /* the other side; moves on */
	bool ended;   /* a string has its end */
};

static bool is_user_range(vaddr_t addr, size_t bytes)
{
	return addr >= HAL_USER_MIN && addr <= HAL_USER_MAX && bytes <= HAL_USER_MAX - addr;
}

/* One piece, which lies within one page. */
static int copy_piece(struct space *space, struct copy *copy, vaddr_t addr, size_t bytes)
{
	struct fault_wish wish = {.access = copy->access};
	struct page *page;
	int err;

	for (;;) {
		spin_lock(&space->lock);
		err = fault_find_page(space, addr, &wish, &page);
		if (!err) {
			size_t offset = addr & (PAGE_SIZE - 1);

			err = copy->step(copy, (char *)page_to_virt(page) + offset, bytes);
			spin_unlock(&space->lock);
			return err;
		}
		spin_unlock(&space->lock);
		if (err == -EAGAIN)
			err = space_fault(space, addr, copy->access);
		wish.faulted = true;
		if (err)
			return err == -ENOMEM ? -ENOMEM : -EFAULT;
	}
}

static int walk(struct space *space, struct copy *copy, vaddr_t addr, size_t bytes)
{
	int err = 0;

	while (bytes && !err && !copy->ended) {
		size_t piece = MIN(bytes, PAGE_SIZE - (addr & (PAGE_SIZE - 1)));

		err = copy_piece(space, copy, addr, piece);
		addr += piece;
		bytes -= piece;
	}
	return err;
}

static int step_in(struct copy *copy, char *user, size_t bytes)
{
	memcpy(copy->kernel, user, bytes);
	copy->kernel += bytes;
	return 0;
}

static int step_out(struct copy *copy, char *user, size_t bytes)
{
	memcpy(user, copy->kernel, bytes);
	copy->kernel += bytes;
	return 0;
}

static int step_zero(struct copy *copy, char *user, size_t bytes)
{
	(void)copy;
	memset(user, 0, bytes);
	return 0;
}

/* Byte by byte, because another CPU may change the string while its end is looked for. */
static int step_string(struct copy *copy, char *user, size_t bytes)
{
	for (size_t i = 0; i < bytes && !copy->ended; i++) {
		*copy->kernel = user[i];
		copy->ended = !*copy->kernel++;
	}
	return 0;
}

int copy_in(struct space *space, void *to, vaddr_t from, size_t bytes)
{
	struct copy copy = {.access = HAL_PROT_READ, .step = step_in, .kernel = to};

	return is_user_range(from, bytes) ? walk(space, &copy, from, bytes) : -EFAULT;
}

int copy_out(struct space *space, vaddr_t to, const void *from, size_t bytes)
{
	struct copy copy = {.access = HAL_PROT_WRITE, .step = step_out};

	copy.kernel = (char *)(uintptr_t)from; /* step_out() only reads */
	return is_user_range(to, bytes) ? walk(space, &copy, to, bytes) : -EFAULT;
}

int copy_zero(struct space *space, vaddr_t to, size_t bytes)
{
	struct copy copy = {.access = HAL_PROT_WRITE, .step = step_zero};

	return is_user_range(to, bytes) ? walk(space, &copy, to, bytes) : -EFAULT;
}

int64_t copy_in_string(struct space *space, char *to, vaddr_t from, size_t size)
{
	struct copy copy = {.access = HAL_PROT_READ, .step = step_string, .kernel = to};
	int err;

	if (from < HAL_USER_MIN || from >= HAL_USER_MAX)
		return -EFAULT;
	if (size > HAL_USER_MAX - from)
		size = HAL_USER_MAX - from;
	err = walk(space, &copy, from, size);
	if (err)
		return err;
	return copy.ended ? copy.kernel - to - 1 : -ENAMETOOLONG;
}
