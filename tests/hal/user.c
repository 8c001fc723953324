/*
 * The conformance test's user address spaces.
 */
#include "hal/conformance_user.h"

void space_map(struct space *space, vaddr_t addr, paddr_t page, unsigned prot)
{
	struct hal_mapping mapping = {.addr = addr, .phys = page, .pages = 1, .prot = prot};
	int err = hal_mmu_map(&space->mmu, &mapping, 1);

	if (err)
		up_panic(0, 0, "hal_mmu_map: error %d", -err);
}

void space_make(struct space *space, const struct fragment *fragment)
{
	int err;

	memset(space, 0, sizeof(*space));
	err = hal_mmu_init(&space->mmu);
	if (err)
		up_panic(0, 0, "hal_mmu_init: error %d", -err);
	space->code_page = page_take();
	space->data_page = page_take();
	space->stack_page = page_take();
	space->data = hal_phys_to_virt(space->data_page);
	memcpy(hal_phys_to_virt(space->code_page), fragment->start,
	       (size_t)(fragment->end - fragment->start));
	space_map(space, USER_CODE, space->code_page, HAL_PROT_READ | HAL_PROT_EXEC);
	space_map(space, USER_DATA, space->data_page, HAL_PROT_READ | HAL_PROT_WRITE);
	space_map(space, USER_STACK, space->stack_page, HAL_PROT_READ | HAL_PROT_WRITE);
}

void space_drop(struct space *space)
{
	hal_mmu_fini(&space->mmu);
	page_give(space->code_page);
	page_give(space->data_page);
	page_give(space->stack_page);
}

void user_start(struct hal_user *user, uint64_t a, uint64_t b)
{
	memset(user, 0, sizeof(*user));
	hal_user_init(user, USER_CODE, USER_STACK_TOP);
	arch_set_args(user, a, b);
}

enum hal_event_kind user_run(struct space *space, struct hal_user *user, struct hal_event *event)
{
	do {
		irq_poll();
		hal_user_run(&space->mmu, user, event);
	} while (event->kind == HAL_EVENT_INTERRUPT);
	return event->kind;
}

void user_end(struct space *space, struct hal_user *user)
{
	hal_user_fini(user);
	space_drop(space);
}
