// SPDX-License-Identifier: Apache-2.0

import ApusCore
import ApusTransport

/// The calls to etcd that a registry makes, with what they need of time and chance.
struct EtcdClient: Sendable {
    let channel: Channel
    let login: TokenLogin?
    let options: EtcdOptions
    /// The clock of heartbeats and back-off; deadlines of calls are the transport's.
    let clock: any MonotonicClock
    let random: any RandomSource
    /// Is told in one line of what goes wrong.
    let report: @Sendable (String) -> Void

    init(
        _ members: [Endpoint], options: EtcdOptions, transport: any ClientTransport, clock: any MonotonicClock,
        random: any RandomSource, report: @escaping @Sendable (String) -> Void
    ) {
        login = options.user.map { TokenLogin($0, timeout: options.timeout) }
        let interceptors: [(any ClientInterceptor)?] = [login, MemberChoice(members)]
        channel = Channel("etcd", interceptors: interceptors.compactMap(\.self), transport: transport)
        self.options = options
        self.clock = clock
        self.random = random
        self.report = report
    }

    private var unary: CallOptions { CallOptions(timeout: options.timeout) }
    // A member that was cut off from the others must end a stream instead of keeping silent.
    private static let streaming: Metadata = ["hasleader": "true"]

    func range(_ request: EtcdRangeRequest) async throws(RPCError) -> EtcdRangeResponse {
        try await EtcdKV.Client(channel).range(request, options: unary)
    }

    /// Follows what `request` says until `body` has enough.
    ///
    /// - Throws: why the watch ended.
    func watch(
        _ request: EtcdWatchCreateRequest, _ body: (EtcdWatchResponse) throws(RPCError) -> Bool
    ) async throws(RPCError) {
        let call = EtcdWatch.Client(channel).watch(options: CallOptions(metadata: Self.streaming))
        defer { call.cancel() }
        try await call.requests.write(EtcdWatchRequest(requestUnion: .createRequest(request)))
        let responses = try await call.responses()
        while let response = try await responses.next() {
            // Refusals of tokens come in words too: the next watch should have a new one.
            if response.canceled, response.compactRevision == 0 { login?.forget() }
            if try !body(response) { return }
        }
        throw RPCError(.unavailable, "etcd has ended the watch")
    }

    /// Grants a lease.
    ///
    /// - Returns: the lease and its time in seconds.
    func grant() async throws(RPCError) -> (lease: Int64, seconds: Int64) {
        let request = EtcdLeaseGrantRequest(ttl: options.leaseSeconds)
        let response = try await EtcdLease.Client(channel).leaseGrant(request, options: unary)
        guard response.error.isEmpty, response.id != 0 else {
            throw RPCError(.unavailable, "etcd has granted no lease: \(response.error)")
        }
        return (response.id, response.ttl)
    }

    /// Ends a lease, and with it its keys.
    func revoke(_ lease: Int64) async throws(RPCError) {
        _ = try await EtcdLease.Client(channel).leaseRevoke(EtcdLeaseRevokeRequest(id: lease), options: unary)
    }

    /// Keeps a lease alive.
    ///
    /// A call of its own for each heartbeat: it has a deadline, and finds the next member when one is gone.
    ///
    /// - Returns: the seconds that it has from now on; 0 when it is gone.
    func keepAlive(_ lease: Int64) async throws(RPCError) -> Int64 {
        let options = CallOptions(timeout: options.timeout, metadata: Self.streaming)
        let call = EtcdLease.Client(channel).leaseKeepAlive(options: options)
        defer { call.cancel() }
        try await call.requests.write(EtcdLeaseKeepAliveRequest(id: lease))
        call.requests.finish()
        guard let response = try await call.responses().next() else {
            throw RPCError(.unavailable, "etcd has not answered a heartbeat")
        }
        return response.ttl
    }

    /// Puts a key under a lease.
    func put(_ key: [UInt8], _ value: [UInt8], lease: Int64) async throws(RPCError) {
        _ = try await EtcdKV.Client(channel).put(
            EtcdPutRequest(key: key, value: value, lease: lease), options: unary)
    }

    /// Puts a key that nobody has under a lease.
    ///
    /// - Returns: whether it is there now, and under this lease.
    func add(_ key: [UInt8], _ value: [UInt8], lease: Int64) async throws(RPCError) -> Bool {
        let absent = EtcdCompare(result: .equal, target: .create, key: key, targetUnion: .createRevision(0))
        let put = EtcdRequestOp(request: .requestPut(EtcdPutRequest(key: key, value: value, lease: lease)))
        let get = EtcdRequestOp(request: .requestRange(EtcdRangeRequest(key: key)))
        let request = EtcdTxnRequest(compare: [absent], success: [put], failure: [get])
        let response = try await EtcdKV.Client(channel).txn(request, options: unary)
        if response.succeeded { return true }
        guard case .responseRange(let found) = response.responses.first?.response else { return false }
        return found.kvs.first?.lease == lease
    }
}
