// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <stddef.h>
#include <stdint.h>

// What a C program does with protobuf-c and the code of protoc-c, and nothing else.
enum RawType {
    RAW_SMALL,
    RAW_ORDER,
    RAW_BLOB,
    RAW_TRACK,
    RAW_GLOSSARY,
};

// A message on the heap; NULL for bytes that are none.
void *raw_unpack(enum RawType type, const uint8_t *bytes, size_t count);

void raw_free(void *message);

// Packs into memory of its own, gives that back, and tells the message's size; 0 without memory.
size_t raw_pack(const void *message);
