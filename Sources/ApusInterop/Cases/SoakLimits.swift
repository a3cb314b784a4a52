// SPDX-License-Identifier: Apache-2.0

import Apus

/// What the soak cases do and what they bear.
package struct SoakLimits: Sendable {
    /// Calls of all threads together.
    package var iterations = 10
    /// Calls that may fail or be late.
    package var maximumFailures = 0
    /// The time after which a call is late.
    package var latency = Duration.milliseconds(1000)
    /// The least time from one call of a thread to its next.
    package var interval = Duration.zero
    /// The time for all calls.
    package var overall = Duration.seconds(10)
    /// Bytes of each request's payload.
    package var requestSize = SimpleRequest.largeRequest
    /// Bytes of each response's payload.
    package var responseSize = SimpleRequest.largeResponse
    /// Tasks that call at the same time.
    package var threads = 1

    /// The limits of the descriptions.
    package init() {}

    static let flags = [
        "soak_iterations", "soak_max_failures", "soak_per_iteration_max_acceptable_latency_ms",
        "soak_min_time_ms_between_rpcs", "soak_overall_timeout_seconds", "soak_request_size", "soak_response_size",
        "soak_num_threads",
    ]

    /// - Throws: ``FlagError`` for values that are none.
    init(_ flags: CommandLineFlags) throws(FlagError) {
        let large = Int(Int32.max)
        iterations = try flags.integer("soak_iterations", default: 10, in: 1...large)
        maximumFailures = try flags.integer("soak_max_failures", default: 0, in: 0...large)
        let milliseconds = try flags.integer(
            "soak_per_iteration_max_acceptable_latency_ms", default: 1000, in: 1...large)
        latency = .milliseconds(milliseconds)
        interval = .milliseconds(try flags.integer("soak_min_time_ms_between_rpcs", default: 0, in: 0...large))
        let whole = max(1, (milliseconds * iterations).quotientAndRemainder(dividingBy: 1000).quotient)
        overall = .seconds(try flags.integer("soak_overall_timeout_seconds", default: whole, in: 1...Int.max))
        requestSize = try flags.integer("soak_request_size", default: requestSize, in: 0...(64 << 20))
        responseSize = try flags.integer("soak_response_size", default: responseSize, in: 0...(64 << 20))
        threads = try flags.integer("soak_num_threads", default: 1, in: 1...10_000)
        guard iterations.isMultiple(of: threads) else {
            throw FlagError("--soak_iterations is a multiple of --soak_num_threads, not \(iterations) for \(threads)")
        }
    }
}
