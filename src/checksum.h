/* SHA-256 as text, for the provenance of files that are read. SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef OD_CHECKSUM_H
#define OD_CHECKSUM_H

#include <stdbool.h>
#include <stddef.h>

enum { OD_SHA256_ROOM = 65 };

void od_sha256_text(const void *bytes, size_t length, char text[OD_SHA256_ROOM]);
/** Of a file; false if it cannot be read. */
bool od_sha256_file(const char *path, char text[OD_SHA256_ROOM]);

#endif
