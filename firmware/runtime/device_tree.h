/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reads flattened device trees (Devicetree Specification 0.4, version 17 of the format) in one pass over
 * their nodes. Damaged trees are refused; nothing is read outside of the given bytes.
 */
#ifndef FR_RUNTIME_DEVICE_TREE_H
#define FR_RUNTIME_DEVICE_TREE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { TREE_HEADER_BYTES = 40, TREE_DEPTH = 16 };

struct device_tree {
  const unsigned char* structure;
  const char* strings;
  uint32_t structure_bytes, strings_bytes;
};

/* Valid as long as the tree. */
struct tree_node {
  const struct device_tree* tree;
  const char* name;       /* with its unit address; "" for the root */
  uint32_t properties;    /* where they begin in the structure block */
  uint32_t address_cells; /* of its reg property */
  uint32_t size_cells;
  unsigned depth; /* 0 for the root */
};

/* A walk over all nodes, parents before their children. Start with {.tree = &tree}. */
struct tree_walk {
  const struct device_tree* tree;
  uint32_t at;
  unsigned depth; /* nodes open */
  bool damaged;   /* the walk ended there */
  struct {
    uint32_t address, size;
  } cells[TREE_DEPTH + 1]; /* for the children of each open node */
};

/* Bytes of the whole tree, from the TREE_HEADER_BYTES at its beginning; 0 if it is none. */
uint32_t tree_total_bytes(const void* header);
/* Checks the header. False if this is no tree, another version, or its parts lie outside of `bytes`. */
bool tree_open(struct device_tree* tree, const void* blob, size_t bytes);
/* The next node; false at the end, or where the tree is damaged. */
bool tree_next(struct tree_walk* walk, struct tree_node* node);

/* The value of a property, or NULL. */
const unsigned char* tree_property(const struct tree_node* node, const char* name, uint32_t* bytes);
/* A string property, or NULL; only if it ends within its value. */
const char* tree_string(const struct tree_node* node, const char* name);
/* A property of one or two cells, or the alternative if there is none. */
uint64_t tree_number(const struct tree_node* node, const char* name, uint64_t alternative);
/* Cell number `index` of a property; false if it is shorter. */
bool tree_cell(const struct tree_node* node, const char* name, uint32_t index, uint32_t* value);
/* True if a list of strings, each with its NUL, holds this one. */
bool tree_list_holds(const unsigned char* list, uint32_t bytes, const char* name);
/* True if the list of compatible strings holds this one. */
bool tree_compatible(const struct tree_node* node, const char* name);
/* Entry number `index` of reg; false if there is none. */
bool tree_reg(const struct tree_node* node, uint32_t index, uint64_t* address, uint64_t* bytes);

#endif
