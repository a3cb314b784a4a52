// SPDX-License-Identifier: Apache-2.0

public import Apus
import Synchronization

/// Sees each pick of a balancer, and how each try ended. It stands right in front of the balancer and observes its
/// channel too.
public final class Witness: ClientInterceptor, Observer {
    /// One try: who looked reachable before it, and where it went.
    private final class Try: Sendable {
        let handles: [EndpointHandle]
        let reachable: Set<String>
        let picked = Mutex<EndpointHandle?>(nil)

        init(_ handles: [EndpointHandle]) {
            self.handles = handles
            reachable = handles.reachable
        }

        var instance: String? { picked.withLock { $0?.endpoint.metadata["instance"] } }
    }

    // The observer is called by the balancer, in the task of the try.
    @TaskLocal private static var current: Try?

    private let ledger: Ledger

    /// A witness that writes down what it sees.
    public init(_ ledger: Ledger) { self.ledger = ledger }

    /// Sends the try on, and takes its time.
    public func intercept(_ call: ClientCall, next: ClientNext) async throws -> ClientResponse {
        let current = Try(call.candidates?.handles ?? [])
        let start = ContinuousClock.now
        do {
            let response = try await Self.$current.withValue(current) { try await next(call) }
            ledger.answered(current.instance, after: start.duration(to: .now))
            return response
        } catch {
            ledger.tryFailed(at: current.instance)
            throw error
        }
    }

    /// Writes down where a call's first try went.
    public func picked(_ endpoint: EndpointHandle, for call: ClientCall) {
        guard let current = Self.current else { return }
        current.picked.withLock { $0 = endpoint }
        // A transparent retry has the number of the try that it repeats.
        guard call.attempt == 1, call.avoided.isEmpty else { return }
        let pick = WitnessedPick(
            picked: endpoint.name, candidates: Set(current.handles.map(\.name)), reachableBefore: current.reachable,
            reachableAfter: current.handles.reachable)
        ledger.picked(pick, service: call.target)
    }

    /// Counts the retry.
    public func retrying(_ call: ClientCall, after error: RPCError, delay: Duration) { ledger.retried() }
}

extension EndpointHandle {
    // A process that was started again is another endpoint, even on the port of the old one.
    fileprivate var name: String {
        "\(endpoint.metadata["instance"] ?? "") \(endpoint.address) \(endpoint.metadata["pid"] ?? "")"
    }
}

extension [EndpointHandle] {
    // Whom RandomBalancer draws from at a first try.
    fileprivate var reachable: Set<String> {
        Set(filter { $0.connectivity != .transientFailure && $0.connectivity != .shutdown }.map(\.name))
    }
}
