/* Functions whose loops are compiled for wider vectors too, chosen when the program is loaded. SPDX-License-Identifier:
 * GPL-3.0-or-later */
#ifndef OD_CLONES_H
#define OD_CLONES_H

/*
 * No version may contract or reorder, so all give the same bits. Sanitizers cannot stand the resolvers, which run
 * before they are set up.
 */
#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__) && !defined(__SANITIZE_ADDRESS__) &&               \
    !defined(__SANITIZE_THREAD__)
#define OD_CLONES __attribute__((target_clones("avx512f", "avx2", "default")))
#else
#define OD_CLONES
#endif

#endif
