/*
 * The cpio reader, on archives that are made here.
 */
#include "services/initrd/cpio.h"

#include "tests/kernel/ktest.h"

#define ARCHIVE_MAX 4096
#define MODE_PROGRAM (CPIO_TYPE_FILE | 0755)

static struct {
	uint8_t bytes[ARCHIVE_MAX];
	struct cpio cpio;
	struct cpio_error error;
} archive;

struct member {
	const char *name;
	uint32_t mode, inode, links;
	const char *data;
};

static void start_archive(void)
{
	memset(&archive, 0, sizeof(archive));
	archive.cpio.data = archive.bytes;
}

static void add_member(const struct member *member)
{
	uint8_t *at = archive.bytes + archive.cpio.bytes;
	size_t name_bytes = str_length(member->name) + 1;
	size_t data_bytes = member->data ? str_length(member->data) : 0;
	const uint32_t fields[] = {
		member->inode, member->mode, 0, 0, member->links, 0,
		(uint32_t)data_bytes, 0, 0, 0, 0,
		(uint32_t)name_bytes, 0,
	};
	char digits[9];

	memcpy(at, "070701", 6);
	for (size_t i = 0; i < ARRAY_COUNT(fields); i++) {
		str_format(digits, sizeof(digits), "%08x", fields[i]);
		memcpy(at + 6 + 8 * i, digits, 8);
	}
	memcpy(at + 110, member->name, name_bytes);
	at += ALIGN_UP(110 + name_bytes, 4);
	if (data_bytes)
		memcpy(at, member->data, data_bytes);
	at += ALIGN_UP(data_bytes, 4);
	archive.cpio.bytes = (size_t)(at - archive.bytes);
}

static void add_file(const char *name, const char *data)
{
	add_member(&(struct member){name, MODE_PROGRAM, 1, 1, data});
}

static void end_archive(void)
{
	add_member(&(struct member){"TRAILER!!!", 0, 0, 1, NULL});
}

static bool finds(const char *path, const char *data)
{
	struct cpio_entry entry;

	return cpio_find(&archive.cpio, path, &entry) == 0 && entry.bytes == str_length(data) &&
	       memcmp(entry.data, data, entry.bytes) == 0;
}

static int find_error(const char *path)
{
	struct cpio_entry entry;

	return cpio_find(&archive.cpio, path, &entry);
}

static void test_cpio_finds_files_by_any_spelling(void)
{
	start_archive();
	add_file("bin/one", "first");
	add_file("./bin//two", "second");
	end_archive();
	CHECK(cpio_check(&archive.cpio, &archive.error) == 2);
	CHECK(finds("/bin/one", "first") && finds("bin/one", "first"));
	CHECK(finds("//bin/./one", "first") && finds("bin/two", "second"));
	CHECK(find_error("/bin/on") == -ENOENT && find_error("/bin") == -ENOENT);
	CHECK(find_error("/bin/one/more") == -ENOENT && find_error("") == -ENOENT);
	CHECK(find_error("/bin/../bin/one") == -EINVAL);
}

static void test_cpio_last_of_a_name_wins(void)
{
	start_archive();
	add_file("a", "old");
	add_file("/a", "new");
	end_archive();
	CHECK(finds("a", "new"));
}

static void test_cpio_follows_links(void)
{
	start_archive();
	add_file("bin/busy", "box");
	add_member(&(struct member){"bin/near", CPIO_TYPE_LINK | 0777, 2, 1, "busy"});
	add_member(&(struct member){"far", CPIO_TYPE_LINK | 0777, 3, 1, "/bin/near"});
	add_member(&(struct member){"loop", CPIO_TYPE_LINK | 0777, 4, 1, "loop"});
	add_member(&(struct member){"empty", CPIO_TYPE_LINK | 0777, 5, 1, ""});
	add_member(&(struct member){"out", CPIO_TYPE_LINK | 0777, 6, 1, "../x"});
	end_archive();
	CHECK(finds("bin/near", "box") && finds("far", "box"));
	CHECK(find_error("loop") == -ELOOP);
	CHECK(find_error("empty") == -ENOENT && find_error("out") == -EINVAL);
}

static void test_cpio_finds_contents_of_hard_links(void)
{
	start_archive();
	add_member(&(struct member){"a", MODE_PROGRAM, 9, 2, NULL});
	add_member(&(struct member){"b", MODE_PROGRAM, 9, 2, "shared"});
	end_archive();
	CHECK(finds("a", "shared") && finds("b", "shared"));
}

static void test_cpio_takes_an_empty_archive(void)
{
	start_archive();
	end_archive();
	CHECK(cpio_check(&archive.cpio, &archive.error) == 0);
	archive.cpio.bytes += 512;
	CHECK(cpio_check(&archive.cpio, &archive.error) == 0);
}

static void test_cpio_refuses_every_truncation(void)
{
	size_t whole;

	start_archive();
	add_file("bin/one", "first");
	end_archive();
	whole = archive.cpio.bytes;
	for (archive.cpio.bytes = 0; archive.cpio.bytes < whole - 1; archive.cpio.bytes++)
		CHECK(cpio_check(&archive.cpio, &archive.error) == -EINVAL && archive.error.why);
}

/* The header fields of the first member, as characters: what is written over them is refused. */
static void test_cpio_refuses_wrong_headers(void)
{
	static const struct {
		size_t offset;
		const char *text;
	} changes[] = {
		{0, "070702"},	   /* the form with checksums */
		{0, "070707"},	   /* the old form */
		{0, "\x1f\x8b"},   /* gzip */
		{54, "ffffffff"},  /* contents beyond the end */
		{54, "0000g000"},  /* no digit */
		{94, "00000000"},  /* no name */
		{94, "ffffffff"},  /* a name beyond the end */
		{94, "00000004"},  /* a name that does not end there */
		{110, "../xone"},  /* leads outside */
	};

	for (size_t i = 0; i < ARRAY_COUNT(changes); i++) {
		start_archive();
		add_file("bin/one", "first");
		end_archive();
		memcpy(archive.bytes + changes[i].offset, changes[i].text,
		       str_length(changes[i].text));
		archive.error.why = NULL;
		CHECK(cpio_check(&archive.cpio, &archive.error) == -EINVAL && archive.error.why);
	}
}

static void test_cpio_refuses_data_behind_the_trailer(void)
{
	start_archive();
	end_archive();
	archive.bytes[archive.cpio.bytes + 3] = 1;
	archive.cpio.bytes += 8;
	CHECK(cpio_check(&archive.cpio, &archive.error) == -EINVAL);
}

const struct ktest ktests_cpio[] = {
	KTEST(test_cpio_finds_files_by_any_spelling),
	KTEST(test_cpio_last_of_a_name_wins),
	KTEST(test_cpio_follows_links),
	KTEST(test_cpio_finds_contents_of_hard_links),
	KTEST(test_cpio_takes_an_empty_archive),
	KTEST(test_cpio_refuses_every_truncation),
	KTEST(test_cpio_refuses_wrong_headers),
	KTEST(test_cpio_refuses_data_behind_the_trailer),
	{0},
};
