/* Any bytes as a settings file: an error that names the line, or values that are inside their ranges. */
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/check.h"
#include "base/conf.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct conf_key keys[] = {
    {"lease_ms", CONF_INT, "120000", 1000, 600000, "ms", "how long"},
    {"guard_ms", CONF_INT, "0", 0, 5000, "ms", "how much longer"},
    {"bind", CONF_STR, "tcp://127.0.0.1:7000", 0, 0, NULL, "where"},
    {"strict", CONF_BOOL, "0", 0, 0, NULL, "whether"},
    {NULL, CONF_STR, NULL, 0, 0, NULL, NULL},
};

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char path[64];
	struct buf text = BUF_INIT;
	struct err err = ERR_INIT;
	struct conf *c = NULL;
	int fd = memfd_create("conf", 0);

	CHECK(fd >= 0 && write(fd, data, size) == (ssize_t)size);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	if (conf_load(&c, keys, path, &err) == 0) {
		CHECK(conf_int(c, "lease_ms") >= 1000 && conf_int(c, "lease_ms") <= 600000);
		CHECK(conf_int(c, "guard_ms") >= 0 && conf_int(c, "guard_ms") <= 5000);
		CHECK(conf_str(c, "bind") != NULL);
		(void)conf_bool(c, "strict");
		conf_print(&text, keys, c);
		conf_destroy(c);
	} else {
		CHECK(c == NULL && err.text[0] != '\0');
	}
	buf_done(&text);
	close(fd);
	return 0;
}
