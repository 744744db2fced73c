/* lawprint.h - the memory of cases for people: hf-router --law HEX … prints one JSON array. */
#ifndef ESCALATION_LAWPRINT_H
#define ESCALATION_LAWPRINT_H

/* blobs in hex, NULL at the end; one that does not read is null. Always 0. */
int lawprint(char *const *hex);

#endif
