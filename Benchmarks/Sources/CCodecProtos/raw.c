// SPDX-License-Identifier: Apache-2.0
#include "raw.h"
#include "bench/codec.pb-c.h"
#include <stdlib.h>

static const ProtobufCMessageDescriptor *const descriptors[] = {
    [RAW_SMALL] = &bench__codec__small__descriptor,
    [RAW_ORDER] = &bench__codec__order__descriptor,
    [RAW_BLOB] = &bench__codec__blob__descriptor,
    [RAW_TRACK] = &bench__codec__track__descriptor,
    [RAW_GLOSSARY] = &bench__codec__glossary__descriptor,
};

void *raw_unpack(enum RawType type, const uint8_t *bytes, size_t count) {
    return protobuf_c_message_unpack(descriptors[type], NULL, count, bytes);
}

void raw_free(void *message) { protobuf_c_message_free_unpacked(message, NULL); }

size_t raw_pack(const void *message) {
    size_t size = protobuf_c_message_get_packed_size(message);
    uint8_t *bytes = malloc(size + 1);
    if (bytes == NULL) return 0;
    protobuf_c_message_pack(message, bytes);
    // The compiler must not conclude that nobody reads them.
    __asm__ volatile("" : : "g"(bytes) : "memory");
    free(bytes);
    return size;
}
