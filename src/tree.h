/* Tallies of leaves of paths, merged over a fixed binary tree. SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef OD_TREE_H
#define OD_TREE_H

#include "statistics.h"

/** A finished subtree: the leaves index << level to ((index + 1) << level) - 1, as far as there are so many. */
typedef struct od_twig {
    struct od_twig *next;
    uint64_t index;
    unsigned level;
    bool saved; /* written to the journal as it is */
    od_tally tally;
} od_twig;

/** Finished subtrees that wait for their siblings. Which leaves came first, and where, does not change a bit. */
typedef struct od_tree {
    uint64_t leaves;
    od_twig *waiting;
} od_tree;

/** Takes the twig over and merges it with its siblings as far as they are there. */
void od_tree_add(od_tree *tree, od_twig *twig);
/** Takes over a twig that was read: in place of those it contains, and not at all if it is there already. */
void od_tree_replace(od_tree *tree, od_twig *twig);
/** True if the leaf is in one of the twigs. */
bool od_tree_holds(const od_tree *tree, uint64_t leaf);
/** Leaves of all twigs. */
uint64_t od_tree_count(const od_tree *tree);
/** Merges what there is, in the order of the leaves, into *tally; false if there is nothing, then *tally is untouched.
 */
bool od_tree_gather(od_tree *tree, od_tally *tally);
void od_tree_free(od_tree *tree);

#endif
