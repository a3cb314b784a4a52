// SPDX-License-Identifier: Apache-2.0

import Apus
import ApusEtcd
import Foundation

/// A registry in etcd, by its keys `<service>/<id>`.
struct EtcdLedger: RegistryLedger {
    private let channel: Channel
    // Keys that are asked for at once.
    private let page: Int64
    // Keys that are read at most: a part of a registry would look like the whole.
    private let maximumKeys: Int
    private let user: EtcdOptions.User?

    init(_ members: [Endpoint.Address], _ options: EtcdOptions, page: Int64 = 1000, maximumKeys: Int = 100_000) {
        var transport = TransportOptions()
        transport.tls = options.tls
        transport.maximumResponseBytes = 64 << 20
        var stack = DefaultStack()
        stack.timeout = options.timeout
        let registry = FixedRegistry(endpoints: members.map { Endpoint($0) })
        channel = Channel("etcd", interceptors: stack.interceptors(with: registry), options: transport)
        user = options.user
        self.page = page
        self.maximumKeys = maximumKeys
    }

    func rows(of service: String?) async throws -> [InstanceRow] {
        let options = try await options()
        // All keys: behind the zero byte there is no end.
        var key: [UInt8] = service.map { Array("\($0)/".utf8) } ?? [0]
        let end: [UInt8] = service.map { Array("\($0)0".utf8) } ?? [0]
        var rows: [InstanceRow] = []
        var read = 0
        while true {
            let request = EtcdRangeRequest(key: key, rangeEnd: end, limit: page)
            let answer = try await EtcdKV.Client(channel).range(request, options: options)
            rows += answer.kvs.compactMap { Self.row($0.key, $0.value) }.filter {
                service == nil || $0.service == service
            }
            read += answer.kvs.count
            guard answer.more, let last = answer.kvs.last else { return rows }
            guard read < maximumKeys else {
                let name = service.map { "'\($0)'" } ?? "the registry"
                throw Mistake("\(name) has more than \(maximumKeys) keys\(service == nil ? ": name a service" : "")")
            }
            key = last.key + [0]
        }
    }

    func drain(_ row: InstanceRow, undo: Bool) async throws {
        guard !undo else { throw Mistake("etcd keeps nothing of a drained instance: start it anew") }
        let request = EtcdDeleteRangeRequest(key: Array("\(row.service)/\(row.id)".utf8))
        _ = try await EtcdKV.Client(channel).deleteRange(request, options: try await options())
    }

    private func options() async throws -> CallOptions {
        guard let user else { return CallOptions() }
        let request = EtcdAuthenticateRequest(name: user.name, password: user.password)
        let token = try await EtcdAuth.Client(channel).authenticate(request).token
        return CallOptions(metadata: ["authorization": token])
    }

    /// The instance in a key and its value, as etcd's own naming writes them; nil for keys that are something else.
    static func row(_ key: [UInt8], _ value: [UInt8]) -> InstanceRow? {
        let name = String(decoding: key, as: UTF8.self)
        guard let members = try? JSONSerialization.jsonObject(with: Data(value)) as? [String: Any],
            let address = members["Addr"] as? String, let slash = name.lastIndex(of: "/")
        else { return nil }
        let fields = members["Metadata"] as? [String: Any] ?? [:]
        let own = fields["apus"] as? [String: Any] ?? [:]
        let service = own["service"] as? String ?? String(name[..<slash])
        guard name.hasPrefix(service + "/") else { return nil }
        var row = InstanceRow(service: service, id: String(name.dropFirst(service.count + 1)), address: address)
        row.weight = (own["weight"] as? NSNumber ?? fields["weight"] as? NSNumber)?.doubleValue ?? 1
        row.metadata = fields.compactMapValues { $0 as? String }
        return row
    }
}
