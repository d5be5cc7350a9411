/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "checksum.h"

#include <nettle/sha2.h>
#include <stdint.h>
#include <stdio.h>

static void end(struct sha256_ctx *sha, char text[OD_SHA256_ROOM])
{
    uint8_t digest[SHA256_DIGEST_SIZE];
    sha256_digest(sha, sizeof digest, digest);
    for (size_t i = 0; i < sizeof digest; i++) {
        snprintf(text + 2 * i, 3, "%02x", digest[i]);
    }
}

void od_sha256_text(const void *bytes, size_t length, char text[OD_SHA256_ROOM])
{
    struct sha256_ctx sha;
    sha256_init(&sha);
    sha256_update(&sha, length, bytes);
    end(&sha, text);
}

bool od_sha256_file(const char *path, char text[OD_SHA256_ROOM])
{
    struct sha256_ctx sha;
    uint8_t piece[1 << 14];
    FILE *in = fopen(path, "rb");
    if (in == NULL) {
        return false;
    }
    sha256_init(&sha);
    for (size_t got = sizeof piece; got == sizeof piece;) {
        got = fread(piece, 1, sizeof piece, in);
        sha256_update(&sha, got, piece);
    }
    const bool ok = ferror(in) == 0;
    fclose(in);
    end(&sha, text);
    return ok;
}
