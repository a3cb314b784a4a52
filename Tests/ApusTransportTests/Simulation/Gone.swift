// SPDX-License-Identifier: Apache-2.0

import Foundation

/// Whether what nobody holds any more is gone: a thread of Swift's pool may just be letting it go.
func isGone(_ check: () -> Bool) -> Bool {
    for _ in 0..<20_000 {
        if check() { return true }
        usleep(500)
    }
    return check()
}
