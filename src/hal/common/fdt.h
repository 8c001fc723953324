/*
 * A flattened device tree, read where it lies (Devicetree Specification 0.4, chapters 2, 4, 5).
 *
 * Pure: knows a buffer and its size, allocates nothing, writes nothing. fdt_open() walks the whole
 * tree once and refuses all that is malformed in structure; the other calls check what a single
 * property says. A tree that was refused may still be walked, up to where it is broken: that is
 * how a boot that fails finds the serial port to say so. A node is named by its offset in the
 * structure block; the root comes first.
 */
#ifndef HAL_COMMON_FDT_H
#define HAL_COMMON_FDT_H

#include "hal/types.h"

#define FDT_BYTES_MAX (2u << 20)
#define FDT_DEPTH_MAX 32
#define FDT_CELLS_MAX 8 /* of one interrupt specifier */

struct fdt {
	const uint8_t *blob;
	uint32_t bytes;
	uint32_t nodes, nodes_bytes;	 /* the structure block */
	uint32_t strings, strings_bytes; /* the strings block */
	uint32_t reserved;		 /* the memory reservation block */
	uint32_t reserved_count;	 /* 0 also if it does not end */
};

struct fdt_value {
	const uint8_t *data;
	uint32_t bytes;
};

struct fdt_range {
	uint64_t base, bytes;
};

/* One interrupt as its controller reads it. */
struct fdt_interrupt {
	uint32_t controller; /* node */
	uint32_t count;	     /* of cells */
	uint32_t cells[FDT_CELLS_MAX];
};

/* What a child bus of a bridge reaches of its parent (a line of "ranges"). */
struct fdt_window {
	uint32_t flags; /* the first cell of a three-cell child address, else 0 */
	uint64_t child, parent, bytes;
};

/* Reads only the header: how long the tree at `blob` says it is, at least 40 bytes of it being
 * readable. -EINVAL if there is none. */
HAL_USE_RESULT int fdt_peek(const void *blob, uint32_t *bytes);

/* 0; -EINVAL for a tree that is malformed, cut off, of an unknown version or nested too deep. */
HAL_USE_RESULT int fdt_open(struct fdt *fdt, const void *blob, size_t bytes);

/* ---- Nodes ---- */

#define FDT_ROOT 0u

/* The node behind `*node` in the order of the file. False behind the last. */
bool fdt_next(const struct fdt *fdt, uint32_t *node);

/* The first child of `node`, the next sibling of `*node`, the parent: false if there is none. */
bool fdt_child(const struct fdt *fdt, uint32_t node, uint32_t *child);
bool fdt_sibling(const struct fdt *fdt, uint32_t *node);
bool fdt_parent(const struct fdt *fdt, uint32_t node, uint32_t *parent);

const char *fdt_name(const struct fdt *fdt, uint32_t node); /* with its unit address */

/* "/a/b@1", or an alias "serial0", each up to its end or to ':'. -ENOENT. */
HAL_USE_RESULT int fdt_find_path(const struct fdt *fdt, const char *path, uint32_t *node);
HAL_USE_RESULT int fdt_find_phandle(const struct fdt *fdt, uint32_t phandle, uint32_t *node);

/* Whether "compatible" lists `name`; whether "status" is "okay" or missing. */
bool fdt_compatible(const struct fdt *fdt, uint32_t node, const char *name);
bool fdt_enabled(const struct fdt *fdt, uint32_t node);

/* ---- Properties. -ENOENT: there is none; -EINVAL: it does not have the form asked for. ---- */

HAL_USE_RESULT int fdt_get(const struct fdt *fdt, uint32_t node, const char *name,
			   struct fdt_value *value);
HAL_USE_RESULT int fdt_get_u32(const struct fdt *fdt, uint32_t node, const char *name,
			       uint32_t *value);
HAL_USE_RESULT int fdt_get_u64(const struct fdt *fdt, uint32_t node, const char *name,
			       uint64_t *value); /* of one or of two cells */
HAL_USE_RESULT int fdt_get_string(const struct fdt *fdt, uint32_t node, const char *name,
				  const char **text);
uint32_t fdt_cell(const struct fdt_value *value, uint32_t index); /* index < bytes / 4 */

/* The index-th entry of "reg" as an address of the root bus, translated through "ranges" on the
 * way up. -ENOENT also behind the last entry; -ENXIO if a bus on the way does not translate it:
 * then `range` is in terms of that bus. */
HAL_USE_RESULT int fdt_reg(const struct fdt *fdt, uint32_t node, unsigned index,
			   struct fdt_range *range);

/* The index-th line of "ranges" of a bus, not translated further. */
HAL_USE_RESULT int fdt_window(const struct fdt *fdt, uint32_t node, unsigned index,
			      struct fdt_window *window);

/* The index-th interrupt of a node, from "interrupts" and the interrupt parent. */
HAL_USE_RESULT int fdt_interrupt(const struct fdt *fdt, uint32_t node, unsigned index,
				 struct fdt_interrupt *interrupt);

/*
 * Where "interrupt-map" of a bridge sends pin `pin` (1..4) of the PCI function whose address cell
 * is `address`.
 */
HAL_USE_RESULT int fdt_interrupt_map(const struct fdt *fdt, uint32_t bridge, uint32_t address,
				     uint32_t pin, struct fdt_interrupt *interrupt);

/* The index-th entry of the memory reservation block. -ENOENT behind the last. */
HAL_USE_RESULT int fdt_reserved(const struct fdt *fdt, unsigned index, struct fdt_range *range);

#endif
