// SPDX-License-Identifier: Apache-2.0

public import ApusCore
import Synchronization

/// Sends a copy of a share of calls to a shadow service, whose answers nobody reads: to try a new version under real
/// load. Callers notice nothing: copies go out beside the call and are dropped when too many are under way.
///
/// Calls with a streamed request are not mirrored: their messages are for one reader.
public struct Mirror: ClientInterceptor {
    /// The metadata key that tells the shadow that a call is a copy.
    public static let key = "x-mirrored"

    private let shadow: Channel
    private let rule: MirrorRule
    private let timeout: Duration
    private let copies = Copies()
    private let random: any RandomSource

    private final class Copies: Sendable {
        private let count = Atomic<Int>(0)

        var running: Int { count.load(ordering: .relaxed) }

        func start(_ rule: MirrorRule) -> Bool {
            var running = running
            while rule.admits(running: running) {
                let (started, now) = count.compareExchange(
                    expected: running, desired: running + 1, ordering: .relaxed)
                if started { return true }
                running = now
            }
            return false
        }

        func end() { count.wrappingSubtract(1, ordering: .relaxed) }
    }

    /// Mirrors calls.
    ///
    /// - Parameters:
    ///   - shadow: where copies go. Its interceptors hold for them.
    ///   - share: the share of calls, `0...1`.
    ///   - maximumRunning: copies under way at once; others are dropped.
    ///   - timeout: the time that a copy may take.
    public init(
        to shadow: Channel, share: Double = 1, maximumRunning: Int = 100, timeout: Duration = .seconds(10),
        random: any RandomSource = SplitMixRandom.shared
    ) {
        self.shadow = shadow
        rule = MirrorRule(share: share, maximumRunning: maximumRunning)
        self.timeout = timeout
        self.random = random
    }

    /// Copies under way.
    public var running: Int { copies.running }

    /// Sends the call, and a copy of it when it is drawn.
    public func intercept(_ call: ClientCall, next: ClientNext) async throws -> ClientResponse {
        if rule.draws(call.request, random), copies.start(rule) { copy(call) }
        return try await next(call)
    }

    private func copy(_ call: ClientCall) {
        var options = CallOptions(timeout: timeout, metadata: call.metadata, compression: call.compression)
        options.metadata[Self.key] = "true"
        // Detached: the copy has no part in the deadline and the cancellation of the call that a handler serves.
        Task.detached { [shadow, copies, options] in
            if let response = try? await shadow.start(call.method, call.request, options: options) {
                response.abandon()
            }
            copies.end()
        }
    }
}

extension Mirror: DescribedPolicy {
    /// Where copies go, which calls are copied, and how many copies are under way.
    public var policyValues: [PolicyValue] {
        [
            PolicyValue("to", shadow.name), PolicyValue("share", rule.share),
            PolicyValue("maximumRunning", rule.maximumRunning), PolicyValue("timeout", timeout),
            PolicyValue("running", running),
        ]
    }
}
