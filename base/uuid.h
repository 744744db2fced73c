/* uuid.h - UUID version 7 (RFC 9562): 48 bits of unix milliseconds, the rest random. */
#ifndef BASE_UUID_H
#define BASE_UUID_H

#include <stdbool.h>
#include <stdint.h>

void uuid7(uint8_t out[16]);
void uuid_text(char out[37], const uint8_t id[16]);
bool uuid_parse(uint8_t out[16], const char *text);

#endif
