/* rights.c - deny by default: what no row here allows is refused, or accepted as QUARANTINED.
 *
 * The table of record kinds is proto's (record_rule); here it meets a person's roles. Whether a
 * person owns a case only the store knows: ROLE_OWNER becomes a flag that queue.lua checks. */
#include "broker/rights.h"

#include <stdio.h>
#include <string.h>

enum next_right
rights_next(const struct person *p)
{
	if ((p->roles & ROLES_WORK) == 0)
		return NEXT_DENIED;
	if (!p->qualified ||
	    (p->team[0] == '\0' && (p->roles & (ROLE_STRIKE | ROLE_STRIKE_HEAD)) == 0))
		return NEXT_UNQUALIFIED; /* the strike team is a team */
	return NEXT_YES;
}

static const struct {
	uint32_t roles;
	const char *lane; /* %s: the person's team; rows with it need one */
	bool of_team;
} take_rows[] = {
    {ROLE_LEADER | ROLE_DEPUTY, "team:%s", true},
    {ROLE_LEADER | ROLE_DEPUTY, "team:%s:*", true}, /* past half of its deadline */
    {ROLE_STRIKE | ROLE_STRIKE_HEAD, "strike", false},
    {ROLE_STRIKE | ROLE_STRIKE_HEAD, "strike:*", false},
    {ROLE_SUPERVISOR, "supervision", false},
    {ROLE_DATA | ROLE_DESIGNATED, "papers", false},
};

/* The lane with the team for %s. */
static void
put_lane(char *out, size_t size, const char *lane, const char *team)
{
	const char *at = strstr(lane, "%s");

	if (at == NULL)
		(void)snprintf(out, size, "%s", lane);
	else
		(void)snprintf(out, size, "%.*s%s%s", (int)(at - lane), lane, team, at + 2);
}

bool
rights_take(const struct person *p, char *out, size_t size)
{
	bool any = (p->roles & ROLES_WORK) != 0;
	size_t len = 0;

	out[0] = '\0';
	for (size_t i = 0; i < sizeof(take_rows) / sizeof(take_rows[0]); i++) {
		char lane[80];
		int n;

		if ((p->roles & take_rows[i].roles) == 0)
			continue;
		any = true;
		if (take_rows[i].of_team && p->team[0] == '\0')
			continue;
		put_lane(lane, sizeof(lane), take_rows[i].lane, p->team);
		n = snprintf(out + len, size - len, "%s%s", len > 0 ? " " : "", lane);
		if (n < 0 || (size_t)n >= size - len) {
			out[len] = '\0';
			break;
		}
		len += (size_t)n;
	}
	return any;
}

uint32_t
rights_record(const struct person *p, const struct record_header *h, const char **ret_why)
{
	const struct record_rule *rule = record_rule(h->kind);
	uint32_t flags = 0;

	*ret_why = "";
	if (rule == NULL) {
		*ret_why = "schema";
		return RECORD_QUARANTINED;
	}
	if (rule->token == RULE_MUST)
		flags |= RECORD_NEEDS_TOKEN;
	if (rule->moves)
		flags |= RECORD_MOVES;
	if (rule->binds)
		flags |= RECORD_BINDS;
	if (h->again == 1)
		flags |= RECORD_AGAIN;
	if (h->kind == REC_REOPEN)
		flags |= RECORD_FREES;
	if (p == NULL || !p->active) {
		*ret_why = "person";
		return flags | RECORD_QUARANTINED;
	}
	/* With a token the store checks that the lease was this person's. */
	if (h->token != 0 || (rule->roles & ROLE_ANY) != 0 || (rule->roles & p->roles) != 0)
		return flags;
	if ((rule->roles & ROLE_OWNER) != 0 && h->has_case)
		return flags | RECORD_OWNER_ONLY;
	*ret_why = "role";
	return flags | RECORD_QUARANTINED;
}

/* "own:<person>:…" -> is it this person's? */
static bool
lane_of(const char *lane, const char *prefix, const char *name)
{
	size_t plen = strlen(prefix), nlen = strlen(name);

	return nlen > 0 && strncmp(lane, prefix, plen) == 0 &&
	       strncmp(lane + plen, name, nlen) == 0 &&
	       (lane[plen + nlen] == '\0' || lane[plen + nlen] == ':');
}

/* Rungs 4 and 5 are climbed side by side: the owner asks the same school, the back office looks for a number. */
static bool
seeks_number(const char *why)
{
	return strcmp(why, "rung-4") == 0 || strcmp(why, "rung-5") == 0;
}

bool
rights_see(const struct person *p, const char *lane, const char *owner, const char *hand,
    const char *why, const char *owner_team)
{
	if (strcmp(owner, p->name) == 0 || strcmp(hand, p->name) == 0 ||
	    lane_of(lane, "own:", p->name))
		return true;
	if ((p->roles & (ROLE_LEADER | ROLE_DEPUTY)) != 0 && p->team[0] != '\0' &&
	    (strcmp(owner_team, p->team) == 0 || lane_of(lane, "team:", p->team)))
		return true;
	if ((p->roles & (ROLE_STRIKE | ROLE_STRIKE_HEAD)) != 0 && strcmp(lane, "strike") == 0)
		return true;
	if ((p->roles & (ROLE_SUPERVISOR | ROLE_DATA | ROLE_CALLBACK_HEAD)) != 0)
		return true;
	if ((p->roles & ROLE_BACK_OFFICE) != 0 && seeks_number(why))
		return true;
	return (p->roles & ROLE_DESIGNATED) != 0 && strcmp(lane, "papers") == 0;
}
