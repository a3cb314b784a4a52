// SPDX-License-Identifier: Apache-2.0

import ApusCore

/// A part of a list of numbers, in their order.
struct Page: Equatable {
    /// The longest page, and that of a client which names no length.
    static let limit: Int64 = 100

    let ids: [Int64]
    /// Whether nothing comes after it.
    let isLast: Bool

    /// The numbers from `start` on.
    ///
    /// - Throws: INVALID_ARGUMENT for a negative `start` or `length`.
    init(of all: some Sequence<Int64>, from start: Int64, length: Int64) throws(RPCError) {
        guard start >= 0 else { throw RPCError(.invalidArgument, "the first id is negative: \(start)") }
        guard length >= 0 else { throw RPCError(.invalidArgument, "max_results is negative: \(length)") }
        let rest = all.filter { $0 >= start }.sorted()
        ids = Array(rest.prefix(Int(length == 0 ? Self.limit : min(length, Self.limit))))
        isLast = ids.count == rest.count
    }
}
