// SPDX-License-Identifier: Apache-2.0
//
// Synchronization.Mutex takes its contended path inside of a library that ThreadSanitizer does not see, so each such
// lock looks like a race to it. In sanitized test builds these two functions, compiled with the sanitizer, stand in for
// that path (Linux, Swift 6.3: the word holds the owner's thread number, 0 when free).

#include <sched.h>
#include <stdatomic.h>
#include <stdint.h>

typedef _Atomic(uint32_t) word;

__attribute__((swiftcall)) void apus_lock_slow(uint32_t thread, __attribute__((swift_context)) word *lock)
    __asm__("$s15Synchronization12_MutexHandleV9_lockSlowyys6UInt32VF");
__attribute__((swiftcall)) void apus_unlock_slow(__attribute__((swift_context)) word *lock)
    __asm__("$s15Synchronization12_MutexHandleV11_unlockSlowyyF");

__attribute__((swiftcall)) void apus_lock_slow(uint32_t thread, __attribute__((swift_context)) word *lock) {
    uint32_t expected = 0;
    while (!atomic_compare_exchange_weak_explicit(
        lock, &expected, thread, memory_order_acquire, memory_order_relaxed)) {
        expected = 0;
        sched_yield();
    }
}

__attribute__((swiftcall)) void apus_unlock_slow(__attribute__((swift_context)) word *lock) {
    atomic_store_explicit(lock, 0, memory_order_release);
}
