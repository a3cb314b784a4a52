// SPDX-License-Identifier: Apache-2.0

import ApusCore
import ApusProtobuf
@testable import ApusEtcd
import Synchronization

/// The few methods of etcd that a registry calls, over a store in memory that a test can harm.
final class ScriptedEtcd: Sendable {
    struct Store {
        var values: [[UInt8]: EtcdKeyValue] = [:]
        var leases: Set<Int64> = []
        var lastLease: Int64 = 0
        /// So many of the next leases end before they are used.
        var shortLeases = 0
        var revision: Int64 = 1
        var compacted: Int64 = 0
        var log: [(revision: Int64, event: EtcdEvent)] = []
        var watches: [UInt64: AsyncStream<RPCError?>.Continuation] = [:]
        var lastWatch: UInt64 = 0
        /// What calls are refused with.
        var refusal: RPCError?
        /// The token that calls must have; nil asks for none.
        var token: String?
        var calls: [String: Int] = [:]
    }

    let store = Mutex(Store())

    var services: [any Service] { [KV(etcd: self), Watch(etcd: self), Lease(etcd: self), Auth(etcd: self)] }

    /// How often a method was called.
    func calls(_ method: String) -> Int { store.withLock { $0.calls[method, default: 0] } }

    func refuse(_ error: RPCError?) { store.withLock { $0.refusal = error } }

    func put(_ key: String, _ value: String) {
        store.withLock { $0.put(Array(key.utf8), Array(value.utf8), lease: 0) }
        wake()
    }

    /// Waits until a watch is there: a list may have told the same before.
    func waitForWatch() async {
        while store.withLock({ $0.watches.isEmpty }) { await Task.yield() }
    }

    /// Ends all watches with an error, once there is one.
    func breakWatches() async {
        await waitForWatch()
        let watches = store.withLock { Array($0.watches.values) }
        for watch in watches { watch.yield(RPCError(.unavailable, "scripted")) }
    }

    /// Forgets all history.
    func compact() { store.withLock { $0.compacted = $0.revision } }

    /// Lets all leases expire.
    func expireLeases() {
        store.withLock { store in
            for lease in store.leases { store.end(lease) }
        }
        wake()
    }

    fileprivate func wake() {
        let watches = store.withLock { Array($0.watches.values) }
        for watch in watches { watch.yield(nil) }
    }

    /// Does what a call asks for, unless calls are refused.
    fileprivate func answer<A>(_ call: ServerCall, _ body: (inout Store) throws -> A) throws -> A {
        let result = try store.withLock { store in
            store.calls[call.method.name, default: 0] += 1
            if let refusal = store.refusal { throw refusal }
            if let token = store.token, call.method.name != "Authenticate", call.metadata["token"] != token {
                throw RPCError(.unauthenticated, "etcdserver: invalid auth token")
            }
            return try body(&store)
        }
        wake()
        return result
    }
}

extension ScriptedEtcd.Store {
    var header: EtcdResponseHeader { EtcdResponseHeader(revision: revision) }

    mutating func put(_ key: [UInt8], _ value: [UInt8], lease: Int64) {
        revision += 1
        let created = values[key]?.createRevision ?? revision
        let pair = EtcdKeyValue(
            key: key, createRevision: created, modRevision: revision, value: value, lease: lease)
        values[key] = pair
        log.append((revision, EtcdEvent(type: .put, kv: pair)))
    }

    mutating func end(_ lease: Int64) {
        leases.remove(lease)
        let keys = values.values.filter { $0.lease == lease }.map(\.key)
        for key in keys {
            revision += 1
            values[key] = nil
            log.append((revision, EtcdEvent(type: .delete, kv: EtcdKeyValue(key: key, modRevision: revision))))
        }
    }

    func range(_ request: EtcdRangeRequest) -> EtcdRangeResponse {
        let end = request.rangeEnd.isEmpty ? request.key + [0] : request.rangeEnd
        let found = values.values
            .filter { !$0.key.lexicographicallyPrecedes(request.key) && $0.key.lexicographicallyPrecedes(end) }
            .sorted { $0.key.lexicographicallyPrecedes($1.key) }
        let limit = request.limit > 0 ? Int(request.limit) : found.count
        return EtcdRangeResponse(
            header: header, kvs: Array(found.prefix(limit)), more: found.count > limit, count: Int64(found.count))
    }
}

private struct KV: EtcdKV.Handler {
    let etcd: ScriptedEtcd

    func range(_ request: EtcdRangeRequest, call: ServerCall) async throws -> EtcdRangeResponse {
        try etcd.answer(call) { $0.range(request) }
    }

    func put(_ request: EtcdPutRequest, call: ServerCall) async throws -> EtcdPutResponse {
        try etcd.answer(call) { store in
            guard store.leases.contains(request.lease) else {
                throw RPCError(.notFound, "etcdserver: requested lease not found")
            }
            store.put(request.key, request.value, lease: request.lease)
            return EtcdPutResponse(header: store.header)
        }
    }

    func txn(_ request: EtcdTxnRequest, call: ServerCall) async throws -> EtcdTxnResponse {
        try etcd.answer(call) { store in
            guard case .requestPut(let put) = request.success.first?.request else { throw RPCError(.unimplemented, "") }
            if let there = store.values[put.key] {
                let found = EtcdResponseOp(response: .responseRange(EtcdRangeResponse(kvs: [there])))
                return EtcdTxnResponse(header: store.header, succeeded: false, responses: [found])
            }
            guard store.leases.contains(put.lease) else {
                throw RPCError(.notFound, "etcdserver: requested lease not found")
            }
            store.put(put.key, put.value, lease: put.lease)
            return EtcdTxnResponse(header: store.header, succeeded: true)
        }
    }

    func deleteRange(_: EtcdDeleteRangeRequest, call _: ServerCall) async throws -> EtcdDeleteRangeResponse {
        throw RPCError(.unimplemented, "a registry ends leases")
    }

    func compact(_: EtcdCompactionRequest, call _: ServerCall) async throws -> EtcdCompactionResponse {
        throw RPCError(.unimplemented, "a registry does not compact")
    }
}

private struct Lease: EtcdLease.Handler {
    let etcd: ScriptedEtcd

    func leaseGrant(_ request: EtcdLeaseGrantRequest, call: ServerCall) async throws -> EtcdLeaseGrantResponse {
        try etcd.answer(call) { store in
            store.lastLease += 1
            if store.shortLeases > 0 { store.shortLeases -= 1 } else { store.leases.insert(store.lastLease) }
            return EtcdLeaseGrantResponse(header: store.header, id: store.lastLease, ttl: request.ttl)
        }
    }

    func leaseRevoke(_ request: EtcdLeaseRevokeRequest, call: ServerCall) async throws -> EtcdLeaseRevokeResponse {
        try etcd.answer(call) { store in
            guard store.leases.contains(request.id) else { throw RPCError(.notFound, "scripted") }
            store.end(request.id)
            return EtcdLeaseRevokeResponse(header: store.header)
        }
    }

    func leaseKeepAlive(
        _ requests: RequestStream<ProtobufCodec<EtcdLeaseKeepAliveRequest>>,
        to writer: ResponseWriter<ProtobufCodec<EtcdLeaseKeepAliveResponse>>, call: ServerCall
    ) async throws {
        while let request = try await requests.next() {
            let seconds = try etcd.answer(call) { $0.leases.contains(request.id) ? Int64(9) : 0 }
            try await writer.write(EtcdLeaseKeepAliveResponse(id: request.id, ttl: seconds))
        }
    }
}

private struct Auth: EtcdAuth.Handler {
    let etcd: ScriptedEtcd

    func authenticate(_ request: EtcdAuthenticateRequest, call: ServerCall) async throws -> EtcdAuthenticateResponse {
        try etcd.answer(call) { store in
            guard request.name == "ann", request.password == "secret" else {
                throw RPCError(.invalidArgument, "etcdserver: authentication failed, invalid user ID or password")
            }
            return EtcdAuthenticateResponse(header: store.header, token: store.token ?? "")
        }
    }
}

private struct Watch: EtcdWatch.Handler {
    let etcd: ScriptedEtcd

    func watch(
        _ requests: RequestStream<ProtobufCodec<EtcdWatchRequest>>,
        to writer: ResponseWriter<ProtobufCodec<EtcdWatchResponse>>, call: ServerCall
    ) async throws {
        guard case .createRequest(let request) = try await requests.next()?.requestUnion else { return }
        let (stream, continuation) = AsyncStream<RPCError?>.makeStream()
        let (id, header, compacted) = try etcd.answer(call) { store in
            store.lastWatch += 1
            store.watches[store.lastWatch] = continuation
            return (store.lastWatch, store.header, store.compacted)
        }
        defer { etcd.store.withLock { $0.watches[id] = nil } }
        try await writer.write(EtcdWatchResponse(header: header, created: true))
        guard request.startRevision > compacted else {
            return try await writer.write(
                EtcdWatchResponse(header: header, canceled: true, compactRevision: compacted + 1))
        }
        var next = request.startRevision
        continuation.yield(nil)
        for await failure in stream {
            if let failure { throw failure }
            let (events, header) = etcd.store.withLock { store in
                (store.log.filter { $0.revision >= next }, store.header)
            }
            guard let last = events.last else { continue }
            next = last.revision + 1
            let wanted = events.map(\.event).filter { event in
                guard let key = event.kv?.key else { return false }
                return key.starts(with: request.key)
            }
            try await writer.write(EtcdWatchResponse(header: header, events: wanted))
        }
        throw RPCError(.unavailable, "the server stops")
    }
}
