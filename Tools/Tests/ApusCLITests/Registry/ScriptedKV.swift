// SPDX-License-Identifier: Apache-2.0

import Apus
import Synchronization

@testable import ApusCLI

/// The keys of an etcd that has nothing else; with a token it knows one user.
final class ScriptedKV: Service {
    private let keys: Mutex<[String: String]>
    private let token: String?
    let ranges = Atomic<Int>(0)

    init(_ keys: [String: String], token: String? = nil) {
        self.keys = Mutex(keys)
        self.token = token
    }

    var names: [String] { keys.withLock { $0.keys.sorted() } }

    var routes: [Route] {
        [
            .unary(EtcdKV.Methods.range) { try self.range($0, call: $1) },
            .unary(EtcdKV.Methods.deleteRange) { try self.deleteRange($0, call: $1) },
            .unary(EtcdAuth.Methods.authenticate) { request, _ in try self.authenticate(request) },
        ]
    }

    private func check(_ call: ServerCall) throws(RPCError) {
        if let token, call.metadata["authorization"] != token { throw RPCError(.unauthenticated, "no token") }
    }

    private func range(_ request: EtcdRangeRequest, call: ServerCall) throws -> EtcdRangeResponse {
        try check(call)
        ranges.add(1, ordering: .relaxed)
        let found = keys.withLock { $0 }.filter { name, _ in
            let key = Array(name.utf8)
            return !key.lexicographicallyPrecedes(request.key)
                && (request.rangeEnd == [0] || key.lexicographicallyPrecedes(request.rangeEnd))
        }.sorted { $0.key < $1.key }
        let page = found.prefix(Int(request.limit)).map { EtcdKeyValue(key: Array($0.utf8), value: Array($1.utf8)) }
        return EtcdRangeResponse(kvs: page, more: page.count < found.count)
    }

    private func deleteRange(_ request: EtcdDeleteRangeRequest, call: ServerCall) throws -> EtcdDeleteRangeResponse {
        try check(call)
        keys.withLock { $0[String(decoding: request.key, as: UTF8.self)] = nil }
        return EtcdDeleteRangeResponse()
    }

    private func authenticate(_ request: EtcdAuthenticateRequest) throws -> EtcdAuthenticateResponse {
        guard request.name == "root", request.password == "secret" else { throw RPCError(.unauthenticated, "who?") }
        return EtcdAuthenticateResponse(token: token ?? "")
    }
}
