/* roles.c - names of the roles, from the one table in roles.h. */
#include "proto/roles.h"

#include <string.h>

static const struct {
	uint32_t bit;
	const char *name, *zh;
} roles[] = {
#define ROLE_ROW(id, bit, name, zh) {bit, name, zh},
    ROLE_TABLE(ROLE_ROW)
#undef ROLE_ROW
};

#define ROLES (sizeof(roles) / sizeof(roles[0]))

uint32_t
role_by_name(const char *name)
{
	for (size_t i = 0; i < ROLES; i++) {
		if (strcmp(roles[i].name, name) == 0)
			return roles[i].bit;
	}
	return 0;
}

const char *
role_name(uint32_t bit)
{
	for (size_t i = 0; i < ROLES; i++) {
		if (roles[i].bit == bit)
			return roles[i].name;
	}
	return NULL;
}

const char *
role_zh(uint32_t bit)
{
	for (size_t i = 0; i < ROLES; i++) {
		if (roles[i].bit == bit)
			return roles[i].zh;
	}
	return NULL;
}
