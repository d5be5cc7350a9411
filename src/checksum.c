/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "checksum.h"

#include <nettle/sha2.h>
#include <stdio.h>

void od_sha256_text(const void *bytes, size_t length, char text[OD_SHA256_ROOM])
{
    struct sha256_ctx sha;
    uint8_t digest[SHA256_DIGEST_SIZE];
    sha256_init(&sha);
    sha256_update(&sha, length, bytes);
    sha256_digest(&sha, sizeof digest, digest);
    for (size_t i = 0; i < sizeof digest; i++) {
        snprintf(text + 2 * i, 3, "%02x", digest[i]);
    }
}
