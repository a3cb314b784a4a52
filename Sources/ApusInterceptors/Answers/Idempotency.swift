// SPDX-License-Identifier: Apache-2.0

public import ApusCore
import Synchronization

/// Lets a call that comes again with the same ``IdempotencyKey`` take effect once: the second one gets the first one's
/// answer, or waits for it.
///
/// For unary methods; calls without a key pass. Keys of different callers and methods are different. The caller is known
/// by its certificate, or by the metadata that the server names, such as `authorization`; without both, keys are all
/// that tells callers apart. A key that comes with another request ends with INVALID_ARGUMENT.
///
/// Answers are remembered, and so are failures that are the handler's answer; after a failure that may pass
/// (`transient`), and when the handler was cancelled, the next call does the work again.
public struct Idempotency: ServerInterceptor {
    private let store: any IdempotencyStore
    private let callerKeys: [String]
    private let transient: Set<Status.Code>
    // What a peer may have a server keep in memory for one key.
    private static let longestKey = 256

    /// Remembers calls.
    ///
    /// - Parameters:
    ///   - callerKeys: the metadata that tells callers apart.
    ///   - transient: the codes after which the work is done again.
    public init(
        _ store: any IdempotencyStore = IdempotencyMemory(), callerKeys: [String] = ["authorization"],
        transient: Set<Status.Code> = .serverFaults.union([.aborted, .cancelled, .unauthenticated])
    ) {
        self.store = store
        self.callerKeys = callerKeys
        self.transient = transient
    }

    /// Answers from memory, or does the work.
    public func intercept(_ call: ServerCall, next: ServerNext) async throws -> ServerResponse {
        guard let key = call.metadata[IdempotencyKey.key], call.method.kind == .unary,
            case .one(let request) = call.request
        else { return try await next(call) }
        guard key.utf8.count <= Self.longestKey else {
            throw RPCError(.invalidArgument, "an \(IdempotencyKey.key) has at most \(Self.longestKey) bytes")
        }
        let (name, digest) = (name(key, call), Self.digest(request))
        if let answer = try await store.claim(name) { return try give(answer, digest, to: call) }
        return try await work(call, name, digest, next)
    }

    private func give(_ answer: RememberedAnswer, _ digest: UInt64, to call: ServerCall) throws -> ServerResponse {
        guard answer.requestDigest == digest else {
            throw RPCError(.invalidArgument, "this \(IdempotencyKey.key) was used for another request")
        }
        guard answer.status.isOK, let message = answer.message else {
            throw RPCError(answer.status, metadata: answer.trailers)
        }
        call.setInitialMetadata(answer.metadata)
        call.setTrailers(answer.trailers)
        return ServerResponse(message: message)
    }

    private func work(
        _ call: ServerCall, _ name: String, _ digest: UInt64, _ next: ServerNext
    ) async throws -> ServerResponse {
        let recorder = MetadataRecorder(call.responder)
        var watched = call
        watched.responder = recorder
        do {
            let response = try await next(watched)
            await remember(recorder.answer(response.message, .ok, digest), name)
            return response
        } catch {
            let failure = error as? RPCError
            if let failure, !transient.contains(failure.code) {
                var answer = recorder.answer(nil, failure.status, digest)
                answer.trailers.add(contentsOf: failure.metadata)
                await remember(answer, name)
            } else {
                await store.forget(name)
            }
            throw error
        }
    }

    // The work is done: a store that fails must not turn it into an error.
    private func remember(_ answer: RememberedAnswer, _ name: String) async {
        do {
            try await store.remember(answer, for: name)
        } catch {
            await store.forget(name)
        }
    }

    private func name(_ key: String, _ call: ServerCall) -> String {
        var parts = [call.method.path, key, call.peerIdentity?.subject ?? ""]
        for callerKey in callerKeys { parts.append(call.metadata[callerKey] ?? "") }
        // With lengths, so that no two lists of parts make the same name.
        return parts.map { "\($0.utf8.count):\($0)" }.joined()
    }

    // FNV-1a: the same in all processes that share a store.
    private static func digest(_ request: MessageBytes) -> UInt64 {
        request.withUnsafeBytes { bytes in
            bytes.reduce(0xcbf2_9ce4_8422_2325) { ($0 ^ UInt64($1)) &* 0x0000_0100_0000_01b3 }
        }
    }
}

/// Passes a response on and remembers its metadata.
private final class MetadataRecorder: ServerResponder {
    private let responder: any ServerResponder
    private let recorded = Mutex<(initial: Metadata, trailers: Metadata)>((Metadata(), Metadata()))

    init(_ responder: any ServerResponder) { self.responder = responder }

    func answer(_ message: MessageBytes?, _ status: Status, _ digest: UInt64) -> RememberedAnswer {
        let (initial, trailers) = recorded.withLock { $0 }
        return RememberedAnswer(
            message: message, metadata: initial, trailers: trailers, status: status, requestDigest: digest)
    }

    func setInitialMetadata(_ metadata: Metadata) {
        recorded.withLock { $0.initial = metadata }
        responder.setInitialMetadata(metadata)
    }

    func setTrailers(_ metadata: Metadata) {
        recorded.withLock { $0.trailers = metadata }
        responder.setTrailers(metadata)
    }

    func sendInitialMetadata() { responder.sendInitialMetadata() }
    func compressResponses(with compression: Compression) -> Bool { responder.compressResponses(with: compression) }
    func write(_ message: MessageBytes) async throws(RPCError) { try await responder.write(message) }
    var record: CallRecord? { responder.record }
}

extension Idempotency: DescribedPolicy {
    /// What tells callers apart, after what the work is done again, and what its store tells.
    public var policyValues: [PolicyValue] {
        let own = [
            PolicyValue("callerKeys", listing: callerKeys), PolicyValue("transient", transient),
            PolicyValue("store", "\(type(of: store))"),
        ]
        return own + ((store as? any DescribedPolicy)?.policyValues ?? [])
    }
}
