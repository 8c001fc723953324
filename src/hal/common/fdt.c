/*
 * The flattened device tree: see fdt.h.
 *
 * One function, read_token(), knows the structure block; it checks each token against the block's
 * bounds before it looks, and a token that makes no sense counts as the end, so that no walk leaves
 * the block whatever it holds. fdt_open() runs it over the whole block, so that a walk of a tree
 * that it accepted sees all of it. No lock, no state.
 */
#include "hal/common/fdt.h"

#define FDT_MAGIC 0xd00dfeedu
#define FDT_HEADER_BYTES 40u
#define FDT_VERSION 17u
#define FDT_VERSION_COMPATIBLE 16u
#define FDT_NAME_MAX 255u

#define TOKEN_BEGIN 1u
#define TOKEN_END 2u
#define TOKEN_PROP 3u
#define TOKEN_NOP 4u
#define TOKEN_FINISH 9u

struct token {
	uint32_t kind;
	uint32_t next;		/* offset of the token behind it */
	const char *name;	/* BEGIN, PROP */
	struct fdt_value value; /* PROP */
};

static uint32_t read_be32(const uint8_t *at)
{
	return (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 | at[3];
}

static uint64_t read_be64(const uint8_t *at)
{
	return (uint64_t)read_be32(at) << 32 | read_be32(at + 4);
}

static bool same_text(const char *a, const char *b)
{
	while (*a != 0 && *a == *b) {
		a++;
		b++;
	}
	return *a == *b;
}

/* The length of the text at `text` if it ends within `max` bytes, else `max`. */
static uint32_t text_length(const uint8_t *text, uint32_t max)
{
	uint32_t length = 0;

	while (length < max && text[length] != 0)
		length++;
	return length;
}

/* ---- Tokens ---- */

static int read_begin(const struct fdt *fdt, uint32_t offset, struct token *token)
{
	const uint8_t *text = fdt->blob + fdt->nodes + offset + 4;
	uint32_t left = fdt->nodes_bytes - offset - 4;
	uint32_t length = text_length(text, left < FDT_NAME_MAX + 1 ? left : FDT_NAME_MAX + 1);

	if (length == left || length > FDT_NAME_MAX)
		return -EINVAL;
	token->name = (const char *)text;
	token->next = offset + 4 + (length + 1 + 3) / 4 * 4;
	return 0;
}

static int read_prop(const struct fdt *fdt, uint32_t offset, struct token *token)
{
	const uint8_t *at = fdt->blob + fdt->nodes + offset;
	uint32_t left = fdt->nodes_bytes - offset;
	uint32_t name, bytes;

	if (left < 12)
		return -EINVAL;
	bytes = read_be32(at + 4);
	name = read_be32(at + 8);
	if (bytes > left - 12 || name >= fdt->strings_bytes)
		return -EINVAL;
	token->name = (const char *)fdt->blob + fdt->strings + name;
	if (text_length((const uint8_t *)token->name, fdt->strings_bytes - name) ==
	    fdt->strings_bytes - name)
		return -EINVAL;
	token->value.data = at + 12;
	token->value.bytes = bytes;
	token->next = offset + 12 + (bytes + 3) / 4 * 4;
	return 0;
}

static int read_token(const struct fdt *fdt, uint32_t offset, struct token *token)
{
	int err = 0;

	if (offset > fdt->nodes_bytes || fdt->nodes_bytes - offset < 4)
		return -EINVAL;
	token->kind = read_be32(fdt->blob + fdt->nodes + offset);
	token->next = offset + 4;
	if (token->kind == TOKEN_BEGIN)
		err = read_begin(fdt, offset, token);
	else if (token->kind == TOKEN_PROP)
		err = read_prop(fdt, offset, token);
	else if (token->kind != TOKEN_END && token->kind != TOKEN_NOP &&
		 token->kind != TOKEN_FINISH)
		err = -EINVAL;
	if (err != 0 || token->next > fdt->nodes_bytes)
		return -EINVAL;
	return 0;
}

/* The token at `offset` of a tree that was accepted; a broken one counts as the end. */
static struct token token_at(const struct fdt *fdt, uint32_t offset)
{
	struct token token = {.kind = TOKEN_FINISH};

	if (read_token(fdt, offset, &token) != 0)
		token.kind = TOKEN_FINISH;
	return token;
}

/* ---- Opening ---- */

/* Properties come before children, ends meet begins, one root, and the finish token closes it. */
static int check_nodes(const struct fdt *fdt)
{
	bool children[FDT_DEPTH_MAX + 1] = {false};
	uint32_t offset = 0, depth = 0;
	struct token token;

	if (read_token(fdt, 0, &token) != 0 || token.kind != TOKEN_BEGIN || token.name[0] != 0)
		return -EINVAL;
	for (;;) {
		if (read_token(fdt, offset, &token) != 0)
			return -EINVAL;
		if (token.kind == TOKEN_BEGIN) {
			if (depth == FDT_DEPTH_MAX || (depth == 0 && offset != 0))
				return -EINVAL;
			children[depth] = true;
			children[++depth] = false;
		} else if (token.kind == TOKEN_END) {
			if (depth == 0)
				return -EINVAL;
			depth--;
		} else if (token.kind == TOKEN_PROP) {
			if (depth == 0 || children[depth])
				return -EINVAL;
		} else if (token.kind == TOKEN_FINISH) {
			return depth == 0 ? 0 : -EINVAL;
		}
		offset = token.next;
	}
}

static int check_reserved(struct fdt *fdt)
{
	uint32_t offset = fdt->reserved;

	fdt->reserved_count = 0;
	for (;;) {
		if (fdt->bytes - offset < 16)
			break;
		if (read_be64(fdt->blob + offset) == 0 && read_be64(fdt->blob + offset + 8) == 0)
			return 0;
		fdt->reserved_count++;
		offset += 16;
	}
	fdt->reserved_count = 0;
	return -EINVAL;
}

int fdt_peek(const void *blob, uint32_t *bytes)
{
	const uint8_t *header = blob;

	if (read_be32(header) != FDT_MAGIC)
		return -EINVAL;
	*bytes = read_be32(header + 4);
	return *bytes >= FDT_HEADER_BYTES && *bytes <= FDT_BYTES_MAX ? 0 : -EINVAL;
}

/* Reads the header: the blocks lie inside of the blob. */
static int open_header(struct fdt *fdt, const uint8_t *header, size_t bytes)
{
	uint32_t total;

	if (bytes < FDT_HEADER_BYTES || fdt_peek(header, &total) != 0 || total > bytes)
		return -EINVAL;
	if (read_be32(header + 20) < FDT_VERSION ||
	    read_be32(header + 24) > FDT_VERSION_COMPATIBLE + 1)
		return -EINVAL;
	fdt->blob = header;
	fdt->bytes = total;
	fdt->nodes = read_be32(header + 8);
	fdt->strings = read_be32(header + 12);
	fdt->reserved = read_be32(header + 16);
	fdt->strings_bytes = read_be32(header + 32);
	fdt->nodes_bytes = read_be32(header + 36);
	if (fdt->nodes > total || fdt->nodes_bytes > total - fdt->nodes || fdt->nodes % 4 != 0 ||
	    fdt->strings > total || fdt->strings_bytes > total - fdt->strings ||
	    fdt->reserved > total || fdt->reserved % 8 != 0)
		return -EINVAL;
	return 0;
}

int fdt_open(struct fdt *fdt, const void *blob, size_t bytes)
{
	int err = open_header(fdt, blob, bytes);

	if (err != 0) {
		*fdt = (struct fdt){.blob = blob};
		return err;
	}
	err = check_reserved(fdt);
	if (err == 0)
		err = check_nodes(fdt);
	return err;
}

/* ---- Nodes ---- */

/* The offset behind the whole of `node`, its children included. */
static uint32_t skip_node(const struct fdt *fdt, uint32_t node)
{
	uint32_t offset = node, depth = 0;

	for (;;) {
		struct token token = token_at(fdt, offset);

		if (token.kind == TOKEN_FINISH)
			return offset;
		offset = token.next;
		if (token.kind == TOKEN_BEGIN)
			depth++;
		else if (token.kind == TOKEN_END && --depth == 0)
			return offset;
	}
}

bool fdt_next(const struct fdt *fdt, uint32_t *node)
{
	struct token token = token_at(fdt, *node);

	while (token.kind != TOKEN_FINISH) {
		uint32_t offset = token.next;

		token = token_at(fdt, offset);
		if (token.kind == TOKEN_BEGIN) {
			*node = offset;
			return true;
		}
	}
	return false;
}

/* The first node at or behind `offset` before the end of the parent. */
static bool find_begin(const struct fdt *fdt, uint32_t offset, uint32_t *node)
{
	for (;;) {
		struct token token = token_at(fdt, offset);

		if (token.kind == TOKEN_BEGIN) {
			*node = offset;
			return true;
		}
		if (token.kind == TOKEN_END || token.kind == TOKEN_FINISH)
			return false;
		offset = token.next;
	}
}

bool fdt_child(const struct fdt *fdt, uint32_t node, uint32_t *child)
{
	return find_begin(fdt, token_at(fdt, node).next, child);
}

bool fdt_sibling(const struct fdt *fdt, uint32_t *node)
{
	return find_begin(fdt, skip_node(fdt, *node), node);
}

bool fdt_parent(const struct fdt *fdt, uint32_t node, uint32_t *parent)
{
	uint32_t path[FDT_DEPTH_MAX + 1];
	uint32_t offset = 0, depth = 0;

	for (;;) {
		struct token token = token_at(fdt, offset);

		if (token.kind == TOKEN_BEGIN && offset == node) {
			if (depth == 0)
				return false;
			*parent = path[depth - 1];
			return true;
		}
		if (token.kind == TOKEN_BEGIN && depth <= FDT_DEPTH_MAX)
			path[depth++] = offset;
		else if (token.kind == TOKEN_END && depth > 0)
			depth--;
		else if (token.kind == TOKEN_FINISH)
			return false;
		offset = token.next;
	}
}

const char *fdt_name(const struct fdt *fdt, uint32_t node)
{
	struct token token = token_at(fdt, node);

	return token.kind == TOKEN_BEGIN ? token.name : "";
}

/* The length of the path element at `path`. */
static uint32_t element_length(const char *path)
{
	uint32_t length = 0;

	while (path[length] != 0 && path[length] != '/' && path[length] != ':')
		length++;
	return length;
}

/* Whether a node's name is the element, with the unit address or without it. */
static bool element_is(const char *name, const char *element, uint32_t length)
{
	uint32_t i;

	for (i = 0; i < length; i++)
		if (name[i] != element[i])
			return false;
	return name[length] == 0 || name[length] == '@';
}

static int walk_path(const struct fdt *fdt, const char *path, uint32_t *node)
{
	*node = FDT_ROOT;
	while (*path == '/')
		path++;
	while (*path != 0 && *path != ':') {
		uint32_t length = element_length(path);
		bool found = fdt_child(fdt, *node, node);

		while (found && !element_is(fdt_name(fdt, *node), path, length))
			found = fdt_sibling(fdt, node);
		if (!found)
			return -ENOENT;
		path += length;
		while (*path == '/')
			path++;
	}
	return 0;
}

int fdt_find_path(const struct fdt *fdt, const char *path, uint32_t *node)
{
	char alias[FDT_NAME_MAX + 1];
	uint32_t aliases, length, i;
	const char *target;

	if (path[0] == '/')
		return walk_path(fdt, path, node);
	length = element_length(path);
	if (length == 0 || length > FDT_NAME_MAX || walk_path(fdt, "/aliases", &aliases) != 0)
		return -ENOENT;
	for (i = 0; i < length; i++)
		alias[i] = path[i];
	alias[length] = 0;
	if (fdt_get_string(fdt, aliases, alias, &target) != 0 || target[0] != '/')
		return -ENOENT;
	return walk_path(fdt, target, node);
}

int fdt_find_phandle(const struct fdt *fdt, uint32_t phandle, uint32_t *node)
{
	uint32_t value;

	*node = FDT_ROOT;
	do {
		if (fdt_get_u32(fdt, *node, "phandle", &value) == 0 && value == phandle)
			return 0;
	} while (fdt_next(fdt, node));
	return -ENOENT;
}

bool fdt_compatible(const struct fdt *fdt, uint32_t node, const char *name)
{
	struct fdt_value value;
	uint32_t offset = 0;

	if (fdt_get(fdt, node, "compatible", &value) != 0)
		return false;
	while (offset < value.bytes) {
		uint32_t length = text_length(value.data + offset, value.bytes - offset);

		if (length == value.bytes - offset)
			return false;
		if (same_text((const char *)value.data + offset, name))
			return true;
		offset += length + 1;
	}
	return false;
}

bool fdt_enabled(const struct fdt *fdt, uint32_t node)
{
	const char *status;
	int err = fdt_get_string(fdt, node, "status", &status);

	if (err != 0)
		return err == -ENOENT;
	return same_text(status, "okay") || same_text(status, "ok");
}

/* ---- Properties ---- */

int fdt_get(const struct fdt *fdt, uint32_t node, const char *name, struct fdt_value *value)
{
	struct token token = token_at(fdt, node);

	if (token.kind != TOKEN_BEGIN)
		return -ENOENT;
	for (;;) {
		token = token_at(fdt, token.next);
		if (token.kind == TOKEN_PROP && same_text(token.name, name)) {
			*value = token.value;
			return 0;
		}
		if (token.kind != TOKEN_PROP && token.kind != TOKEN_NOP)
			return -ENOENT;
	}
}

int fdt_get_u32(const struct fdt *fdt, uint32_t node, const char *name, uint32_t *value)
{
	struct fdt_value raw;
	int err = fdt_get(fdt, node, name, &raw);

	if (err != 0)
		return err;
	if (raw.bytes != 4)
		return -EINVAL;
	*value = read_be32(raw.data);
	return 0;
}

int fdt_get_u64(const struct fdt *fdt, uint32_t node, const char *name, uint64_t *value)
{
	struct fdt_value raw;
	int err = fdt_get(fdt, node, name, &raw);

	if (err != 0)
		return err;
	if (raw.bytes != 4 && raw.bytes != 8)
		return -EINVAL;
	*value = raw.bytes == 4 ? read_be32(raw.data) : read_be64(raw.data);
	return 0;
}

int fdt_get_string(const struct fdt *fdt, uint32_t node, const char *name, const char **text)
{
	struct fdt_value raw;
	int err = fdt_get(fdt, node, name, &raw);

	if (err != 0)
		return err;
	if (text_length(raw.data, raw.bytes) == raw.bytes)
		return -EINVAL;
	*text = (const char *)raw.data;
	return 0;
}

uint32_t fdt_cell(const struct fdt_value *value, uint32_t index)
{
	return read_be32(value->data + (size_t)index * 4);
}

/* A number of `cells` cells (0, 1 or 2). */
static uint64_t read_cells(const struct fdt_value *value, uint32_t index, uint32_t cells)
{
	uint64_t number = 0;

	while (cells-- > 0)
		number = number << 32 | fdt_cell(value, index++);
	return number;
}

/* #address-cells or #size-cells, by the rules for what is missing. */
static int get_cells(const struct fdt *fdt, uint32_t bus, const char *name, uint32_t *cells)
{
	int err = fdt_get_u32(fdt, bus, name, cells);

	if (err == -ENOENT) {
		*cells = name[1] == 'a' ? 2 : 1;
		return 0;
	}
	return err != 0 || *cells > 3 ? -EINVAL : 0;
}

struct bus_cells {
	uint32_t child, parent, size;
};

/* How many cells the parts of a "ranges" line of `bus` have. */
static int get_window_cells(const struct fdt *fdt, uint32_t bus, struct bus_cells *cells)
{
	uint32_t parent;

	if (!fdt_parent(fdt, bus, &parent))
		return -ENOENT;
	if (get_cells(fdt, bus, "#address-cells", &cells->child) != 0 ||
	    get_cells(fdt, bus, "#size-cells", &cells->size) != 0 ||
	    get_cells(fdt, parent, "#address-cells", &cells->parent) != 0)
		return -EINVAL;
	return cells->parent <= 2 && cells->size <= 2 && cells->child > 0 ? 0 : -EINVAL;
}

int fdt_window(const struct fdt *fdt, uint32_t node, unsigned index, struct fdt_window *window)
{
	struct bus_cells cells;
	struct fdt_value value;
	uint32_t line, at, flags;
	int err = get_window_cells(fdt, node, &cells);

	if (err == 0)
		err = fdt_get(fdt, node, "ranges", &value);
	if (err != 0)
		return err;
	line = cells.child + cells.parent + cells.size;
	if (value.bytes % (line * 4) != 0)
		return -EINVAL;
	if (index >= value.bytes / (line * 4))
		return -ENOENT;
	at = index * line;
	flags = cells.child == 3; /* how many cells they take */
	window->flags = flags ? fdt_cell(&value, at) : 0;
	window->child = read_cells(&value, at + flags, cells.child - flags);
	window->parent = read_cells(&value, at + cells.child, cells.parent);
	window->bytes = read_cells(&value, at + cells.child + cells.parent, cells.size);
	if (window->child + window->bytes < window->child ||
	    window->parent + window->bytes < window->parent)
		return -EINVAL;
	return 0;
}

/* Takes `range` from the address space of `bus` to that of its parent. */
static int translate_range(const struct fdt *fdt, uint32_t bus, struct fdt_range *range)
{
	struct fdt_window window;
	struct fdt_value value;
	unsigned index;
	int err;

	if (fdt_get(fdt, bus, "ranges", &value) != 0)
		return -ENXIO;
	if (value.bytes == 0)
		return 0;
	for (index = 0;; index++) {
		err = fdt_window(fdt, bus, index, &window);
		if (err != 0)
			return err == -ENOENT ? -ENXIO : err;
		if (window.flags == 0 && range->base >= window.child &&
		    range->base - window.child < window.bytes &&
		    range->bytes <= window.bytes - (range->base - window.child)) {
			range->base = range->base - window.child + window.parent;
			return 0;
		}
	}
}

int fdt_reg(const struct fdt *fdt, uint32_t node, unsigned index, struct fdt_range *range)
{
	uint32_t bus, address, size, line;
	struct fdt_value value;
	int err = fdt_get(fdt, node, "reg", &value);

	if (err != 0)
		return err;
	if (!fdt_parent(fdt, node, &bus))
		return -ENOENT;
	if (get_cells(fdt, bus, "#address-cells", &address) != 0 ||
	    get_cells(fdt, bus, "#size-cells", &size) != 0)
		return -EINVAL;
	line = address + size;
	if (address == 0 || address > 2 || size > 2 || value.bytes % (line * 4) != 0)
		return -EINVAL;
	if (index >= value.bytes / (line * 4))
		return -ENOENT;
	range->base = read_cells(&value, index * line, address);
	range->bytes = read_cells(&value, index * line + address, size);
	if (range->base + range->bytes < range->base)
		return -EINVAL;
	while (bus != FDT_ROOT) {
		err = translate_range(fdt, bus, range);
		if (err != 0)
			return err;
		if (!fdt_parent(fdt, bus, &bus))
			return -EINVAL;
	}
	return 0;
}

/* ---- Interrupts ---- */

static int find_interrupt_parent(const struct fdt *fdt, uint32_t node, uint32_t *controller)
{
	uint32_t phandle;
	int err;

	for (;;) {
		err = fdt_get_u32(fdt, node, "interrupt-parent", &phandle);
		if (err == 0)
			return fdt_find_phandle(fdt, phandle, controller);
		if (err != -ENOENT)
			return err;
		if (!fdt_parent(fdt, node, &node))
			return -ENOENT;
	}
}

/* Reads one specifier for interrupt->controller from the cells at `index`. */
static int read_specifier(const struct fdt *fdt, const struct fdt_value *value, uint32_t index,
			  struct fdt_interrupt *interrupt)
{
	uint32_t i, count;

	if (fdt_get_u32(fdt, interrupt->controller, "#interrupt-cells", &count) != 0 ||
	    count == 0 || count > FDT_CELLS_MAX)
		return -EINVAL;
	if (index > value->bytes / 4 || value->bytes / 4 - index < count)
		return -EINVAL;
	interrupt->count = count;
	for (i = 0; i < count; i++)
		interrupt->cells[i] = fdt_cell(value, index + i);
	return 0;
}

int fdt_interrupt(const struct fdt *fdt, uint32_t node, unsigned index,
		  struct fdt_interrupt *interrupt)
{
	struct fdt_value value;
	uint32_t count;
	int err = fdt_get(fdt, node, "interrupts", &value);

	if (err != 0)
		return err;
	err = find_interrupt_parent(fdt, node, &interrupt->controller);
	if (err != 0)
		return err == -ENOENT ? -EINVAL : err;
	if (fdt_get_u32(fdt, interrupt->controller, "#interrupt-cells", &count) != 0 ||
	    count == 0 || count > FDT_CELLS_MAX || value.bytes % (count * 4) != 0)
		return -EINVAL;
	if (index >= value.bytes / (count * 4))
		return -ENOENT;
	return read_specifier(fdt, &value, index * count, interrupt);
}

/*
 * A line of the map: three address cells and the pin, the controller, the controller's unit
 * address (as many cells as it says) and the specifier.
 */
int fdt_interrupt_map(const struct fdt *fdt, uint32_t bridge, uint32_t address, uint32_t pin,
		      struct fdt_interrupt *interrupt)
{
	uint32_t at = 0, unit, mask_address, mask_pin;
	struct fdt_value map, mask;

	if (fdt_get(fdt, bridge, "interrupt-map", &map) != 0)
		return -ENOENT;
	if (fdt_get(fdt, bridge, "interrupt-map-mask", &mask) != 0 || mask.bytes != 16)
		return -EINVAL;
	mask_address = fdt_cell(&mask, 0);
	mask_pin = fdt_cell(&mask, 3);
	while (at < map.bytes / 4) {
		if (map.bytes / 4 - at < 5 ||
		    fdt_find_phandle(fdt, fdt_cell(&map, at + 4), &interrupt->controller) != 0)
			return -EINVAL;
		if (fdt_get_u32(fdt, interrupt->controller, "#address-cells", &unit) != 0)
			unit = 0;
		if (unit > 2 ||
		    read_specifier(fdt, &map, at + 5 + unit, interrupt) != 0)
			return -EINVAL;
		if (((fdt_cell(&map, at) ^ address) & mask_address) == 0 &&
		    ((fdt_cell(&map, at + 3) ^ pin) & mask_pin) == 0)
			return 0;
		at += 5 + unit + interrupt->count;
	}
	return -ENOENT;
}

int fdt_reserved(const struct fdt *fdt, unsigned index, struct fdt_range *range)
{
	const uint8_t *at = fdt->blob + fdt->reserved + (size_t)index * 16;

	if (index >= fdt->reserved_count)
		return -ENOENT;
	range->base = read_be64(at);
	range->bytes = read_be64(at + 8);
	return range->base + range->bytes < range->base ? -EINVAL : 0;
}
