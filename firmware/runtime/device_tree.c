/* SPDX-License-Identifier: Apache-2.0 */
#include "firmware/runtime/device_tree.h"

#include <string.h>

enum {
  MAGIC_AT = 0,
  TOTAL_AT = 4,
  STRUCTURE_AT = 8,
  STRINGS_AT = 12,
  VERSION_AT = 20,
  COMPATIBLE_AT = 24,
  STRINGS_BYTES_AT = 32,
  STRUCTURE_BYTES_AT = 36
};
enum { BEGIN_NODE = 1, END_NODE = 2, PROPERTY = 3, NOP = 4, END = 9 };
enum { TREE_VERSION = 17, OLDEST_COMPATIBLE = 16 };
#define TREE_MAGIC 0xd00dfeedu

struct property {
  const char* name;
  const unsigned char* value;
  uint32_t bytes;
};

static uint32_t big_endian(const unsigned char* at) {
  return (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 | at[3];
}

/* The string at an offset, or NULL if it does not end within the block. */
static const char* text(const void* block, uint32_t bytes, uint32_t offset) {
  if (offset >= bytes) return NULL;
  const char* const begin = (const char*)block + offset;
  return memchr(begin, '\0', bytes - offset) != NULL ? begin : NULL;
}

uint32_t tree_total_bytes(const void* header) {
  const unsigned char* const fields = header;
  return big_endian(fields + MAGIC_AT) == TREE_MAGIC ? big_endian(fields + TOTAL_AT) : 0;
}

bool tree_open(struct device_tree* tree, const void* blob, size_t bytes) {
  const unsigned char* const fields = blob;
  if (bytes < TREE_HEADER_BYTES) return false;
  const uint32_t total = tree_total_bytes(blob);
  const uint64_t structure = big_endian(fields + STRUCTURE_AT),
                 structure_bytes = big_endian(fields + STRUCTURE_BYTES_AT);
  const uint64_t strings = big_endian(fields + STRINGS_AT),
                 strings_bytes = big_endian(fields + STRINGS_BYTES_AT);
  if (total == 0 || total > bytes) return false;
  if (big_endian(fields + VERSION_AT) < TREE_VERSION || big_endian(fields + COMPATIBLE_AT) > TREE_VERSION ||
      big_endian(fields + COMPATIBLE_AT) < OLDEST_COMPATIBLE)
    return false;
  if (structure % 4 != 0 || structure + structure_bytes > total || strings + strings_bytes > total)
    return false;
  tree->structure = fields + structure;
  tree->structure_bytes = (uint32_t)structure_bytes;
  tree->strings = (const char*)fields + strings;
  tree->strings_bytes = (uint32_t)strings_bytes;
  return true;
}

/* Reads the token at *at and moves on; END where there is none. */
static uint32_t token(const struct device_tree* tree, uint32_t* at, bool* damaged) {
  if (tree->structure_bytes < 4 || *at > tree->structure_bytes - 4) {
    *damaged = true;
    return END;
  }
  const uint32_t value = big_endian(tree->structure + *at);
  *at += 4;
  return value;
}

/* Moves on by a number of bytes, rounded up to whole cells. */
static bool skip(const struct device_tree* tree, uint32_t* at, uint64_t bytes) {
  const uint64_t next = *at + (bytes + 3) / 4 * 4;
  if (next > tree->structure_bytes) return false;
  *at = (uint32_t)next;
  return true;
}

/* The property after a PROPERTY token at *at; moves on. */
static bool property_at(const struct device_tree* tree, uint32_t* at, struct property* property) {
  if (tree->structure_bytes < 8 || *at > tree->structure_bytes - 8) return false;
  property->bytes = big_endian(tree->structure + *at);
  property->name = text(tree->strings, tree->strings_bytes, big_endian(tree->structure + *at + 4));
  *at += 8;
  property->value = tree->structure + *at;
  return property->name != NULL && skip(tree, at, property->bytes);
}

/* The next property of a node whose properties are read up to *at; false after the last. */
static bool next_property(const struct device_tree* tree, uint32_t* at, struct property* property) {
  bool damaged = false;
  uint32_t kind;
  while ((kind = token(tree, at, &damaged)) == NOP) {
  }
  return kind == PROPERTY && !damaged && property_at(tree, at, property);
}

/* How a node says that its children write their reg. */
static void read_cells(struct tree_walk* walk, const struct tree_node* node) {
  struct property property;
  uint32_t at = node->properties;
  walk->cells[walk->depth].address = 2;
  walk->cells[walk->depth].size = 1;
  while (next_property(node->tree, &at, &property)) {
    if (property.name[0] != '#' || property.bytes != 4) continue;
    if (strcmp(property.name, "#address-cells") == 0)
      walk->cells[walk->depth].address = big_endian(property.value);
    if (strcmp(property.name, "#size-cells") == 0) walk->cells[walk->depth].size = big_endian(property.value);
  }
}

static bool enter(struct tree_walk* walk, struct tree_node* node) {
  const struct device_tree* const tree = walk->tree;
  const char* const name = text(tree->structure, tree->structure_bytes, walk->at);
  if (name == NULL || walk->depth >= TREE_DEPTH || !skip(tree, &walk->at, strlen(name) + 1)) return false;
  node->tree = tree;
  node->name = name;
  node->properties = walk->at;
  node->depth = walk->depth;
  node->address_cells = walk->depth == 0 ? 2 : walk->cells[walk->depth].address;
  node->size_cells = walk->depth == 0 ? 1 : walk->cells[walk->depth].size;
  ++walk->depth;
  read_cells(walk, node);
  return true;
}

bool tree_next(struct tree_walk* walk, struct tree_node* node) {
  struct property property;
  while (!walk->damaged) {
    switch (token(walk->tree, &walk->at, &walk->damaged)) {
      case BEGIN_NODE:
        if (enter(walk, node)) return true;
        walk->damaged = true;
        break;
      case END_NODE:
        if (walk->depth == 0)
          walk->damaged = true;
        else
          --walk->depth;
        break;
      case PROPERTY:
        if (walk->depth == 0 || !property_at(walk->tree, &walk->at, &property)) walk->damaged = true;
        break;
      case NOP:
        break;
      case END:
        walk->damaged = walk->damaged || walk->depth != 0;
        if (!walk->damaged) walk->at -= 4; /* the end stays the end */
        return false;
      default:
        walk->damaged = true;
    }
  }
  return false;
}

const unsigned char* tree_property(const struct tree_node* node, const char* name, uint32_t* bytes) {
  struct property property;
  uint32_t at = node->properties;
  while (next_property(node->tree, &at, &property)) {
    if (strcmp(property.name, name) != 0) continue;
    *bytes = property.bytes;
    return property.value;
  }
  return NULL;
}

const char* tree_string(const struct tree_node* node, const char* name) {
  uint32_t bytes;
  const unsigned char* const value = tree_property(node, name, &bytes);
  return value != NULL ? text(value, bytes, 0) : NULL;
}

uint64_t tree_number(const struct tree_node* node, const char* name, uint64_t alternative) {
  uint32_t bytes;
  const unsigned char* const value = tree_property(node, name, &bytes);
  if (value == NULL || (bytes != 4 && bytes != 8)) return alternative;
  return bytes == 4 ? big_endian(value) : (uint64_t)big_endian(value) << 32 | big_endian(value + 4);
}

bool tree_cell(const struct tree_node* node, const char* name, uint32_t index, uint32_t* value) {
  uint32_t bytes;
  const unsigned char* const cells = tree_property(node, name, &bytes);
  if (cells == NULL || index >= bytes / 4) return false;
  *value = big_endian(cells + (size_t)index * 4);
  return true;
}

bool tree_list_holds(const unsigned char* list, uint32_t bytes, const char* name) {
  for (uint32_t at = 0; at < bytes;) {
    const char* const entry = text(list, bytes, at);
    if (entry == NULL) return false;
    if (strcmp(entry, name) == 0) return true;
    at += (uint32_t)strlen(entry) + 1;
  }
  return false;
}

bool tree_compatible(const struct tree_node* node, const char* name) {
  uint32_t bytes;
  const unsigned char* const list = tree_property(node, "compatible", &bytes);
  return list != NULL && tree_list_holds(list, bytes, name);
}

bool tree_reg(const struct tree_node* node, uint32_t index, uint64_t* address, uint64_t* size) {
  uint32_t bytes;
  const unsigned char* const cells = tree_property(node, "reg", &bytes);
  const uint32_t a = node->address_cells, s = node->size_cells;
  if (cells == NULL || a < 1 || a > 2 || s > 2 || index >= bytes / 4 / (a + s)) return false;
  const unsigned char* at = cells + (size_t)index * (a + s) * 4;
  *address = *size = 0;
  for (uint32_t i = 0; i < a; ++i, at += 4) *address = *address << 32 | big_endian(at);
  for (uint32_t i = 0; i < s; ++i, at += 4) *size = *size << 32 | big_endian(at);
  return true;
}
