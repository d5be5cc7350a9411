/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tree.h"

#include "tally.h"

#include <stdlib.h>

static uint64_t nodes_of_level(const od_tree *tree, unsigned level)
{
    return (tree->leaves + (UINT64_C(1) << level) - 1) >> level;
}

static od_twig *take_sibling(od_tree *tree, const od_twig *twig)
{
    for (od_twig **link = &tree->waiting; *link != NULL; link = &(*link)->next) {
        od_twig *other = *link;
        if (other->level == twig->level && other->index == (twig->index ^ 1)) {
            *link = other->next;
            return other;
        }
    }
    return NULL;
}

static void free_twig(od_twig *twig)
{
    od_tally_free(&twig->tally);
    free(twig);
}

/* Climbs the tree as far as siblings are there; a node without a sibling moves up alone. */
void od_tree_add(od_tree *tree, od_twig *twig)
{
    while (nodes_of_level(tree, twig->level) > 1) {
        const uint64_t sibling = twig->index ^ 1;
        if (sibling < nodes_of_level(tree, twig->level)) {
            od_twig *other = take_sibling(tree, twig);
            if (other == NULL) {
                break;
            }
            od_twig *left = twig->index < other->index ? twig : other, *right = left == twig ? other : twig;
            od_tally_merge(&left->tally, &right->tally);
            free_twig(right);
            twig = left;
            twig->saved = false;
        }
        twig->index /= 2;
        twig->level++;
    }
    twig->next = tree->waiting;
    tree->waiting = twig;
}

/* True if all leaves of `part` are leaves of `whole`. */
static bool contains(const od_twig *whole, const od_twig *part)
{
    return part->level <= whole->level && part->index >> (whole->level - part->level) == whole->index;
}

static uint64_t first_leaf(const od_twig *twig)
{
    return twig->index << twig->level;
}

uint64_t od_tree_count(const od_tree *tree)
{
    uint64_t count = 0;
    for (const od_twig *twig = tree->waiting; twig != NULL; twig = twig->next) {
        const uint64_t end = (twig->index + 1) << twig->level;
        count += (end < tree->leaves ? end : tree->leaves) - first_leaf(twig);
    }
    return count;
}

void od_tree_replace(od_tree *tree, od_twig *twig)
{
    for (const od_twig *held = tree->waiting; held != NULL; held = held->next) {
        if (contains(held, twig) && held->level > twig->level) {
            free_twig(twig);
            return;
        }
    }
    for (od_twig **link = &tree->waiting; *link != NULL;) {
        od_twig *held = *link;
        if (contains(twig, held)) {
            *link = held->next;
            free_twig(held);
        } else {
            link = &held->next;
        }
    }
    od_tree_add(tree, twig);
}

bool od_tree_holds(const od_tree *tree, uint64_t leaf)
{
    for (const od_twig *twig = tree->waiting; twig != NULL; twig = twig->next) {
        if (leaf >> twig->level == twig->index) {
            return true;
        }
    }
    return false;
}

bool od_tree_gather(od_tree *tree, od_tally *tally)
{
    bool any = false;
    while (tree->waiting != NULL) {
        od_twig **best = &tree->waiting;
        for (od_twig **link = &tree->waiting; *link != NULL; link = &(*link)->next) {
            best = first_leaf(*link) < first_leaf(*best) ? link : best;
        }
        od_twig *twig = *best;
        *best = twig->next;
        if (any) {
            od_tally_merge(tally, &twig->tally);
            free_twig(twig);
        } else {
            *tally = twig->tally;
            free(twig);
        }
        any = true;
    }
    return any;
}

void od_tree_free(od_tree *tree)
{
    while (tree->waiting != NULL) {
        od_twig *next = tree->waiting->next;
        free_twig(tree->waiting);
        tree->waiting = next;
    }
}
