/*
 * The block seam: what every disk driver offers and every user of disks asks for. A request holds
 * no pointer, so that it can be passed to a service that runs elsewhere.
 */
#ifndef SERVICES_DRIVERS_BLOCK_H
#define SERVICES_DRIVERS_BLOCK_H

#include "hal/types.h"

#define BLOCK_SECTOR_BYTES 512
#define BLOCK_PAGES_MAX 16 /* of one request */
#define BLOCK_DEVICES_MAX 16

enum block_operation { BLOCK_READ, BLOCK_WRITE, BLOCK_FLUSH };

/* Reading and writing may be repeated: a driver that is started anew gets the request again. */
struct block_request {
	uint32_t operation;		  /* enum block_operation */
	uint32_t sectors;		  /* 0 for BLOCK_FLUSH */
	uint64_t sector;		  /* the first */
	uint32_t page_count;
	paddr_t pages[BLOCK_PAGES_MAX];	  /* whole pages in order; the last may be used in part */
};

struct block_device {
	char name[16]; /* "disk0" */
	uint64_t sectors;
	bool read_only;
	uint32_t pages_max; /* of one request, at most BLOCK_PAGES_MAX */
	void *driver;	    /* the driver's own */
	/* Does a request that block_do() has checked. May block. 0, -EIO, -ENOMEM. */
	int (*run)(struct block_device *device, const struct block_request *request);
};

/* Makes a disk known under the next name; it stays for ever. 0 or -ENOSPC. */
HAL_USE_RESULT int block_register(struct block_device *device);

/* The disk with that number, or NULL. */
struct block_device *block_find(unsigned index);

/* Checks a request and does it. May block. 0; -EINVAL; -ERANGE behind the end; -EROFS; -EIO. */
HAL_USE_RESULT int block_do(struct block_device *device, const struct block_request *request);

#endif
