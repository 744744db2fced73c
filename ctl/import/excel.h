/* excel.h - what a spreadsheet does to long numbers, seen in time. */
#ifndef CTL_IMPORT_EXCEL_H
#define CTL_IMPORT_EXCEL_H

#include <stdbool.h>

#include "base/buf.h"

#define EXCEL_DIGITS 15 /* a double keeps that many decimal digits exactly */

/* Scientific notation such as 5.1E+17: digits were lost when it was written. */
bool excel_is_scientific(struct span text);

enum excel_number { EXCEL_INTEGER, EXCEL_FRACTION, EXCEL_LOST };
/* The content of an XLSX number cell ("199", "1.99E2", "5.1E17"). EXCEL_INTEGER: out holds its
 * decimal digits. EXCEL_LOST: 10^15 and above, or more than 15 significant digits: whatever was
 * typed cannot be told from it. EXCEL_FRACTION: negative, broken, or no number at all. */
enum excel_number excel_number(struct span text, char out[EXCEL_DIGITS + 1]);

/* Drops ".0…" that data frames leave behind integers; true if it did. */
bool excel_drop_zero_fraction(struct span *text);

#endif
