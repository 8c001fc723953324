/*
 * System calls on descriptors. There are three, 0, 1 and 2, and all are the console, which behaves
 * as a pipe does: no size, no position, no terminal settings.
 *
 * No state of its own; which of the three are open is in struct linux_process.
 */
#include "services/linux/linux_priv.h"

#include "core/slab.h"
#include "services/console/console.h"
#include "services/linux/call_priv.h"

#define IO_CHUNK_BYTES 4096u
#define IO_BYTES_MAX 0x7ffff000ull /* of one call, as on Linux */
#define IOV_MAX 1024u

struct iovec {
	uint64_t base, bytes;
};

bool linux_fd_is_open(uint64_t fd)
{
	return (uint32_t)fd < 3 && process_this()->open & 1u << (uint32_t)fd;
}

/* Writes user memory to the console through `buf` of IO_CHUNK_BYTES. Bytes, or an error if none
 * was written. */
static int64_t write_chunks(char *buf, vaddr_t from, uint64_t bytes)
{
	uint64_t done = 0;

	while (done < bytes) {
		size_t part = (size_t)MIN(bytes - done, IO_CHUNK_BYTES);
		int err = copy_in(space_this(), buf, from + done, part);

		if (!err)
			err = console_write(buf, part);
		if (err)
			return done ? (int64_t)done : err;
		done += part;
		if (linux_must_stop())
			break;
	}
	return (int64_t)done;
}

/* Reads what there is, at least a byte, at most a chunk. */
static int64_t read_chunk(char *buf, vaddr_t to, uint64_t bytes)
{
	int64_t count = console_read(buf, (size_t)MIN(bytes, IO_CHUNK_BYTES));
	int err;

	if (count <= 0)
		return count;
	err = copy_out(space_this(), to, buf, (size_t)count);
	return err ? err : count;
}

static int64_t transfer(vaddr_t addr, uint64_t bytes, bool write)
{
	char *buf;
	int64_t result;

	if (bytes == 0)
		return 0;
	if (addr > HAL_USER_MAX || bytes > HAL_USER_MAX - addr)
		return -EFAULT;
	buf = kmalloc(IO_CHUNK_BYTES);
	if (!buf)
		return -ENOMEM;
	bytes = MIN(bytes, IO_BYTES_MAX);
	result = write ? write_chunks(buf, addr, bytes) : read_chunk(buf, addr, bytes);
	kfree(buf);
	return result;
}

/* read(2) */
int64_t linux_read(const uint64_t args[6])
{
	if (!linux_fd_is_open(args[0]))
		return -EBADF;
	return transfer(args[1], args[2], false);
}

/* write(2) */
int64_t linux_write(const uint64_t args[6])
{
	if (!linux_fd_is_open(args[0]))
		return -EBADF;
	return transfer(args[1], args[2], true);
}

/* Checks a whole vector before any of it is used, as Linux does. The sum, or an error. */
static int64_t check_vector(vaddr_t vector, uint64_t count)
{
	uint64_t sum = 0;

	if (count > IOV_MAX)
		return -EINVAL;
	for (uint64_t i = 0; i < count; i++) {
		struct iovec iov;
		int err = copy_in(space_this(), &iov, vector + i * sizeof(iov), sizeof(iov));

		if (err)
			return err;
		if (iov.bytes > INT64_MAX || sum + iov.bytes > INT64_MAX)
			return -EINVAL;
		sum += iov.bytes;
	}
	return (int64_t)sum;
}

static int64_t transfer_vector(const uint64_t args[6], bool write)
{
	int64_t sum, done = 0;

	if (!linux_fd_is_open(args[0]))
		return -EBADF;
	sum = check_vector(args[1], args[2]);
	if (sum <= 0)
		return sum;
	for (uint64_t i = 0; i < args[2]; i++) {
		struct iovec iov;
		int64_t count =
			copy_in(space_this(), &iov, args[1] + i * sizeof(iov), sizeof(iov));

		if (!count)
			count = transfer(iov.base, iov.bytes, write);
		if (count < 0)
			return done ? done : count;
		done += count;
		if ((uint64_t)count < iov.bytes || (!write && count))
			break;
	}
	return done;
}

/* readv(2) */
int64_t linux_readv(const uint64_t args[6])
{
	return transfer_vector(args, false);
}

/* writev(2) */
int64_t linux_writev(const uint64_t args[6])
{
	return transfer_vector(args, true);
}

/* close(2) */
int64_t linux_close(const uint64_t args[6])
{
	if (!linux_fd_is_open(args[0]))
		return -EBADF;
	process_this()->open &= ~(1u << (uint32_t)args[0]);
	return 0;
}

/* ioctl(2): a pipe has none of the calls that terminals have. */
int64_t linux_ioctl(const uint64_t args[6])
{
	return linux_fd_is_open(args[0]) ? -ENOTTY : -EBADF;
}

static int64_t stat_fd(uint64_t fd, vaddr_t to)
{
	uint8_t buf[LINUX_STAT_BYTES_MAX];

	if (!linux_fd_is_open(fd))
		return -EBADF;
	return copy_out(space_this(), to, buf, linux_stat_console((unsigned)fd, buf));
}

/* fstat(2) */
int64_t linux_fstat(const uint64_t args[6])
{
	return stat_fd(args[0], args[1]);
}

#define AT_FDCWD 0xffffff9cu
#define AT_SYMLINK_NOFOLLOW 0x100u
#define AT_NO_AUTOMOUNT 0x800u
#define AT_EMPTY_PATH 0x1000u

/* newfstatat(2) of an open descriptor; names as in stat_name(). */
int64_t linux_newfstatat(const uint64_t args[6])
{
	char path[LINUX_PATH_MAX];
	int64_t length;

	if ((uint32_t)args[3] & ~(AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT | AT_EMPTY_PATH))
		return -EINVAL;
	length = copy_in_string(space_this(), path, args[1], sizeof(path));
	if (length < 0)
		return length;
	if (length == 0 && args[3] & AT_EMPTY_PATH)
		return stat_fd(args[0], args[2]);
	if (length && path[0] != '/' && (uint32_t)args[0] != AT_FDCWD)
		return linux_fd_is_open(args[0]) ? -ENOTDIR : -EBADF;
	return -ENOENT;
}

/* There is no file system yet, so that every name is one that does not exist. */
static int64_t stat_name(vaddr_t name)
{
	char path[LINUX_PATH_MAX];
	int64_t length = copy_in_string(space_this(), path, name, sizeof(path));

	return length < 0 ? length : -ENOENT;
}

/* stat(2) and lstat(2); ARM64 has newfstatat alone. */
int64_t linux_stat(const uint64_t args[6])
{
	return stat_name(args[0]);
}

int64_t linux_lstat(const uint64_t args[6])
{
	return stat_name(args[0]);
}

/* /proc/self/exe, the one link that there is. */
static int64_t read_link(vaddr_t name, vaddr_t to, uint64_t size)
{
	const struct linux_process *process = process_this();
	char path[LINUX_PATH_MAX];
	int64_t length;
	size_t bytes;
	int err;

	if ((int32_t)size <= 0)
		return -EINVAL;
	length = copy_in_string(space_this(), path, name, sizeof(path));
	if (length < 0)
		return length;
	if (str_compare(path, "/proc/self/exe") != 0)
		return -ENOENT;
	bytes = MIN(str_length(process->path), (size_t)(int32_t)size);
	err = copy_out(space_this(), to, process->path, bytes);
	return err ? err : (int64_t)bytes;
}

/* readlink(2); ARM64 has readlinkat(2) alone. */
int64_t linux_readlink(const uint64_t args[6])
{
	return read_link(args[0], args[1], args[2]);
}

/* readlinkat(2); the one path that exists is absolute, so that the descriptor does not matter. */
int64_t linux_readlinkat(const uint64_t args[6])
{
	return read_link(args[1], args[2], args[3]);
}
