/* roles.h - the roles of PROTOCOL.md 13 and what each may say. */
#ifndef PROTO_ROLES_H
#define PROTO_ROLES_H

#include <stdbool.h>
#include <stdint.h>

#define ROLE_TABLE(X)                                                                              \
	X(ROLE_CALLER, 1, "caller", "组员")                                                        \
	X(ROLE_LEADER, 2, "leader", "组长")                                                        \
	X(ROLE_DEPUTY, 4, "deputy", "副组长")                                                      \
	X(ROLE_STRIKE, 8, "strike", "突击组")                                                      \
	X(ROLE_STRIKE_HEAD, 16, "strike-head", "突击组长")                                         \
	X(ROLE_SUPERVISOR, 32, "supervisor", "督查组")                                             \
	X(ROLE_DATA, 64, "data", "数据组")                                                         \
	X(ROLE_CALLBACK_HEAD, 128, "callback-head", "回访组长")                                    \
	X(ROLE_BACK_OFFICE, 256, "back-office", "招办后台")                                        \
	X(ROLE_DESIGNATED, 512, "designated", "专人")                                              \
	X(ROLE_FINANCE, 1024, "finance", "财务")                                                   \
	X(ROLE_OPERATOR, 2048, "operator", "操作员")                                               \
	X(ROLE_ADMIN, 4096, "admin", "管理员")                                                     \
	X(ROLE_LEADING, 8192, "leading", "领导小组")                                               \
	X(ROLE_SYSTEM, 16384, "system", "系统")

enum role {
#define ROLE_ENUM(id, bit, name, zh) id = bit,
	ROLE_TABLE(ROLE_ENUM)
#undef ROLE_ENUM
};
#define ROLE_SELF  (1u << 29) /* not a role: the person of the record that is referred to */
#define ROLE_OWNER (1u << 30) /* not a role: the case's owner */
#define ROLE_ANY   (1u << 31) /* not a role: everybody */
#define ROLES_ALL  32767u
#define ROLES_WORK (ROLE_CALLER | ROLE_LEADER | ROLE_DEPUTY | ROLE_STRIKE | ROLE_STRIKE_HEAD)

uint32_t role_by_name(const char *name); /* 0 when unknown */
const char *role_name(uint32_t bit);     /* NULL when unknown */
const char *role_zh(uint32_t bit);

#endif
