/*
 * A fuzz target without libFuzzer: every file of its folder, then seeded mutations of them, always the same.
 *
 *     replay TARGET FOLDER [MUTATIONS]
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#include "fuzz.h"

#include "optdyn.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_FILES = 4096, ROOM = 1 << 16, SEED = 20240817 };

typedef struct input {
    uint8_t *data;
    size_t size;
} input;

static uint64_t draws;

static uint32_t draw(uint32_t bound)
{
    return od_index(SEED, OD_STREAM_CHECK, 0, 0, draws++, bound);
}

static int by_name(const struct dirent **a, const struct dirent **b)
{
    return strcmp((*a)->d_name, (*b)->d_name);
}

static input read_file(const char *folder, const char *name)
{
    char path[4096];
    input in = {.data = malloc(ROOM)};
    snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *file = fopen(path, "rb");
    if (file != NULL && in.data != NULL) {
        in.size = fread(in.data, 1, ROOM, file);
    }
    if (file != NULL) {
        fclose(file);
    }
    return in;
}

/* One to four changes: a byte set, pieces removed, doubled, or taken from another input. */
static size_t mutate(const char *letters, uint8_t *data, size_t size, const input *other)
{
    const uint32_t letter_count = (uint32_t)strlen(letters);
    for (uint32_t change = 0, changes = 1 + draw(4); change < changes && size > 0; change++) {
        const size_t at = draw((uint32_t)size), longest = size - at < 16 ? size - at : 16;
        const size_t length = 1 + draw((uint32_t)longest);
        switch (draw(4)) {
        case 0: data[at] = (uint8_t)(draw(4) == 0 ? draw(256) : (uint32_t)letters[draw(letter_count)]); break;
        case 1:
            memmove(data + at, data + at + length, size - at - length);
            size -= length;
            break;
        case 2:
            if (size + length <= ROOM) {
                memmove(data + at + length, data + at, size - at);
                size += length;
            }
            break;
        default:
            for (size_t i = 0; i < length && other->size > 0; i++) {
                data[at + i] = other->data[(at + i) % other->size];
            }
        }
    }
    return size;
}

int main(int argc, char **argv)
{
    struct dirent **entry;
    const fuzz_target *target = fuzz_find(argc > 2 ? argv[1] : NULL);
    const long mutations = argc > 3 ? strtol(argv[3], NULL, 10) : 20000;
    const int found = target != NULL ? scandir(argv[2], &entry, NULL, by_name) : -1;
    static input in[MOST_FILES];
    size_t count = 0;
    for (int i = 0; i < found; i++) {
        if (entry[i]->d_name[0] != '.' && count < MOST_FILES) {
            in[count++] = read_file(argv[2], entry[i]->d_name);
        }
        free(entry[i]);
    }
    if (found >= 0) {
        free(entry);
    }
    printf("1..2\n");
    if (count == 0) {
        printf("Bail out! no inputs\n");
        return 1;
    }
    for (size_t i = 0; i < count; i++) {
        target->take(in[i].data, in[i].size);
    }
    printf("ok 1 - %zu inputs\n", count);
    uint8_t *data = malloc(ROOM);
    for (long i = 0; i < mutations && data != NULL; i++) {
        const input *from = &in[draw((uint32_t)count)];
        memcpy(data, from->data, from->size);
        const size_t size = mutate(target->letters, data, from->size, &in[draw((uint32_t)count)]);
        /* of its own size, so that a sanitizer sees what is read behind the end */
        uint8_t *exact = malloc(size > 0 ? size : 1);
        memcpy(exact, data, size);
        target->take(exact, size);
        free(exact);
    }
    printf("ok 2 - %ld mutations\n", mutations);
    free(data);
    for (size_t i = 0; i < count; i++) {
        free(in[i].data);
    }
    return 0;
}
