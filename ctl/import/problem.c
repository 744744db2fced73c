/* The table of problems. One code may have several texts: the code says which rule was broken, the
 * text which part of it. */
#include "ctl/import/problem.h"

#include <stddef.h>

#include "base/check.h"

struct row {
	const char *code;
	bool is_error;
	const char *text;
};

static const struct row table[PROBLEM_COUNT] = {
    [PROBLEM_EMPTY] = {"empty-cell", true, "这一格不能空着；请补上后再导入"},
    [PROBLEM_EXCEL_NUMBER] = {"excel-number", true,
        "Excel 把这一格变成了科学计数法或过长的数字，后面的位数已经丢失；"
        "请先把整列设为“文本”格式，再按原始材料重新填写"},
    [PROBLEM_CELL_LONG] = {"cell-too-long", true, "这一格超过 4 KiB；请检查是否粘贴错了内容"},
    [PROBLEM_CELL_ERROR] = {"error-value", true,
        "这一格是 Excel 的错误值（如 #N/A）；请改成真实内容或清空"},
    [PROBLEM_CONTROL] = {"bad-character", true, "这一格含有控制字符；请删掉后重新输入"},
    [PROBLEM_FORMULA] = {"formula-cell", false,
        "这一格是公式，没有采用；请复制后用“选择性粘贴—数值”换成内容再导入"},
    [PROBLEM_KEY] = {"bad-key", true, "只能是 4 至 32 位数字或字母；请按投档名单核对"},
    [PROBLEM_KEY_TWICE] = {"duplicate-key", true, "与第 %jd 行的考生号相同；请核对两行，只留一行"},
    [PROBLEM_NAME_MISSING] = {"missing-character", true,
        "姓名里有没能显示的字（问号、方框或自造字）；请按考生材料核对，填上真正的字"},
    [PROBLEM_NAME_LONG] = {"bad-name", true, "姓名过长；请检查是否填错了列"},
    [PROBLEM_TEXT_MISSING] = {"missing-character", false,
        "这一格里有没能显示的字，已照原样保留；有空时请核对"},
    [PROBLEM_ID] = {"bad-id", true, "身份证号应为 18 位（17 位数字加 1 位数字或 X）；请按证件核对"},
    [PROBLEM_ID_OLD] = {"old-id", true, "这是 15 位的旧身份证号；请换成 18 位新号"},
    [PROBLEM_ID_CHECK] = {"bad-check-digit", true,
        "身份证号的校验码不对，多半有一位抄错；请按证件逐位核对"},
    [PROBLEM_ID_BIRTH] = {"bad-birth-date", true,
        "身份证号里的出生日期不存在或在将来；请按证件核对"},
    [PROBLEM_UNDER_14] = {"under-14", true,
        "按身份证号未满 14 周岁，须先取得监护人同意，不能导入；号码有误请改正"},
    [PROBLEM_NUMBER_LENGTH] = {"bad-number", true,
        "电话号码位数或号段不对（手机 11 位，固话连区号 11 或 12 位）；请核对后改正"},
    [PROBLEM_NUMBER_AREA] = {"bad-number", true, "固定电话没有区号；请补上区号，如 0xxx-xxxxxxx"},
    [PROBLEM_NUMBER_CHAR] = {"bad-number", true,
        "电话号码里有数字以外的字；一格只填号码，几个号码用“、”隔开，说明写到别的列"},
    [PROBLEM_NUMBER_MANY] = {"bad-number", true,
        "号码太多（一格最多 8 个，一行最多 12 个）；请只留要拨打的"},
    [PROBLEM_NO_NUMBER] = {"no-number", false, "这一行没有任何电话号码，导入后要先找号码"},
    [PROBLEM_CHOICE] = {"bad-choice", true, "志愿序号应为 1 至 99 的整数；请核对"},
    [PROBLEM_UNKNOWN_VALUE] = {"unknown-value", false,
        "不认识这一格的写法，没有采用（性别填男、女，城乡填农村、城镇）"},
    [PROBLEM_UNKNOWN_COLUMN] = {"unknown-column", false,
        "不认识这个列名，内容照原样保留在附加栏；若是写法不同，请改成模板里的列名"},
    [PROBLEM_UNNAMED_COLUMN] = {"unnamed-column", false,
        "这一列没有列名却有内容，照原样保留在附加栏；请补上列名"},
    [PROBLEM_OTHER_SHEETS] = {"other-sheets", false,
        "文件里还有别的工作表，没有读取；要读的表请放在最前面，或改名为“名单”"},
    [PROBLEM_PERSON] = {"bad-person", true,
        "工号只能用小写字母、数字、- 和 _，字母或数字开头，最多 32 位"},
    [PROBLEM_PERSON_TWICE] = {"duplicate-key", true, "与第 %jd 行的工号相同；请核对两行，只留一行"},
    [PROBLEM_TEAM] = {"bad-team", true,
        "小组用编号填写（小写字母、数字、- 和 _，如 t1），最多 32 位"},
    [PROBLEM_ROLE] = {"bad-role", true,
        "有不认识的角色；可填：组员、组长、副组长、突击组、突击组长、督查组、督查组长、数据组、"
        "领导小组、回访组长、招办后台、专人、财务、操作员、管理员，几个用“、”隔开"},
    [PROBLEM_NO_ROLE] = {"no-role", false, "没有填角色，此人暂时什么也做不了"},
    [PROBLEM_QUALIFIED] = {"bad-qualified", true, "合格一栏只能填“是”或“否”"},
    [PROBLEM_DAY] = {"bad-date", true, "日期不存在或写法不对；请写成 2026-10-01 的样子"},
    [PROBLEM_DAY_TWICE] = {"duplicate-key", true, "与第 %jd 行的日期相同；请只留一行"},
    [PROBLEM_DAY_KIND] = {"bad-kind", true, "类型只能填“假”（放假）或“班”（调休上班）"},
    [PROBLEM_ARRIVAL] = {"bad-arrival", true,
        "报到一栏只能填“是”“否”或报到日期（如 2026-09-01）；请按报到名单填写"},
    [PROBLEM_ARRIVAL_DAY] = {"bad-date", true,
        "报到时间不存在或写法不对；请写成 2026-09-01 或 2026-09-01 09:30"},
    [PROBLEM_ARRIVAL_BOTH] = {"bad-arrival", true,
        "报到填“否”却有报到时间；请核对这名考生，只留对的一项"},
    [PROBLEM_PAID] = {"bad-payment", true,
        "缴费一栏只能填“是”“否”或缴费日期（如 2026-09-01）；请按缴费名单填写"},
    [PROBLEM_PAID_DAY] = {"bad-date", true,
        "缴费时间不存在或写法不对；请写成 2026-09-01 或 2026-09-01 09:30"},
    [PROBLEM_PAID_BOTH] = {"bad-payment", true,
        "缴费填“否”却有缴费时间；请核对这名考生，只留对的一项"},
    [PROBLEM_ADMITTED] = {"bad-admitted", true,
        "录取一栏只能填“L”“录取”“是”或“T”“退档”“否”；请按录取名单填写"},
    [PROBLEM_AMOUNT] = {"bad-count", true, "只能是 0 至 1000000 的整数；请核对"},
    [PROBLEM_PERCENT] = {"bad-percent", true, "只能是 0 至 100 的整数（百分之几）；请核对"},
    [PROBLEM_FLAG] = {"bad-flag", true, "只能填 1（是）或 0（否）"},
    [PROBLEM_REGISTERED_MORE] = {"bad-count", true, "报到人数多于录取人数；请核对这一行的两个数"},
    [PROBLEM_CALL_DAY] = {"bad-date", true,
        "日期不存在或写法不对；请写成 2026-03-09 或 2026-03-09 14:30"},
    [PROBLEM_CALL_COUNT] = {"bad-count", true, "次数只能是 1 至 99 的整数；请核对"},
    [PROBLEM_CALL_LENGTH] = {"bad-duration", true,
        "时长写成分钟数（如 12）、12分30秒 或 90秒，最多 24 小时；请核对"},
    [PROBLEM_CALL_CHANNEL] = {"bad-channel", true,
        "途径只能填电话、微信、QQ、短信、上门或其他；请核对"},
};

static const struct row *
at(enum problem p)
{
	CHECK((size_t)p < PROBLEM_COUNT && table[p].code != NULL);
	return &table[p];
}

const char *
problem_code(enum problem p)
{
	return at(p)->code;
}

const char *
problem_text(enum problem p)
{
	return at(p)->text;
}

bool
problem_is_error(enum problem p)
{
	return at(p)->is_error;
}
