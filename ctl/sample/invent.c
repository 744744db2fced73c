/* Tables and a counter-based generator: no row depends on another, so a roster of any size is made
 * in constant memory, and the same seed gives the same roster for ever. */
#include "ctl/sample/invent.h"

#include <string.h>

#include "base/check.h"
#include "ctl/import/idno.h"

const char *const invent_headers[INVENT_COLUMNS] = {"考生号", "姓名", "性别", "身份证号", "省份",
    "地区", "城乡", "中学", "志愿序号", "预录专业", "通知书地址", "本人电话", "父亲电话",
    "母亲电话", "其他电话", "报备人", "批次"};

#define COUNT(table) (sizeof(table) / sizeof((table)[0]))

static const char *const surnames[] = {"柏", "邴", "苍", "茶", "晁", "酆", "伏", "甘", "郜", "顾",
    "桂", "衡", "侯", "花", "稽", "嵇", "暨", "简", "蒋", "解", "荆", "鞠", "柯", "旷", "蓝", "劳",
    "厉", "连", "廉", "凌", "路", "栾", "麻", "茅", "糜", "宓", "乜", "能", "农", "欧", "逄", "蒲",
    "漆", "屈", "冉", "阮", "桑", "佘", "师", "舒", "宿", "邰", "滕", "宛", "危", "巫", "奚", "冼",
    "幸", "宣", "鄢", "燕", "仰", "尹", "游", "郁", "宰", "臧", "展", "竺"};

static const char *const syllables[] = {"安", "澄", "初", "岱", "笛", "朵", "帆", "枫", "谷", "禾",
    "荷", "泓", "桦", "迦", "霁", "笺", "阶", "堇", "筠", "朗", "砾", "林", "泠", "鹭", "洛", "茉",
    "暮", "念", "泮", "榕", "芮", "杉", "汐", "溪", "岘", "屿", "筱", "星", "砚", "漪", "檐", "野",
    "伊", "樾", "芸", "栈", "汀", "苒"};

/* What exam systems most often lose: names need them all the same. */
static const char *const rare[] = {"䶮", "㛃", "䴖", "𬱖", "𫖯", "𠅤"};

static const char *const provinces[] = {"云岭省", "江澜省", "北屏省", "南浦省"};
static const char *const cities[] = {
    "青禾市", "沧桥市", "石榴市", "望溪市", "云栖市", "平澜市", "白鹭市", "东篱市"};
static const char *const counties[] = {"松溪县", "柳坪县", "竹溪区", "南湾县", "北苑区", "桐花县"};
static const char *const towns[] = {"石桥镇", "柳河镇", "大湾乡", "茶山镇", "清水乡", "龙潭镇"};
static const char *const villages[] = {"枫树村", "桃坪村", "河口村", "双井村", "新塘村", "半坡村"};
static const char *const streets[] = {"建设路", "沿河街", "松柏路", "书院巷", "东湖大道"};
static const char *const schools[] = {
    "第一中学", "第二中学", "第三中学", "实验中学", "职业中学", "高级中学"};
static const char *const majors[] = {"护理", "大数据技术", "学前教育", "汽车检测与维修技术",
    "建筑工程技术", "电子商务", "口腔医学技术", "旅游管理"};

struct dice {
	uint64_t state;
};

/* splitmix64 */
static uint64_t
roll(struct dice *d)
{
	uint64_t z = d->state += 0x9e3779b97f4a7c15u;

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
	return z ^ (z >> 31);
}

static struct dice
dice_for(uint64_t seed, int64_t index)
{
	struct dice d = {seed * 0xd1342543de82ef95u + (uint64_t)index};

	d.state = roll(&d);
	return d;
}

static unsigned
below(struct dice *d, size_t n)
{
	return (unsigned)(roll(d) % n);
}

#define PICK(d, table) ((table)[below(d, COUNT(table))])

static void
add_name(struct dice *d, struct buf *out)
{
	unsigned how = below(d, 100);

	if (how < 3) {
		buf_addf(out, "%s%s·%s%s", PICK(d, syllables), PICK(d, syllables),
		    PICK(d, syllables), PICK(d, syllables));
		return;
	}
	buf_adds(out, PICK(d, surnames));
	if (how < 5) {
		buf_adds(out, PICK(d, rare));
		return;
	}
	buf_adds(out, PICK(d, syllables));
	if (how >= 25)
		buf_adds(out, PICK(d, syllables));
}

void
invent_name(uint64_t seed, int64_t index, struct buf *out)
{
	struct dice d = dice_for(seed ^ 0x70656f706c65u, index);

	add_name(&d, out);
}

void
invent_id(struct buf *out, unsigned region, struct day birth, unsigned serial)
{
	size_t from = out->len;

	buf_addf(out, "999%03u%04d%02d%02d%03u", region % 1000, birth.year, birth.month, birth.day,
	    serial % 1000);
	CHECK(out->len == from + 17);
	buf_addc(out, idno_check_char((char *)out->data + from));
}

/* A one-to-one scramble of 0 … size-1, size a power of ten: neighbours get far apart. */
static uint64_t
scramble(uint64_t n, uint64_t size, uint64_t seed)
{
	return (n * 61803399u + seed % size) % size;
}

void
invent_number(const struct inventor *v, int64_t n, struct buf *out)
{
	uint64_t block = 10000;

	while (block < (uint64_t)v->rows * 3)
		block *= 10;
	CHECK(block <= 10000000);
	buf_addf(out, "1990%07ju", (uintmax_t)scramble((uint64_t)n, block, v->seed));
}

static void
add_place(struct dice *d, struct buf *cells)
{
	const char *city = PICK(d, cities), *county = PICK(d, counties);
	bool rural = below(d, 100) < 60;

	buf_adds(&cells[COL_PROVINCE], PICK(d, provinces));
	buf_addf(&cells[COL_AREA], "%s%s", city, county);
	buf_adds(&cells[COL_RURAL], rural ? "农村" : "城镇");
	buf_addf(&cells[COL_SCHOOL], "%s%s", below(d, 2) ? city : county, PICK(d, schools));
	buf_addf(&cells[COL_ADDRESS], "%s%s", city, county);
	if (rural)
		buf_addf(&cells[COL_ADDRESS], "%s%s%u组", PICK(d, towns), PICK(d, villages),
		    1 + below(d, 12));
	else
		buf_addf(&cells[COL_ADDRESS], "%s%u号%u单元", PICK(d, streets), 1 + below(d, 300),
		    1 + below(d, 6));
}

static void
add_numbers(const struct inventor *v, struct dice *d, int64_t index, struct buf *cells)
{
	invent_number(v, index * 3, &cells[COL_SELF]);
	if (below(d, 100) < 45)
		invent_number(v, index * 3 + 1, &cells[COL_FATHER]);
	if (below(d, 100) < 40)
		invent_number(v, index * 3 + 2, &cells[COL_MOTHER]);
	/* 0340 is nobody's area code */
	if (below(d, 100) < 8)
		buf_addf(&cells[COL_OTHER], "0340555%04u", below(d, 10000));
}

/* 17 years ago or earlier; 1400 days more are not yet 21 years. */
static struct day
birth_day(struct day today, unsigned earlier)
{
	struct day birth = {today.year - 17, today.month, today.day};

	if (!day_exists(birth)) /* 29 February */
		birth.day--;
	return day_plus(birth, -(int)earlier);
}

void
invent_row(const struct inventor *v, int64_t index, struct buf *cells)
{
	struct dice d = dice_for(v->seed, index);
	bool male = below(&d, 2);
	unsigned choice = below(&d, 100);
	struct day birth = birth_day(v->today, below(&d, 1400));

	for (int i = 0; i < INVENT_COLUMNS; i++)
		buf_clear(&cells[i]);
	buf_addf(&cells[COL_KEY], "269990%08ju",
	    (uintmax_t)scramble((uint64_t)index, 100000000, v->seed));
	add_name(&d, &cells[COL_NAME]);
	buf_adds(&cells[COL_SEX], male ? "男" : "女");
	invent_id(&cells[COL_ID_NO], (unsigned)(index / 500 % 1000), birth,
	    (unsigned)(index % 500 * 2 + male));
	add_place(&d, cells);
	buf_addf(&cells[COL_CHOICE], "%u", choice < 60 ? 1 : 2 + choice % 4);
	buf_adds(&cells[COL_MAJOR], PICK(&d, majors));
	add_numbers(v, &d, index, cells);
	if (below(&d, 100) < 12)
		buf_addf(&cells[COL_REPORTER], "p%02u", 1 + below(&d, 48));
	buf_adds(&cells[COL_BATCH], below(&d, 4) ? "第一批" : "第二批");
}
