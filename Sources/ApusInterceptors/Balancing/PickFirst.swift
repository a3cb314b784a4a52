// SPDX-License-Identifier: Apache-2.0

public import ApusCore
import Synchronization

/// Sends all calls to one endpoint: the first of the list that nothing speaks against, for as long as that is so, also
/// when the list changes around it.
///
/// When its connection fails, a policy ejects it, or it leaves, the first of the list that is good takes its place, and
/// keeps it. A call that failed there tries the next, and the calls after it stay. Source: gRPC, *Load Balancing
/// Policies*, pick_first; gRFC A62.
public struct PickFirst: RoutingInterceptor {
    private let memory: PickFirstMemory
    private let owner = EndpointAttachment.Owner()

    /// A balancer.
    ///
    /// - Parameter shuffles: whether the order of each list is drawn anew, so that clients do not all choose the same.
    public init(shuffles: Bool = false, random: any RandomSource = SplitMixRandom.shared) {
        memory = PickFirstMemory(shuffling: shuffles ? random : nil)
    }

    /// Chooses an endpoint.
    ///
    /// - Throws: UNAVAILABLE, with nothing sent, when there are no candidates.
    public func intercept(_ call: ClientCall, next: ClientNext) async throws -> ClientResponse {
        let candidates = try call.knownCandidates("PickFirst")
        let order = candidates.attachment(of: owner) { memory.order(of: candidates.handles) }
        return try await next.send(call, to: order.pick(avoiding: call.avoided))
    }
}

/// What outlives a list.
final class PickFirstMemory: Sendable {
    private struct Chosen {
        weak var handle: EndpointHandle?
    }

    fileprivate let random: (any RandomSource)?
    // Taken only when a list is new or the choice changes.
    private let chosen = Mutex(Chosen())

    init(shuffling random: (any RandomSource)?) { self.random = random }

    func order(of handles: [EndpointHandle]) -> PickFirstOrder {
        let chosen = chosen.withLock { $0.handle }
        var handles = handles
        if let random { handles.shuffle(using: random) }
        let index = handles.firstIndex { $0 === chosen }
        return PickFirstOrder(handles, current: index, self)
    }

    fileprivate func choose(_ handle: EndpointHandle) { chosen.withLock { $0.handle = handle } }
}

/// One list in the order in which it is tried.
final class PickFirstOrder: Sendable {
    private static let nobody = -1

    private let handles: [EndpointHandle]
    private let memory: PickFirstMemory
    private let current: Atomic<Int>

    fileprivate init(_ handles: [EndpointHandle], current: Int?, _ memory: PickFirstMemory) {
        self.handles = handles
        self.memory = memory
        self.current = Atomic(current ?? Self.nobody)
    }

    /// The endpoint that has the calls, or the one that takes them over. There must be one.
    func pick(avoiding avoided: [EndpointHandle]) -> EndpointHandle {
        let index = current.load(ordering: .relaxed)
        guard index != Self.nobody else { return change(avoided) }
        switch EndpointPreference(handles[index], avoiding: avoided) {
        case .fresh: return handles[index]
        case .failedThisCall: return EndpointPreference.first(of: handles, avoiding: avoided) ?? handles[index]
        case .ejected, .unreachable, .gone: return change(avoided)
        }
    }

    private func change(_ avoided: [EndpointHandle]) -> EndpointHandle {
        guard let index = handles.firstIndex(where: { EndpointPreference.isFresh($0, avoiding: avoided) }) else {
            return EndpointPreference.first(of: handles, avoiding: avoided) ?? handles[0]
        }
        current.store(index, ordering: .relaxed)
        memory.choose(handles[index])
        return handles[index]
    }
}

extension Array {
    /// Each order with the same probability. Source: Durstenfeld's form of the Fisher–Yates shuffle.
    fileprivate mutating func shuffle(using random: any RandomSource) {
        for last in stride(from: count - 1, to: 0, by: -1) { swapAt(last, random.index(below: last + 1)) }
    }
}

extension PickFirst: DescribedPolicy {
    /// Whether lists are shuffled.
    public var policyValues: [PolicyValue] { [PolicyValue("shuffles", memory.random != nil)] }
}
