// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <stdint.h>

// How often this thread took memory from the heap since it began; -1 where that cannot be counted.
int64_t allocation_count(void);
