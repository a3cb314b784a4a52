// SPDX-License-Identifier: Apache-2.0

import ApusCore

extension Duration {
    /// Seconds with one decimal, such as `1.2`.
    var inSeconds: String {
        let tenths = saturatedNanoseconds / 100_000_000
        return "\(tenths / 10).\(abs(tenths % 10))"
    }

    /// Whole milliseconds, rounded up: what `grpc-retry-pushback-ms` carries.
    var inMillisecondsUp: Int64 {
        let nanoseconds = max(0, saturatedNanoseconds)
        return nanoseconds / 1_000_000 + (nanoseconds % 1_000_000 == 0 ? 0 : 1)
    }
}
